"""Processes of the lab that outlive a session.

They are in the ledger from their start until they have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.core.errors import HostError
from harness.ownership.ledger import ProcessEntry
from harness.system.process_tree import end_process


def remove_process(
    process: ProcessEntry, end: Callable[[int, float, Sequence[str]], tuple[int, ...]] = end_process
) -> None:
    """End a process of the ledger and its children.

    It is identified by its id and starting time, or by its command line if the ledger has no id.

    Raises:
        HostError: It does not end.
    """
    remaining = end(process.pid, process.started, process.argv)
    if remaining:
        raise HostError(
            f"the process {', '.join(map(str, remaining))} does not end",
            where=process.name,
            remedy="end it by hand, then run again",
        )
