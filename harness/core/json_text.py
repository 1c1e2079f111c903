"""JSON that others wrote: guests, tools, files of earlier runs."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is no JSON, or is nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def require_text(value: object) -> str:
    """Return a value that has to be a text.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def require_texts(value: object) -> dict[str, str]:
    """Return a mapping of texts to texts.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no mapping")
    return {require_text(key): require_text(item) for key, item in value.items()}
