"""Characters as keys."""

from __future__ import annotations

import string

import pytest

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.qemu.keyboard import keys_of


def test_letters_signs_and_white_space_have_keys() -> None:
    assert keys_of("a Z9\n\t") == [["a"], ["spc"], ["shift", "z"], ["9"], ["ret"], ["tab"]]
    assert keys_of('"?|~_+') == [
        ["shift", "apostrophe"], ["shift", "slash"], ["shift", "backslash"], ["shift", "grave_accent"],
        ["shift", "minus"], ["shift", "equal"],
    ]  # fmt: skip


def test_every_printable_character_has_keys_of_its_own() -> None:
    characters = string.digits + string.ascii_letters + string.punctuation + " \n\t"
    assert len({tuple(keys) for keys in keys_of(characters)}) == len(characters)


@pytest.mark.parametrize("text", ["ü", "a\x07", "€", "\r"])
def test_a_character_without_a_key_is_an_error_before_anything_is_typed(text: str) -> None:
    with pytest.raises(Failure, match="no key for"):
        keys_of(text)
