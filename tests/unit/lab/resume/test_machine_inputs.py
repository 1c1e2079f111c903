from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from lab_file import changed

from harness.config.loader import build
from harness.config.plan import MachinePlan, make_plan
from harness.core.errors import HostError
from harness.lab.resume.machine_inputs import inputs_of, iso_attached, vmx_changes
from harness.seed.model import IsoInfo
from harness.vmware.vmx import Vmx

ISO = IsoInfo(Path("m.iso"), "LAB", True, "k3s-master1", "master", "192.168.6.10/24", True, "abc", None, ())


def digests(*changes: tuple[str, str], iso: IsoInfo | None = ISO) -> dict[str, str]:
    spec = build(changed(*changes), Path("lab.yaml"))
    plan = make_plan(spec, Path("lab.yaml"), overlay=None, run_id="run").machine("k3s-master1")
    return inputs_of(spec, plan, iso)


def different(*changes: tuple[str, str], iso: IsoInfo | None = ISO) -> set[str]:
    before, after = digests(), digests(*changes, iso=iso)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("  cpus: 2", "  cpus: 4"), {"`hardware` of the lab file"}),
        (("timezone: Asia/Seoul", "timezone: Asia/Tokyo"), {"`guest` of the lab file"}),
        (("192.168.6.10", "192.168.6.20"), {"`machines.k3s-master1` of the lab file"}),
        (("  boot: 2700", "  boot: 2701"), set()),
        (("keep: always", "keep: never"), set()),
        (("192.168.6.12", "192.168.6.22"), set()),
    ],
)
def test_a_change_is_named_and_one_that_shapes_no_machine_is_none(change: tuple[str, str], named: set[str]) -> None:
    assert different(change) == named


def test_a_key_without_a_value_is_as_one_that_the_harness_does_not_know_yet() -> None:
    spec = build(changed(), Path("lab.yaml"))
    seeds = {key: value for key, value in spec.seeds.model_dump(mode="json").items() if value is not None}
    assert "sha256" not in seeds
    text = json.dumps(seeds, sort_keys=True).encode()
    assert digests()["`seeds` of the lab file"] == hashlib.sha256(text).hexdigest()[:16]


def test_another_seed_is_a_change() -> None:
    assert different(iso=replace(ISO, input_hash="abd")) == {"the seed seed-master1.iso"}


def test_a_seed_that_says_nothing_is_known_by_size_and_time(tmp_path: Path) -> None:
    spec = build(changed(("../wsl/out\n\nssh", f"{tmp_path}\n\nssh")), Path("lab.yaml"))
    plan = make_plan(spec, Path("lab.yaml"), overlay=None, run_id="run").machine("k3s-master1")
    iso = IsoInfo(plan.seed, "SEED", True, None, None, None, False, None, None, ())
    with pytest.raises(FileNotFoundError):
        inputs_of(spec, plan, iso)
    (tmp_path / "seed-master1.iso").write_bytes(b"iso")
    assert inputs_of(spec, plan, iso)["the seed seed-master1.iso"].startswith("3 bytes of ")
    with pytest.raises(HostError, match="the seed cannot be read"):
        inputs_of(spec, plan, None)


@pytest.fixture
def planned(tmp_path: Path) -> MachinePlan:
    spec = build(changed((r"'F:\VMs\AirgapLab'", str(tmp_path))), Path("lab.yaml"))
    plan = make_plan(spec, Path("lab.yaml"), overlay=None, run_id="run").machine("k3s-master1")
    plan.files.directory.mkdir()
    vmx = Vmx.parse("")
    vmx.update(plan.vmx.items())
    vmx.set("vmotion.checkpointFBSize", "4")
    vmx.write(plan.files.vmx)
    return plan


def test_a_vmx_as_the_phases_leave_it_is_unchanged(planned: MachinePlan) -> None:
    vmx = Vmx.read(planned.files.vmx)
    vmx.set("sata0:1.startConnected", "FALSE")
    vmx.set("serial0.fileName", "serial-2.log")
    vmx.write(planned.files.vmx)
    assert vmx_changes(planned.vmx, planned.files.vmx) == ()
    assert not iso_attached(planned.files.vmx)


@pytest.mark.parametrize("value", ["TRUE", None])
def test_an_iso_is_in_the_drive_where_the_vmx_does_not_say_otherwise(planned: MachinePlan, value: str | None) -> None:
    vmx = Vmx.read(planned.files.vmx)
    vmx.remove("sata0:1.startConnected")
    if value:
        vmx.set("sata0:1.startConnected", value)
    vmx.write(planned.files.vmx)
    assert iso_attached(planned.files.vmx)


def test_a_device_that_was_added_while_the_machine_was_off_is_named(planned: MachinePlan) -> None:
    vmx = Vmx.read(planned.files.vmx)
    vmx.update([("ethernet1.present", "TRUE"), ("ethernet1.connectionType", "nat"), ("sata0:2.present", "TRUE")])
    vmx.write(planned.files.vmx)
    expected = ("ethernet1 is not planned (connectionType 'nat')", "sata0:2 is not planned")
    assert vmx_changes(planned.vmx, planned.files.vmx) == expected


def test_a_key_that_was_changed_is_named(planned: MachinePlan) -> None:
    vmx = Vmx.read(planned.files.vmx)
    vmx.set("MEMSIZE", "8192")
    vmx.remove("uuid.bios")
    vmx.write(planned.files.vmx)
    changes = vmx_changes(planned.vmx, planned.files.vmx)
    assert changes[0] == "memsize is '8192', not '4096'"
    assert "uuid.bios is 'missing'" in changes[1]
    with pytest.raises(FileNotFoundError):
        vmx_changes(planned.vmx, planned.files.vmx.with_suffix(".gone"))
