from __future__ import annotations

import yaml

from harness.seed.yaml_text import yaml_text


def test_keys_keep_their_order_and_long_texts_are_blocks() -> None:
    document = {"b": 1, "a": "one\ntwo\n", "c": ["x: y", True]}
    text = yaml_text(document)
    assert text == "b: 1\na: |\n  one\n  two\nc:\n- 'x: y'\n- true\n"
    assert yaml.safe_load(text) == document
