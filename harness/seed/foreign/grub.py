"""Read GRUB's menus: words, quotes and blocks.

See GNU GRUB manual 2.12, "Writing full configuration files directly". Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.seed.foreign.boot_entry import BootEntry, Menu

_LINUX = ("linux", "linux16", "linuxefi")
_INITRD = ("initrd", "initrd16", "initrdefi")
_VARIABLE = re.compile(r"\$(?:\{[^}\n]*\}|[A-Za-z_]\w*|[@?#*0-9])")
_OPERATORS = ";&|<>"
_KEYWORDS = ("if", "then", "elif", "else", "fi", "do")
_DEEPEST = 32
_CONDITION = 64  # words of an `if` that are looked at


@dataclass(frozen=True)
class _Token:
    """A word, or a separator: `;`, a line end, a brace."""

    text: str
    line: int
    start: int
    separator: bool = False


@dataclass(frozen=True)
class _Command:
    """A command and its block.

    `lost` is the text of its line behind a bare operator.
    """

    words: tuple[str, ...]
    line: int
    raw: str
    lost: str
    block: tuple[_Command, ...] = ()


@dataclass
class _Entries:
    """Menu entries with their position, as `default` counts them, and the variables."""

    found: list[tuple[str, str, BootEntry | None]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


def read_menu(path: str, text: str) -> Menu:
    """Return the menu of a `grub.cfg` as GRUB shows it on a BIOS."""
    entries = _Entries()
    _collect(path, _parse(text), "", entries)
    timeout = entries.variables.get("timeout", "-1")  # without one, GRUB waits
    return Menu(
        path=path,
        loader="GRUB",
        timeout=int(timeout) if re.fullmatch(r"-?[0-9]{1,9}", timeout) else None,
        entry=_default(entries),
    )


def _default(entries: _Entries) -> BootEntry | None:
    wanted = entries.variables.get("default", "0")
    chosen = next((entry for number, title, entry in entries.found if wanted in (number, title)), None)
    return chosen or next((entry for _, _, entry in entries.found if entry), None)


def _collect(path: str, commands: Sequence[_Command], prefix: str, entries: _Entries) -> None:
    number = 0
    for command in commands:
        name = command.words[0]
        if name == "set" and len(command.words) > 1:
            key, _, value = command.words[1].partition("=")
            entries.variables[key] = value
        elif name in ("menuentry", "submenu"):
            title = command.words[1] if len(command.words) > 1 else ""
            place = f"{prefix}{number}"
            number += 1
            entry = _entry(path, title, command.block) if name == "menuentry" else None
            entries.found.append((place, title, entry))
            if name == "submenu":
                _collect(path, command.block, f"{place}>", entries)


def _entry(path: str, title: str, block: Sequence[_Command]) -> BootEntry:
    kernel = next((one for one in block if one.words[0] in _LINUX), None)
    images = [word for one in block if one.words[0] in _INITRD for word in one.words[1:]]
    if kernel is None:
        return BootEntry(path, block[0].line if block else 1, title, "", (), tuple(images))
    words = tuple(_for_kernel(word) for word in kernel.words[2:])
    image = kernel.words[1] if len(kernel.words) > 1 else ""
    return BootEntry(path, kernel.line, title, image, words, tuple(images), kernel.raw, kernel.lost)


def _for_kernel(word: str) -> str:
    """Return a word as GRUB hands it to the kernel.

    It quotes and escapes again (grub_create_loader_cmdline).
    """
    escaped = re.sub(r"([\\\"'])", r"\\\1", word)
    return f'"{escaped}"' if " " in word else escaped


def _parse(text: str) -> tuple[_Command, ...]:
    lines = text.splitlines()
    return _block(list(_tokens(text)), lines, [0], 0)


def _block(tokens: Sequence[_Token], lines: Sequence[str], at: list[int], depth: int) -> tuple[_Command, ...]:
    """Return the commands up to the closing brace; `at` holds the position."""
    commands: list[_Command] = []
    words: list[_Token] = []
    skipped: list[bool] = []  # for each open `if`: whether a BIOS does not come into this branch

    def end(lost: str, block: tuple[_Command, ...] = ()) -> None:
        texts = tuple(token.text for token in words)
        first = 0
        while first < len(texts) and texts[first] in _KEYWORDS:
            _branch(texts[first : first + _CONDITION], skipped)
            first += 1
        texts = texts[first:]
        if texts and not (skipped and skipped[-1]):
            line = words[first].line
            commands.append(_Command(texts, line, lines[line - 1].strip(), lost, block))
        words.clear()

    while at[0] < len(tokens):
        token = tokens[at[0]]
        at[0] += 1
        if not token.separator:
            words.append(token)
        elif token.text == "{" and depth < _DEEPEST:
            end("", _block(tokens, lines, at, depth + 1))
        elif token.text == "}":
            break
        else:
            end(_rest(lines, token) if token.text in _OPERATORS and words else "")
    end("")
    return tuple(commands)


def _branch(words: Sequence[str], skipped: list[bool]) -> None:
    """Note whether the branch that begins or ends here is skipped on a BIOS.

    Only the platform is known; both branches of any other condition count.
    """
    if words[0] == "if":
        skipped.append(_is_of_uefi(words) or bool(skipped and skipped[-1]))
    elif words[0] == "fi" and skipped:
        skipped.pop()
    elif words[0] in ("elif", "else") and skipped:
        skipped[-1] = _is_of_uefi(words) or any(skipped[-2:-1])


def _is_of_uefi(words: Sequence[str]) -> bool:
    return words[0] != "else" and "$grub_platform" in words and "efi" in words and "!=" not in words


def _rest(lines: Sequence[str], token: _Token) -> str:
    return lines[token.line - 1][token.start :].strip()


def _tokens(text: str) -> Iterator[_Token]:
    for number, line in enumerate(_joined(text), start=1):
        yield from _words(line, number)
        yield _Token("\n", number, len(line), separator=True)


def _joined(text: str) -> Iterator[str]:
    """Yield lines, joined where one ends in a backslash.

    A blank line takes the place of each that was joined.
    """
    kept, blank = "", 0
    for line in text.splitlines():
        if line.endswith("\\") and not line.endswith("\\\\"):
            kept, blank = kept + line[:-1], blank + 1
            continue
        yield kept + line
        yield from [""] * blank
        kept, blank = "", 0
    if kept:
        yield kept


def _words(line: str, number: int) -> Iterator[_Token]:
    at = 0
    while at < len(line):
        char = line[at]
        if char in " \t\r":
            at += 1
        elif char == "#":
            return
        elif char in _OPERATORS or (char in "{}" and (at + 1 == len(line) or line[at + 1] in " \t\r;")):
            yield _Token(char, number, at, separator=True)
            at += 1
        else:
            word, end = _word(line, at)
            yield _Token(word, number, at)
            at = end


def _word(line: str, at: int) -> tuple[str, int]:
    """Return the word that begins there, without its quotes, and its end."""
    out: list[str] = []
    while at < len(line) and line[at] not in f" \t\r{_OPERATORS}":
        char = line[at]
        variable = _VARIABLE.match(line, at) if char == "$" else None
        if char == "\\":
            out.append(line[at + 1 : at + 2])
            at += 2
        elif char == "'":
            end = line.find("'", at + 1)
            end = len(line) if end < 0 else end
            out.append(line[at + 1 : end])
            at = end + 1
        elif char == '"':
            part, at = _double_quoted(line, at + 1)
            out.append(part)
        elif variable:
            out.append(variable[0])
            at = variable.end()
        else:
            out.append(char)
            at += 1
    return "".join(out), at


def _double_quoted(line: str, at: int) -> tuple[str, int]:
    r"""Return the text up to the closing quote.

    A backslash keeps `$`, `"` and itself.
    """
    out: list[str] = []
    while at < len(line) and line[at] != '"':
        if line[at] == "\\" and line[at + 1 : at + 2] in ("$", '"', "\\"):
            at += 1
        out.append(line[at : at + 1])
        at += 1
    return "".join(out), at + 1
