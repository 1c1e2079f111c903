"""Guest image: built from distribution packages, cached by its inputs' hash.

Entry: `harness.image.build.build_image`.
"""
