"""Findings in an input."""

from __future__ import annotations

from harness.core.finding import Finding, remark


def test_a_finding_has_its_place_and_its_remedy() -> None:
    found = Finding("it is wrong", "correct it", "/a:3")
    assert (str(found), found.correction, found.mistake) == ("/a:3: it is wrong", "/a:3: correct it", True)
    assert (str(remark("b", "c")), remark("b", "c").correction, remark("b", "c").mistake) == ("b", "c", False)
