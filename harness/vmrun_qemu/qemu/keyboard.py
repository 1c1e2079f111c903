"""Type text on a US keyboard, by QEMU's key names (QAPI `QKeyCode`)."""

from __future__ import annotations

import string

from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, Failure
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.qemu import qmp

_PLAIN = {
    " ": "spc", "\n": "ret", "\t": "tab", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right",
    "\\": "backslash", ";": "semicolon", "'": "apostrophe", "`": "grave_accent", ",": "comma", ".": "dot", "/": "slash",
    **{character: character for character in string.ascii_lowercase + string.digits},
}  # fmt: skip
_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True))
# A guest reads its keyboard's buffer of 16 bytes; at this pace it keeps up, under emulation too.
_PACE_S = 0.04


def keys_of(text: str) -> list[list[str]]:
    """Return the keys of each character, in the order of pressing.

    Raises:
        Failure: A character has no key.
    """
    return [_keys(character) for character in text]


def type_text(address: str, text: str) -> None:
    """Type the text.

    Raises:
        Failure: A character has no key; nothing is typed.
        QmpError: QEMU refuses.
    """
    for keys in keys_of(text):
        qmp.ask(address, *(_event(key, down=True) for key in keys), *(_event(key, down=False) for key in keys[::-1]))
        wait_for(lambda: None, _PACE_S)


def _keys(character: str) -> list[str]:
    if character in _PLAIN:
        return [_PLAIN[character]]
    if character.lower() in _PLAIN and character.isascii():
        return ["shift", _PLAIN[character.lower()]]
    if character in _SHIFTED:
        return ["shift", _PLAIN[_SHIFTED[character]]]
    raise Failure(f"{INVALID_PARAMETER}: no key for {character!r}")


def _event(key: str, *, down: bool) -> qmp.Command:
    event = {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}
    return "input-send-event", {"events": [event]}
