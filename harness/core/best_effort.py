"""Best effort: run a step and keep its error as text."""

from __future__ import annotations

from collections.abc import Callable

from harness.core.errors import HarnessError
from harness.core.secret import redact


def error_text(error: BaseException) -> str:
    """Return an exception in one line: where and what failed.

    It is never empty and holds no secret. A `ValueError` of this project is a sentence; any other exception of Python
    is named by its type.
    """
    if isinstance(error, HarnessError):
        parts = [error.where, error.what]
    elif isinstance(error, OSError):
        parts = [str(error.filename or ""), error.strerror or str(error)]
    elif isinstance(error, ValueError):
        parts = [str(error)]
    else:
        parts = [type(error).__name__, str(error)]
    text = ": ".join(part for part in parts if part)
    return redact(" ".join(text.split())) or type(error).__name__


def run_and_collect_error(what: str, step: Callable[[], object]) -> tuple[str, ...]:
    """Run the step; return why it failed, or nothing. Never raises.

    A `HarnessError` is returned with its output, evidence and remedy, on lines of their own.
    """
    try:
        step()
    except HarnessError as error:
        return (f"{what}: {error}",)
    except Exception as error:  # noqa: BLE001  (the next steps have to run all the same)
        return (f"{what}: {error_text(error)}",)
    return ()
