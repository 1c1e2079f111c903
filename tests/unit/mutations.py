"""Bytes of files that were damaged or made to do harm."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

# What a reader may take for more than it is: ends of texts, numbers without bounds, text of another charset.
PIECES = (
    *(b'"', b"|", b"|0", b"|zz", b"\0", b"\r", b"\n", b"=", b"#", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J"),
    *(b"\xed\xa0\x80", b"-1", b"99999999999999999999", b"9" * 5000, " ²١".encode(), b"nan", b" \t" * 50, b"{", b"["),
)
NUMBERS = tuple(number.to_bytes(4, "little") for number in (0, 1, 16, 20, 24, 0x7FFFFFFF, 0xFFFFFFFF))


@st.composite
def mutated(draw: DrawFn, bases: Sequence[bytes], start: int = 0, end: int | None = None) -> bytes:
    """Flip, insert, delete, repeat, overwrite and cut bytes of a valid file.

    Args:
        draw: Of Hypothesis.
        bases: Valid files.
        start: The first byte that is changed.
        end: The byte before which all changes are; the end of the file by default.
    """
    data = bytearray(draw(st.sampled_from(bases)))
    for _ in range(draw(st.integers(1, 6))):
        last = min(len(data), end or len(data))
        at = draw(st.integers(min(start, last), last))
        length = draw(st.integers(1, 64))
        match draw(st.integers(0, 6)):
            case 0:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                data[at:at] = draw(st.sampled_from(PIECES))
            case 2:
                del data[at : at + length]
            case 3:
                source = draw(st.integers(min(start, last), last))
                data[at : at + length] = data[source : source + length]
            case 4:
                data[at:at] = bytes(data[at : at + 3]) * draw(st.integers(1, 300))
            case 5:
                data[at : at + 4] = draw(st.sampled_from(NUMBERS))
            case _:
                del data[at:]
    return bytes(data)


def damaged(bases: Sequence[bytes], start: int = 0, end: int | None = None) -> SearchStrategy[bytes]:
    """Return any bytes, or those of a valid file with damage."""
    return st.one_of(st.binary(max_size=300), mutated(bases, start, end))
