"""Let the machines of a run wait for each other.

They do so before guests ask their neighbours.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Barrier:
    """Thread-safe barrier: machines that are expected, have arrived, or have withdrawn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: set[str] = set()
        self._arrived: set[str] = set()
        self._withdrawn: dict[str, str] = {}

    def expect(self, names: Iterable[str]) -> None:
        """Wait for these machines."""
        with self._lock:
            self._expected = set(names)

    def arrive(self, name: str) -> None:
        """Report that the machine is up and stays up."""
        with self._lock:
            self._arrived.add(name)

    def withdraw(self, name: str, why: str) -> None:
        """Report that the machine will not arrive; no effect after its arrival."""
        with self._lock:
            if name not in self._arrived:
                self._withdrawn.setdefault(name, why)

    @property
    def complete(self) -> bool:
        """Whether every expected machine has arrived or withdrawn."""
        with self._lock:
            return self._expected <= self._arrived | set(self._withdrawn)

    def missing(self, names: Iterable[str]) -> dict[str, str]:
        """Return those of these machines that have not arrived, each with the reason."""
        with self._lock:
            absent = [name for name in names if name not in self._arrived]
            return {name: self._withdrawn.get(name, "not asked for in this run") for name in absent}
