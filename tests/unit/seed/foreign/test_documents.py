"""YAML documents with the lines of their values."""

from __future__ import annotations

import pytest

from harness.seed.foreign.documents import BrokenDocument, mapping, mappings, read_document, texts

TEXT = """\
autoinstall:
  version: 1
  ssh:
    install-server: no
  late-commands:
    - first
    - second
"""


def test_values_and_their_places() -> None:
    document = read_document("nocloud/user-data", TEXT, offset=1)
    assert document.get("autoinstall", "version") == 1
    assert document.get("autoinstall", "ssh", "install-server") is False
    assert document.get("autoinstall", "missing", "deeper") is None
    assert document.below("autoinstall", "ssh") == {"install-server": False}
    assert document.below("autoinstall", "version") == {}
    assert document.where("autoinstall", "ssh", "install-server") == "/nocloud/user-data:5"
    assert document.where("autoinstall", "late-commands", 1) == "/nocloud/user-data:8"
    assert document.where("autoinstall", "ssh", "missing") == "/nocloud/user-data:4"
    assert document.where("missing") == "/nocloud/user-data:2"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [\n", 3, "flow"),
        ("a:\n\tb: 1\n", 2, "tabs do not indent"),
        ("a: 1\n  b: 2\n", 2, "mapping values"),
        ("a: !!python/object:x 1\n", 1, "constructor"),
    ],
)
def test_a_broken_document_names_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BrokenDocument) as caught:
        read_document("u", text)
    assert caught.value.line == line
    assert words in caught.value.problem


@pytest.mark.parametrize("text", ["[" * 5000, "a: &a [*a]\n", "2026-99-99\n", "? [a]\n: b\n"])
def test_hostile_documents_end_in_a_document_or_in_that_error(text: str) -> None:
    try:
        document = read_document("u", text)
    except BrokenDocument:
        return
    assert list(document.doubled()) == []


def test_a_key_that_is_there_twice() -> None:
    document = read_document("u", "a: {b: 1, b: 2}\nc: 1\na: 3\n")
    assert sorted(document.doubled()) == [(1, "a"), (1, "b")]


def test_values_of_the_wrong_kind_are_empty() -> None:
    assert (mapping([]), mappings({}), texts(3)) == ({}, [], [])
    assert (mapping({"a": 1}), mappings([{}, 1]), texts(["a", 1]), texts("a")) == ({"a": 1}, [{}], ["a"], ["a"])
