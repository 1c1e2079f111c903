"""Text from the bytes of a program."""

from __future__ import annotations

import locale


def decode(data: bytes) -> str:
    """Decode a program's output, with `\\n` as its line end. Never raises.

    UTF-8 first; then the ANSI code page that Windows programs use; what neither knows becomes U+FFFD.
    """
    for encoding in ("utf-8-sig", locale.getencoding()):
        try:
            text = data.decode(encoding)
            break
        except (UnicodeDecodeError, LookupError):
            continue
    else:
        text = data.decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
