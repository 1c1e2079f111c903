"""A `vmrun` that repeats a transcript.

A command that is not in it fails with the status 99.

`python -m vmrun_contract.replay WORDS…`; the variables `CONTRACT_*` say which section of which transcript, where in
it, and which paths its placeholders stand for.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from vmrun_contract import transcript
from vmrun_contract.transcript import Call, Entry, Names

NOT_WRITTEN_DOWN = 99
TRANSCRIPT, SECTION, POSITION, VMS = (f"CONTRACT_{name}" for name in ("TRANSCRIPT", "SECTION", "POSITION", "VMS"))


def main(words: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Print the answer that comes next; return its status."""
    parsed = transcript.parse(Path(environ[TRANSCRIPT]).read_text(encoding="utf-8"))
    names = Names(environ[VMS], parsed.separator)
    call = answer(parsed.sections[environ[SECTION]], Path(environ[POSITION]), names, words)
    if call is None:
        sys.stderr.write(f"not in the transcript: {' '.join(words)}\n")
        return NOT_WRITTEN_DOWN
    return _print(call, parsed.line_end)


def answer(entries: Sequence[Entry], position: Path, names: Names, words: Sequence[str]) -> Call | None:
    """Return the next entry for these words and advance.

    None where the transcript has none.
    """
    found = coming(entries, position, names, words)
    if found is None:
        return None
    position.write_text(str(found[1]), encoding="ascii")
    return found[0]


def coming(entries: Sequence[Entry], position: Path, names: Names, words: Sequence[str]) -> tuple[Call, int] | None:
    """Return the next entry for these words and the position behind it.

    None where the transcript has none.
    """
    asked = [names.fill(word) for word in transcript.normal(words)]
    found = transcript.match(
        [_filled(entry, names) for entry in entries], int(position.read_text(encoding="ascii")), Call, asked
    )
    return (found[0], found[1]) if found is not None and isinstance(found[0], Call) else None


def _filled(entry: Entry, names: Names) -> Entry:
    if not isinstance(entry, Call):
        return entry
    words = tuple(names.fill(word) for word in entry.words)
    return Call(words, names.fill(entry.out), names.fill(entry.err), entry.code)


def _print(call: Call, line_end: str) -> int:
    for stream, text in ((sys.stdout, call.out), (sys.stderr, call.err)):
        stream.buffer.write(text.replace("\n", line_end).encode("utf-8"))
        stream.buffer.flush()
    while call.code is None:
        time.sleep(60)
    return call.code  # -1 becomes 255, or 4294967295 on Windows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
