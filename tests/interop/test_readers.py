"""Others' readers of VMX and VMDK, on our files.

The lab and `vdiskmanager-qemu` write them.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from interop_bench import as_it_is, bench_fixture, package, program  # noqa: F401  (pytest finds the fixture here)
from vmrun_contract.live import LiveBench
from vmrun_contract.machines import lab_keys

from harness.vmware.vmx import Vmx

pytestmark = pytest.mark.filterwarnings("ignore")  # what others' modules say when they are loaded

MIB = 1 << 20
SIZE_MIB = 16


def filled_disk(bench: LiveBench, kind: str) -> Path:
    """Return a disk of that type with a marker in its middle."""
    disk = Path(bench.path("disk.vmdk"))
    assert bench.disk_tool("-c", "-s", f"{SIZE_MIB}MB", "-a", "lsilogic", "-t", kind, str(disk)).code == 0
    subprocess.run(
        ["qemu-io", "-f", "vmdk", "-c", f"write -P 0x5a {SIZE_MIB // 2}M 1M", str(disk)],
        check=True,
        capture_output=True,
    )
    return disk


def expected() -> bytes:
    half = SIZE_MIB // 2 * MIB
    return bytes(half) + b"\x5a" * MIB + bytes(half - MIB)


@pytest.mark.parametrize("kind", ["0", "1", "2", "3"])
def test_dissect_reads_a_disk(bench: LiveBench, kind: str) -> None:
    module = package("dissect.hypervisor", "dissect.hypervisor.disk.vmdk")
    disk = filled_disk(bench, kind)
    with as_it_is():
        assert module.VMDK(disk).read() == expected()


@pytest.mark.parametrize("kind", ["0", "1", "2", "3"])
def test_libvmdk_reads_a_disk(bench: LiveBench, kind: str) -> None:
    module = package("libvmdk-python", "pyvmdk")
    disk = filled_disk(bench, kind)
    handle = module.handle()
    handle.open(str(disk))
    handle.open_extent_data_files()
    assert handle.get_media_size() == SIZE_MIB * MIB
    assert handle.read_buffer(SIZE_MIB * MIB) == expected()
    handle.close()


@pytest.mark.parametrize("kind", ["0", "1", "2", "3"])
def test_qemu_img_finds_nothing_wrong_with_a_disk(bench: LiveBench, kind: str) -> None:
    disk = filled_disk(bench, kind)
    qemu_img = program("qemu-img", "qemu-utils")
    done = subprocess.run([qemu_img, "info", "--output=json", str(disk)], check=True, capture_output=True)
    info = json.loads(done.stdout)
    assert (info["format"], info["virtual-size"]) == ("vmdk", SIZE_MIB * MIB)
    if kind in ("0", "1"):
        subprocess.run([qemu_img, "check", str(disk)], check=True, capture_output=True)


def test_dissect_reads_the_labs_own_machine_file(tmp_path: Path) -> None:
    module = package("dissect.hypervisor", "dissect.hypervisor.descriptor.vmx")
    vmx = tmp_path / "one.vmx"
    file = Vmx.parse("")
    file.update(lab_keys(vmx, tmp_path / "seed.iso").items())
    file.write(vmx)
    read = module.VMX.parse(vmx.read_text(encoding="utf-8"))
    assert read.attr == {key.lower(): value for key, value in file.items()}
    assert read.disks() == ["one.vmdk"]


def test_navig_reads_the_labs_own_machine_file(tmp_path: Path) -> None:
    module = package("navig-vm", "navig_vm.engine.vmx")
    file = Vmx.parse("")
    file.update({**lab_keys(tmp_path / "one.vmx", tmp_path / "seed.iso"), "annotation": 'a "b" | c\nd'}.items())
    assert module.parse(file.text()) == dict(file.items())
