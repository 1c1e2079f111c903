"""Batch files as programs: cmd.exe changes some of their words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.core.errors import ProcessError
from harness.core.secret import redact, redact_argv

_SPECIAL_TO_CMD = re.compile(r'["&|<>^%!\r\n]')


def refuse_batch_words(words: Sequence[str]) -> None:
    """Raise if a batch file would get a word that cmd.exe changes.

    cmd.exe parses the command line of a batch file a second time.

    Raises:
        ProcessError: A word has a character that is special to cmd.exe.
    """
    if not words[0].lower().endswith((".bat", ".cmd")):
        return
    for word, shown in zip(words[1:], redact_argv(tuple(words))[1:], strict=True):
        if found := _SPECIAL_TO_CMD.search(word):
            raise ProcessError(
                f"cannot start {words[0]}: cmd.exe would change the {found[0]!r} in {redact(shown)!r}",
                remedy="give the program itself (.exe) in place of a batch file, or names without such characters",
            )
