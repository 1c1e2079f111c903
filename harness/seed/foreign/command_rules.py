"""Judge the late-commands of autoinstall data.

The installer runs them in its own memory; the new system is at /target.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from harness.core.finding import Finding, remark
from harness.seed.foreign.data_rules import SeedData
from harness.seed.foreign.expected import Expected
from harness.seed.iso9660 import IsoReader

# Text for a command up to a line with a word of its own.
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1([^\n]*)\n.*?\n\s*\2\s*(?=\n|$)", re.DOTALL)
_OPTIONAL = re.compile(r"\|\||\[ -|\btest -|\bif\b")
_ENDS = (";", "&", "&&", "|", "||", "(", ")", "\n")
_REDIRECTS = (">", ">>", ">|", "&>")
# Their last argument is what they write.
_TO_LAST = ("cp", "mv", "ln", "install", "rsync")
# All of their arguments are.
_TO_ALL = ("mkdir", "touch", "tee", "chmod", "chown", "truncate")
_HARMLESS = ("/target", "/tmp", "/dev", "/proc", "/sys", "/run", "/var/log", "/var/crash", "/mnt", "/media")  # noqa: S108  (of a guest)
_SHELLS = ("sh", "bash", "dash")
_PREFIXES = ("sudo", "env", "exec", "time", "nice")
_DEEPEST = 4


def command_findings(
    iso: IsoReader, data: SeedData, expected: Expected | None, *, is_installer: bool = True
) -> Iterator[Finding]:
    """Yield late-commands that fail or write elsewhere, and a missing marker.

    Only on the installer's own ISO can the files below /cdrom be looked up.
    """
    if data.document is None:
        return
    keys = (*data.keys, "late-commands")
    commands = data.document.get(*keys)
    commands = commands if isinstance(commands, list) else []
    for number, command in enumerate(commands):
        where = data.document.where(*keys, number)
        text = _text(command)
        if is_installer:
            yield from _missing_files(iso, text, where)
        for words in _simple(text):
            yield from _lost_files(words, where)
    if expected is not None and not _leaves(iso, data, commands, expected.iso_copy):
        text = f"nothing leaves the marker {expected.iso_copy} (markers.iso_copy): the run waits for it in vain"
        remedy = f"end late-commands with `date -u +%FT%TZ > /target{expected.iso_copy}`"
        yield Finding(text, remedy, data.document.where(*keys))


def _text(command: Any) -> str:
    return shlex.join(str(word) for word in command) if isinstance(command, list) else str(command)


def _simple(text: str, depth: int = 0) -> Iterator[list[str]]:
    """Yield the simple commands of a shell's text, those of `sh -c` too."""
    lines = _HEREDOC.sub(r"\3", text).replace("\\\n", " ").replace("\n", " ; ")
    lexer = shlex.shlex(lines, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        tokens = [*lexer, ";"]
    except ValueError:  # a quote without its end
        tokens = [*lines.split(), ";"]
    for token in tokens:
        if token not in _ENDS:
            words.append(token)
            continue
        if words:
            yield words
            shell = words[0].rpartition("/")[2] in _SHELLS and "-c" in words[:-1]
            if shell and depth < _DEEPEST:
                yield from _simple(words[words.index("-c") + 1], depth + 1)
        words = []


def _in_target(words: Sequence[str]) -> bool:
    """Return whether the command runs in the new system."""
    return words[0].rpartition("/")[2] in ("curtin", "chroot", "in-target") and (
        "in-target" in words or "/target" in words or words[0] == "chroot"
    )


def _missing_files(iso: IsoReader, command: str, where: str) -> Iterator[Finding]:
    for path in re.findall(r"/cdrom/[^\s\"';|&)]*", command):
        name = path.removeprefix("/cdrom/").rstrip("/").removesuffix("/.")
        fixed = re.split(r"[*?\[$`{]", name)[0]
        name = name if fixed == name else fixed.rpartition("/")[0]
        if not name or iso.find(name) is not None:
            continue
        remedy = "correct the path, or put the file on the ISO"
        if _OPTIONAL.search(command):
            yield remark(f"{path} is not on the ISO", remedy, where)
        else:
            yield Finding(f"{path} is not on the ISO: the command fails, and with it the installation", remedy, where)


def _lost_files(words: Sequence[str], where: str) -> Iterator[Finding]:
    """Yield the first file that a command writes into the installer itself."""
    targets = _redirected(words) if _in_target(words) else [*_redirected(words), *_written(words)]
    for path in targets:
        if path.startswith("/") and "$" not in path and not f"{path}/".startswith(tuple(f"{p}/" for p in _HARMLESS)):
            text = f"{path} is written into the installer's memory, and lost with it"
            yield Finding(text, f"write /target{path}, or put `curtin in-target --` in front", where)
            return


def _redirected(words: Sequence[str]) -> list[str]:
    return [path for word, path in pairwise(words) if word in _REDIRECTS]


def _written(words: Sequence[str]) -> list[str]:
    """Return the paths that a simple command writes by itself."""
    plain = [word for word in words if word not in ("!", "{", "}", "if", "then", "do", "else")]
    while plain and (plain[0] in _PREFIXES or re.match(r"\w+=", plain[0])):
        plain = plain[1:]
    program = plain[0].rpartition("/")[2] if plain else ""
    end = next((number for number, word in enumerate(plain) if word in _REDIRECTS), len(plain))
    arguments = [word for word in plain[1:end] if not word.startswith("-")]
    targets: list[str] = []
    if program in _TO_LAST and len(arguments) > 1 and "-t" not in plain:
        targets.append(arguments[-1])
    elif program in _TO_ALL:
        targets += arguments
    elif program == "sed" and any(word.startswith("-i") for word in plain):
        targets += arguments[1:]
    return targets


def _leaves(iso: IsoReader, data: SeedData, commands: Sequence[Any], marker: str) -> bool:
    """Return whether a command or a script of the ISO names the marker."""
    document = data.document
    texts = [_text(command) for command in commands]
    texts += [str(document.get(*data.keys, name)) for name in ("user-data", "early-commands")] if document else []
    if any(marker in text for text in texts):
        return True
    paths = {path for text in texts for path in re.findall(r"/(?:cdrom|target)(/[^\s\"';|&)]+)", text)}
    return any(marker in text for path in paths for text in _scripts(iso, path))


def _scripts(iso: IsoReader, path: str) -> Iterator[str]:
    record = iso.find(path.rstrip("/.") or "/")
    if record is None:
        return
    files = iso.walk(record) if record.is_directory else iter([(path, record)])
    for number, (_, item) in enumerate(files):
        if number > 500:
            return
        if item.size < 1 << 16:
            yield iso.read(item).decode("utf-8", errors="replace")
