"""A fake running VM: record, supervisor, guest agent and QEMU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from fake_agent import Answer, in_step, supervised
from fake_qmp import FakeQmp, fake_qmp, nothing

from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.base.records import Record


class FakeVm(NamedTuple):
    """A fake running VM; `operations` are the supervisor's."""

    vmx: str
    record: Record
    operations: list[Mapping[str, Any]]
    qemu: FakeQmp

    def enter(self, phase: str) -> None:
        """Write another phase into the record."""
        records.save({**self.record, "phase": phase})


def no_result(_operation: Mapping[str, Any]) -> Any:
    return {} if _operation["operation"] == "environment" else None


def refuses_all(operation: Mapping[str, Any]) -> Any:
    raise Failure(f"cannot {operation['operation']}")


@contextmanager
def fake_vm(
    folder: Path,
    answer: Answer = in_step,
    *,
    port_is_open: bool = True,
    operation: Callable[[Mapping[str, Any]], Any] = no_result,
    qemu: Callable[[str, dict[str, Any]], Any] = nothing,
) -> Iterator[FakeVm]:
    vmx = folder / "a.vmx"
    vmx.write_text('displayName = "a"\n', encoding="utf-8")
    operations: list[Mapping[str, Any]] = []

    def noted(request: Mapping[str, Any]) -> Any:
        operations.append({key: value for key, value in request.items() if key not in ("request", "limit_s")})
        return operation(request)

    with (
        fake_qmp(qemu) as qmp,
        supervised(answer, str(vmx), port_is_open=port_is_open, operation=noted) as record,
    ):
        record["qmp"] = qmp.address
        records.save(record)
        yield FakeVm(str(vmx), record, operations, qmp)
