"""Judges of a k3s cluster: answers become checks. Pure.

Entry: the checks of `checks`; each judge takes parsed answers and returns one of them.
"""
