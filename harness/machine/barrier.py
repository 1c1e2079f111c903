"""Where the machines of a session wait for each other: what asks neighbours wants them all to be up."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Barrier:
    """Who is expected, who has come, and who will not come; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: set[str] = set()
        self._come: set[str] = set()
        self._gone: dict[str, str] = {}

    def expect(self, names: Iterable[str]) -> None:
        """Have these machines waited for."""
        with self._lock:
            self._expected = set(names)

    def arrive(self, name: str) -> None:
        """Say that the machine is up and stays up."""
        with self._lock:
            self._come.add(name)

    def withdraw(self, name: str, why: str) -> None:
        """Say that the machine will not come; one that came already has come."""
        with self._lock:
            if name not in self._come:
                self._gone.setdefault(name, why)

    @property
    def complete(self) -> bool:
        """Whether nobody is waited for any more."""
        with self._lock:
            return self._expected <= self._come | set(self._gone)

    def missing(self, names: Iterable[str]) -> dict[str, str]:
        """Return those of these machines that are not there, each with the reason."""
        with self._lock:
            away = [name for name in names if name not in self._come]
            return {name: self._gone.get(name, "not asked for in this run") for name in away}
