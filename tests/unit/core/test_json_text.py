from __future__ import annotations

import pytest

from harness.core.json_text import parse_json


@pytest.mark.parametrize("text", ["", "{", '{"a": 1', "\0", '"\0"', b"\xff\xfe\xfd", "[" * 200_000, '{"a":' * 200_000])
def test_whatever_is_no_json_is_one_kind_of_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)


@pytest.mark.parametrize("text", ['{"a": [1, null]}', b'{"a": [1, null]}'])
def test_json_is_read(text: str | bytes) -> None:
    assert parse_json(text) == {"a": [1, None]}
