"""Paths of a lab file that YAML or Windows would change silently. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from harness.config.model import LabSpec
from harness.config.payload_spec import is_address, sources

# Where in the lab file a rule is broken, and how.
Broken = tuple[tuple[str | int, ...], str]

QUOTES = "write Windows paths in single quotes, as in 'F:\\VMs\\lab'"
_OF_WINDOWS = re.compile(r"[A-Za-z]:|\\\\|[^/]*\\|%[^%\\/]+%")
_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_DEVICE_PREFIX = re.compile(r"^\\\\[?.]\\")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_VARIABLE = re.compile(r"%[^%\\/]+%")
_NO_ROOT = re.compile(r"^[A-Za-z]:(?![\\/])")
_FORBIDDEN = re.compile(r'[<>"|?*]|(?<!^[A-Za-z]):')


def path_problems(spec: LabSpec, platform: str | None) -> Iterator[Broken]:
    """Yield the paths of a lab file that this host cannot have.

    Args:
        spec: The lab.
        platform: As `sys.platform`; None where the paths are not used.
    """
    for place, text in (
        (("vm_directory",), spec.vm_directory),
        (("seeds", "directory"), spec.seeds.directory),
        *(((("seeds", "iso"), spec.seeds.iso),) if spec.seeds.iso else ()),
        (("ssh", "key"), spec.ssh.key),
        *((("machines", name, "seed"), machine.seed) for name, machine in spec.machines.items()),
        *_payload_paths(spec),
    ):
        problem = _changed_silently(text, of_windows=platform == "win32" or bool(_OF_WINDOWS.match(text)))
        problem = problem or (_outside(text) if place[0] == "machines" else "")
        if problem:
            yield place, problem
        elif platform not in (None, "win32") and _ABSOLUTE.match(text):
            yield place, f"{text} is a path of Windows; give one of this host, or an overlay with one (--overlay)"


def _payload_paths(spec: LabSpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for place, text in sources(spec.payload) if spec.payload else ():
        if not is_address(text):
            yield ("payload", *place), text


def _outside(text: str) -> str:
    """Return that a seed ISO lies outside of the seed directory, or nothing."""
    plain = posixpath.normpath(text.replace("\\", "/"))
    if plain in (".", "..") or plain.startswith(("../", "/")) or _ABSOLUTE.match(text):
        return f"{text} is not in the seed directory; write the name of a file in it (seeds.directory)"
    return ""


def _changed_silently(text: str, *, of_windows: bool) -> str:
    """Return why a path would not be the one that was meant, or nothing."""
    shown = repr(text)[1:-1].replace("\\\\", "\\")
    if _CONTROL.search(text):
        return f"{shown} has a control character; {QUOTES}: in double quotes YAML changes \\v, \\a, \\n and \\t"
    if not of_windows:
        return ""
    if match := _VARIABLE.search(text):
        return f"{shown}: {match[0]} is not replaced in a lab file; write the path itself, and {QUOTES}"
    if _NO_ROOT.match(text):
        return f"{shown} is relative to the current directory of that drive: write {text[:2]}\\{text[2:]}; {QUOTES}"
    if match := _FORBIDDEN.search(_DEVICE_PREFIX.sub("", text)):
        return f"{shown} has {match[0]!r}, which no Windows path may have; {QUOTES}"
    return ""
