from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from lab_file import LAB_FILE, changed
from needs import posix_paths

from harness.config.loader import build
from harness.core.deadline import Cancelled, Deadline, SessionClock
from harness.core.errors import ConfigError, LabBusyError
from harness.lab.selection import Selection, forward_ports, lock, new_run_id, select
from harness.ownership.lab_lock import is_held
from harness.system.ports import HeldPorts
from harness.vmrun.discovery import HOME_VARIABLE, Hypervisor, Kind

EMBEDDED = Hypervisor(Kind.EMBEDDED, ("vmrun",), ("vdisk",), "QEMU")
VMS = (r"'F:\VMs\AirgapLab'", "vms")
VMWARE = Hypervisor(Kind.VMWARE, ("vmrun",), ("vdisk",), "VMware")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@dataclass
class Finds:
    """A discovery that always finds the same hypervisor, and keeps what it was asked."""

    hypervisor: Hypervisor
    asked: list[dict[str, object]] = field(default_factory=list)

    def __call__(self, **how: object) -> Hypervisor:
        self.asked.append(how)
        return self.hypervisor


def test_the_embedded_hypervisor_brings_its_overlay() -> None:
    selection = select(LAB_FILE, find=Finds(EMBEDDED))
    assert selection.overlay == "embedded"
    assert selection.spec.hardware.memory_mib == 1024
    assert selection.vm_directory == LAB_FILE.parents[1] / ".lab" / "vms"
    assert selection.hypervisor.env[HOME_VARIABLE] == str(LAB_FILE.parents[1] / ".lab" / "vms" / ".hypervisor")


def test_vmware_gets_the_lab_file_as_it_is(tmp_path: Path) -> None:
    finds = Finds(VMWARE)
    path = tmp_path / "lab.yaml"
    path.write_text(changed(VMS), encoding="utf-8")
    selection = select(path, vmrun="given", find=finds)
    assert selection.overlay is None
    assert selection.spec.hardware.memory_mib == 4096
    assert selection.hypervisor.home is None
    assert finds.asked == [{"option": "given", "setting": None, "base": tmp_path, "host_type": "ws"}]


@posix_paths
def test_a_windows_path_is_refused_elsewhere_unless_the_overlay_that_is_laid_on_has_another() -> None:
    with pytest.raises(ConfigError, match=r"vm_directory: F:\\VMs\\AirgapLab is a path of Windows"):
        select(LAB_FILE, find=Finds(VMWARE))
    assert select(LAB_FILE, find=Finds(EMBEDDED)).overlay == "embedded"


def test_an_overlay_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(
        changed(VMS, ("\noverlays:\n", "\noverlays:\n  big: {hardware: {memory_mib: 8192}}\n")), encoding="utf-8"
    )
    assert select(path, overlay="big", find=Finds(EMBEDDED)).spec.hardware.memory_mib == 8192
    with pytest.raises(ConfigError, match="there are: big, embedded"):
        select(path, overlay="small", find=Finds(EMBEDDED))


def test_a_lab_without_an_embedded_overlay_is_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(changed(VMS, ("  embedded:\n", "  other:\n")), encoding="utf-8")
    assert select(path, find=Finds(EMBEDDED)).overlay is None


def test_run_ids_sort_by_time_and_are_file_names() -> None:
    early, late = new_run_id(datetime(2026, 1, 2, 3, 4, 5)), new_run_id(datetime(2026, 1, 2, 13, 4, 5))  # noqa: DTZ001  (a local time)
    assert early.startswith("2026-01-02T03-04-05-")
    assert new_run_id(datetime(2026, 1, 2, 3, 4, 5)) != early  # noqa: DTZ001  (a local time)
    assert early < late
    assert not set('\\/:*?"<>|') & set(new_run_id())


def selection(tmp_path: Path, name: str = "airgap-lab", vms: str = "vms") -> Selection:
    text = changed(("name: airgap-lab", f"name: {name}"), (r"'F:\VMs\AirgapLab'", vms))
    return Selection(tmp_path / "lab.yaml", build(text, Path("lab.yaml")), None, VMWARE)


def test_a_lab_is_locked_where_its_machines_are(tmp_path: Path) -> None:
    with lock(selection(tmp_path)), lock(selection(tmp_path, vms="b")):
        assert is_held(tmp_path / "vms")
        with pytest.raises(LabBusyError), lock(selection(tmp_path)):
            pass


def test_ways_in_are_consecutive_ports_only_where_a_first_one_is_given() -> None:
    spec = build(changed(("reach: direct", "reach: forwarded\n  forward_base_port: 2200")), Path("lab.yaml"))
    with HeldPorts() as held:
        assert forward_ports(spec, held) == (2200, 2201, 2202)
        free = spec.model_copy(update={"ssh": spec.ssh.model_copy(update={"forward_base_port": None})})
        assert len(set(forward_ports(free, held))) == 3
        assert forward_ports(build(changed(), Path("lab.yaml")), held) == ()


def test_a_session_that_ends_wakes_its_sleepers_at_once() -> None:
    clock = SessionClock()
    clock.cancel()
    with pytest.raises(Cancelled):
        clock.sleep(60)
    clock.resume()
    deadline = Deadline(0.05, clock)
    clock.sleep(0.06)
    assert deadline.expired


def test_the_plan_of_a_selection_is_of_its_overlay_and_run(tmp_path: Path) -> None:
    lab = selection(tmp_path)
    plan = replace(lab, overlay="x").plan("run", ())
    assert (plan.overlay, plan.vm_directory) == ("x", lab.vm_directory)
    assert plan.machines[0].nonce == lab.plan("run").machines[0].nonce


def test_two_labs_that_start_in_the_same_second_share_nothing(tmp_path: Path) -> None:
    """Ports, nonces (hence MAC addresses and serial numbers), directories, and the embedded hypervisor's networks."""
    plans = []
    with HeldPorts() as first, HeldPorts() as second:
        for name, held in (("a", first), ("b", second)):
            path = tmp_path / name / "scenarios" / "lab.yaml"
            path.parent.mkdir(parents=True)
            path.write_text(changed(), encoding="utf-8")
            lab = select(path, find=Finds(EMBEDDED))
            plans.append((lab.hypervisor.home, lab.plan("the-same-id", forward_ports(lab.spec, held))))
    (home, one), (other_home, other) = plans
    assert home != other_home
    for what in ("nonce", "endpoint", "files"):
        assert not {getattr(m, what) for m in one.machines} & {getattr(m, what) for m in other.machines}, what
    assert len({machine.nonce[-6:] for machine in (*one.machines, *other.machines)}) == 6
