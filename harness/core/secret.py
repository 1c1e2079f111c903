"""Secrets that cannot be printed by accident, and redaction of text."""

from __future__ import annotations

import functools
import html
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

# PEM private keys of any kind (RFC 7468 armour), and the guest and VM passwords on a vmrun command line.
_PEM = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")
_VMRUN_PASSWORD = re.compile(r"(?<![\w-])(-gp|-vp)(\s+|', ')(\"[^\"]*\"|'[^']*'|\S+)")
_CLIENT_KEY = re.compile(r"(client-key-data[\"']?:\s*[\"']?)[A-Za-z0-9+/=]+")  # of a kubeconfig

_PERCENT = re.compile(r"%[0-9A-F]{2}")

MASK = "***"
SHORTEST = 4  # characters: a shorter secret occurs in other text
_known: set[str] = set()  # all forms of all secrets of this process


class Secret:
    """A string whose `str` and `repr` are a mask; `reveal()` returns its value.

    `redact` masks the value for as long as the process lives, unless it is so short that it occurs in other text.
    """

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= SHORTEST:
            _known.update(_forms(value))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value


def _forms(value: str) -> set[str]:
    """Return the secret as text, JSON, Python, shell, HTML, XML and URLs.

    JSON is often in JSON or HTML once more.
    """
    found = {value, repr(value)[1:-1], value.replace("'", "'\"'\"'")}
    for _ in range(2):
        found |= {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in found for ascii_only in (True, False)}
    found |= {html.escape(form, quote=quotes) for form in found for quotes in (True, False)}
    found |= {
        form.replace("&quot;", double).replace("&#x27;", single)
        for form in found
        for double in ("&quot;", "&#34;")
        for single in ("&#39;", "&apos;")
    }
    in_urls = {quote(value, safe=safe, errors="replace") for safe in ("", "/")}
    in_urls |= {quote_plus(value, errors="replace")}
    return found | in_urls | {_PERCENT.sub(lambda match: match[0].lower(), form) for form in in_urls}


def known_forms() -> int:
    """Return the number of forms that `redact` masks; it grows with each secret."""
    return len(_known)


@functools.lru_cache(maxsize=1)
def _longest_first(_count: int) -> tuple[str, ...]:
    """Return all forms in the order in which they are masked.

    Forms are only added: their number stands for the set.
    """
    return tuple(sorted(_known, key=len, reverse=True))


def redact(text: str) -> str:
    """Mask private keys, those of kubeconfigs, `vmrun` passwords, and known secrets."""
    for value in _longest_first(known_forms()):
        text = text.replace(value, MASK)
    # Each line of each console comes through here: a search for a plain text is cheaper than one for a pattern.
    if "-----BEGIN " in text:
        text = _PEM.sub(lambda match: f"-----BEGIN {match[1]}----- {MASK}", text)
    if "-gp" in text or "-vp" in text:
        text = _VMRUN_PASSWORD.sub(lambda match: f"{match[1]}{match[2]}{MASK}", text)
    if "client-key-data" in text:
        text = _CLIENT_KEY.sub(rf"\g<1>{MASK}", text)
    return text


class LineRedactor:
    """Applies `redact` to text that comes line by line; keeps track of private keys."""

    def __init__(self) -> None:
        self._inside = False

    def __call__(self, line: str) -> str:
        """Return the line, or the mask inside a private key."""
        if self._inside:
            self._inside = _PEM_END.search(line) is None
            return MASK
        self._inside = _PEM_BEGIN.search(line) is not None and _PEM_END.search(line) is None
        return redact(line)


def redact_argv(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return `argv` with the word after `-gp` or `-vp` masked."""
    return tuple(MASK if index and argv[index - 1] in ("-gp", "-vp") else word for index, word in enumerate(argv))


def redact_tree(value: Any) -> Any:
    """Redact all texts and keys of a JSON value, and command-line passwords."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact_tree(key): redact_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if all(isinstance(item, str) for item in value):
            return [redact(word) for word in redact_argv(tuple(value))]
        return [redact_tree(item) for item in value]
    return value
