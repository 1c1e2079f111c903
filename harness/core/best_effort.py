"""Steps that are all owed, whatever becomes of each: those that end a session."""

from __future__ import annotations

from collections.abc import Callable

from harness.core.errors import HarnessError
from harness.core.secret import redact


def run_and_collect_error(what: str, step: Callable[[], object]) -> tuple[str, ...]:
    """Take the step; return why it could not be done, or nothing. Never raises."""
    try:
        step()
    except HarnessError as error:
        return (f"{what}: {error}",)
    except Exception as error:  # noqa: BLE001  (the steps after it are owed all the same)
        return (redact(f"{what}: {type(error).__name__}: {error}"),)
    return ()
