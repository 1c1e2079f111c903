"""Processes of the lab: they are in the ledger from their start until they are gone."""

from __future__ import annotations

from harness.core.errors import HostError
from harness.ownership.ledger import ProcessEntry
from harness.system.process_tree import end_process


def remove_process(process: ProcessEntry) -> None:
    """Have the process ended, found by its id and starting time, or by its command line where no id was noted.

    Raises:
        HostError: It does not end.
    """
    left = end_process(process.pid, process.started, process.argv)
    if left:
        raise HostError(
            f"the process {', '.join(map(str, left))} does not end",
            where=process.name,
            remedy="end it by hand, then run again",
        )
