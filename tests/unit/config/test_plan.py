from __future__ import annotations

from pathlib import Path

import pytest
from lab_file import LAB_FILE, changed

from harness.config import load_lab
from harness.config.loader import build
from harness.config.plan import LabPlan, make_plan


def plan_of(*changes: tuple[str, str], overlay: str | None = None, ports: tuple[int, ...] = ()) -> LabPlan:
    spec = build(changed(*changes), LAB_FILE, overlay)
    return make_plan(spec, LAB_FILE, overlay=overlay, run_id="run", ports=ports)


def test_relative_paths_start_at_the_lab_file_and_every_path_is_absolute(tmp_path: Path) -> None:
    plan = plan_of(overlay="embedded")
    root = LAB_FILE.parents[1]
    assert plan.vm_directory == root / ".lab" / "vms"
    assert plan.ssh_key == root / ".lab" / "seeds" / "ssh" / "id_ed25519"
    for machine in plan.machines:
        assert machine.seed == root / ".lab" / "seeds" / f"seed-{machine.name.removeprefix('k3s-')}.iso"
        assert machine.files.vmx == plan.vm_directory / machine.name / f"{machine.name}.vmx"
        assert machine.files.vmx.is_absolute()


def test_machines_are_planned_in_the_order_of_the_file_and_found_by_name() -> None:
    plan = plan_of()
    assert [machine.name for machine in plan.machines] == ["k3s-master1", "k3s-worker1", "k3s-worker2"]
    assert plan.machine("k3s-worker1") is plan.machines[1]
    with pytest.raises(KeyError):
        plan.machine("k3s-worker9")


def test_ways_in() -> None:
    direct, forwarded = plan_of(), plan_of(overlay="embedded", ports=(2201, 2202, 2203))
    assert [(m.endpoint.host, m.endpoint.port, m.endpoint.forward) for m in direct.machines] == [
        ("192.168.6.10", 22, False),
        ("192.168.6.11", 22, False),
        ("192.168.6.12", 22, False),
    ]
    assert [(m.endpoint.host, m.endpoint.port) for m in forwarded.machines] == [
        ("127.0.0.1", 2201),
        ("127.0.0.1", 2202),
        ("127.0.0.1", 2203),
    ]
    assert [m.endpoint.port for m in plan_of(overlay="embedded").machines] == [0, 0, 0]


def test_a_nonce_is_of_one_machine_of_one_run_and_can_be_had_again() -> None:
    spec = load_lab(LAB_FILE)
    plans = [make_plan(spec, LAB_FILE, overlay=None, run_id=run) for run in ("one", "one", "two")]
    nonces = [[machine.nonce for machine in plan.machines] for plan in plans]
    assert nonces[0] == nonces[1]
    assert len({nonce for row in (nonces[0], nonces[2]) for nonce in row}) == 6
    assert all(len(nonce) == 32 and int(nonce, 16) >= 0 for nonce in nonces[0])
