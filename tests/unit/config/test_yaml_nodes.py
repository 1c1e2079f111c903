from __future__ import annotations

import pytest

from harness.config.yaml_nodes import MappingNode, child, compose, locate, merge, plain
from harness.core.errors import ConfigError


def read(text: str) -> object:
    return plain(compose(text, "lab.yaml"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("false", False),
        ("40", 40),
        ("-1", -1),
        ("0", 0),
        ("1.5", 1.5),
        ("no", "no"),
        ("True", "True"),
        ("0644", "0644"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),
        ("2026-01-02", "2026-01-02"),
        ("'40'", "40"),
        ("!!int abc", "abc"),
        ("[1, [a, null]]", [1, ["a", None]]),
        ("{b: {c: true}}", {"b": {"c": True}}),
    ],
)
def test_only_unambiguous_scalars_are_anything_but_text(text: str, value: object) -> None:
    found = read(f"a: {text}")
    assert found == {"a": value}
    assert repr(found) == repr({"a": value}), "1 and True are equal"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "lab.yaml:1:6: not YAML: "),
        ("a: b: c", "lab.yaml:1:5: not YAML: "),
        ("a: \x07", "lab.yaml: not YAML: "),
        ("", "lab.yaml:1:1: a lab file is one mapping of keys"),
        ("- a", "lab.yaml:1:1: a lab file is one mapping of keys"),
        ("a: 1\nb:\n  c: 1\n  c: 2", "lab.yaml:4:3: c: duplicate key, first on line 3"),
        ("x:\n- {a: 1, a: 2}", "lab.yaml:2:10: a: duplicate key, first on line 2"),
        ("[a, b]: 1", "lab.yaml:1:1: a key is one word"),
        ("a: &x\n  b: *x", "lab.yaml:1:4: a value refers to itself"),
    ],
)
def test_what_is_no_lab_file_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose(text, "lab.yaml")
    assert str(caught.value).startswith(message)
    assert caught.value.remedy


def test_every_duplicate_key_is_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        compose("a: 1\na: 2\nb: 1\nb: 2", "lab.yaml")
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()[:2]] == ["a", "b"]


BASE = "name: lab\nssh:\n  port: 22\n  user: u\nlist: [1, 2]\n"
OVER = "\n\n\nssh:\n  port: 2222\nlist: [3]\nmore: {x: 1}\n"


def merged() -> MappingNode:
    return merge(compose(BASE, "base"), compose(OVER, "over"))


def test_an_overlay_is_applied_mapping_by_mapping() -> None:
    assert plain(merged()) == {"name": "lab", "ssh": {"port": 2222, "user": "u"}, "list": [3], "more": {"x": 1}}


def test_a_merge_changes_neither_of_its_nodes() -> None:
    base, over = compose(BASE, "base"), compose(OVER, "over")
    merge(base, over)
    assert (plain(base), plain(over)) == (read(BASE), read(OVER))


def test_merged_nodes_keep_their_places() -> None:
    root = merged()
    assert locate(root, ("ssh", "port")) == (5, 9), "from the overlay"
    assert locate(root, ("ssh", "user")) == (4, 9), "from the base"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("ssh", "port"), (3, 9)),
        (("ssh", "gone"), (3, 3)),
        (("list", 1), (5, 11)),
        (("list", 9), (5, 7)),
        (("name", "below"), (1, 7)),
    ],
)
def test_the_place_is_that_of_the_deepest_node_that_exists(path: tuple[str | int, ...], place: tuple[int, int]) -> None:
    assert locate(compose(BASE, "base"), path) == place


def test_the_place_of_a_key() -> None:
    assert locate(compose(BASE, "base"), ("ssh", "port"), key=True) == (3, 3)


def test_a_child_is_found_by_its_key() -> None:
    root = compose(BASE, "base")
    found = child(root, "name")
    assert found is not None
    assert plain(found) == "lab"
    assert child(root, "gone") is None
