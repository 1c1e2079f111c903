"""Views of a result: HTML page, Markdown summary, JUnit properties, timeline.

Entry: `write_reports`.
"""
