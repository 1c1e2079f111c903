"""Read the menus of ISOLINUX (syslinux 6, "CONFIGURATION FILE").

A command line arrives as it is written: there are no quotes, and `;` and backslashes have no meaning. Pure.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness.seed.foreign.boot_entry import BootEntry, Menu

_DEEPEST = 8
_MOST_FILES = 100  # Debian's menus include some thirty
_MENU_PROGRAMS = ("vesamenu.c32", "menu.c32", "gfxboot.c32", "gfxboot")


@dataclass
class _Label:
    name: str
    path: str
    line: int
    kernel: str = ""
    append: str = ""
    initrd: str = ""


@dataclass
class _Read:
    labels: dict[str, _Label] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


def read_menu(path: str, text: str, open_file: Callable[[str], str | None]) -> Menu:
    """Return the menu of an `isolinux.cfg`.

    Args:
        path: Of the file on the ISO.
        text: Its text.
        open_file: Returns the text of another file of the ISO; None without it.
    """
    found = _Read()
    current: _Label | None = None
    opened = itertools.count(1)

    def open_few(name: str) -> str | None:
        return open_file(name) if next(opened) <= _MOST_FILES else None

    for place, number, key, value in _lines(path, text, open_few, 0):
        if key == "label":
            current = found.labels.setdefault(value, _Label(value, place, number))
        elif key == "menu" and value.lower().startswith("default") and current is not None:
            found.words["menu default"] = current.name
        elif current is not None and key in ("kernel", "linux"):
            current.kernel = value
        elif current is not None and key == "initrd":
            current.initrd = value
        elif current is not None and key == "append":
            current.append, current.path, current.line = value, place, number
        elif key in ("default", "timeout", "prompt", "ui", "ontimeout"):
            found.words[key] = value
    return Menu(path, "ISOLINUX", _timeout(found.words), _entry(found))


def _timeout(words: dict[str, str]) -> int | None:
    """Return seconds; -1 where a menu waits for a person.

    Without a menu, `prompt 0` starts the default at once; a timeout of 0 is none.
    """
    tenths = int(words["timeout"]) if re.fullmatch("[0-9]{1,9}", words.get("timeout", "")) else 0
    if tenths:
        return max(1, tenths // 10)
    program = words.get("ui", words.get("default", "")).partition(" ")[0].rpartition("/")[2]
    waits = program in _MENU_PROGRAMS or words.get("prompt", "0") not in ("0", "")
    return -1 if waits else 0


def _entry(found: _Read) -> BootEntry | None:
    names = (found.words.get(key, "").partition(" ")[0] for key in ("ontimeout", "menu default", "default"))
    label = next((found.labels[name] for name in names if name in found.labels), None)
    label = label or next(iter(found.labels.values()), None)
    if label is None:
        return None
    words = label.append.split()
    images = [word.partition("=")[2] for word in words if word.startswith("initrd=")]
    images = [image for joined in (*images, label.initrd) for image in joined.split(",") if image]
    kept = tuple(word for word in words if not word.startswith("initrd="))
    return BootEntry(label.path, label.line, label.name, label.kernel, kept, tuple(images), label.append)


def _lines(
    path: str, text: str, open_file: Callable[[str], str | None], depth: int
) -> Iterator[tuple[str, int, str, str]]:
    """Yield file, line, keyword and value, with those of included files."""
    for number, line in enumerate(text.splitlines(), start=1):
        key, _, value = line.strip().partition(" ")
        key, value = key.lower(), value.strip()
        if key == "menu" and value.lower().startswith("include "):
            key, value = "include", value.split()[1]
        if key == "include" and depth < _DEEPEST:
            place = value.lstrip("/") if value.startswith("/") else f"{path.rpartition('/')[0]}/{value}"
            yield from _lines(place, open_file(place) or "", open_file, depth + 1)
        elif key and not key.startswith("#"):
            yield path, number, key, value
