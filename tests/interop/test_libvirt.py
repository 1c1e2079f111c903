"""libvirt's `vmware` driver and VMX reader against `vmrun-qemu`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

from interop_bench import bench_fixture, program  # noqa: F401  (pytest finds the fixture here)
from vmrun_contract.live import LiveBench
from vmrun_contract.machines import lab_keys, write_medium

from harness.vmware.vmx import Vmx

URI = "vmwarews:///session"


def virsh(*words: str) -> str:
    """Return what virsh prints; it succeeds."""
    done = subprocess.run(
        [program("virsh", "libvirt-clients"), "-q", *words], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def states() -> dict[str, str]:
    """Return the state of each machine that libvirt knows."""
    lines = virsh("-c", URI, "list", "--all").splitlines()
    return {line.split()[1]: " ".join(line.split()[2:]) for line in lines if line.strip()}


def lab_file(folder: Path) -> Path:
    """Return a VMX as the lab writes it."""
    vmx = folder / "one" / "one.vmx"
    vmx.parent.mkdir(parents=True)
    write_medium(folder / "seed.iso")
    file = Vmx.parse("")
    file.update(lab_keys(vmx, folder / "seed.iso").items())
    file.write(vmx)
    return vmx


# A setting that VMware knows and libvirt 9 refuses: of the networks it takes `nat` alone, as all others want ESX's
# `networkName`.
REFUSED = "No yet handled value 'hostonly'"


def readable(vmx: str | Path) -> None:
    """Write the VMX without that setting."""
    file = Vmx.read(vmx)
    file.set("ethernet0.connectionType", "nat")
    file.write(vmx)


def test_libvirt_drives_a_machine(bench: LiveBench) -> None:
    vm = bench.machine("one")
    readable(vm)
    bench("start", vm, "nogui").silent()
    assert states() == {"one": "running"}
    described = ET.fromstring(virsh("-c", URI, "dumpxml", "one"))
    assert described.findtext("memory") == str(64 * 1024)
    # Its pause and unpause; a connection forgets states. Its reboot, shutdown and destroy want Tools: all are `soft`.
    virsh("-c", URI, "suspend one; resume one")
    virsh("-c", URI, "suspend", "one")
    bench("reset", vm, "hard").fails(f"The virtual machine is paused: {vm}")
    bench("unpause", vm).silent()
    bench("reset", vm, "hard").silent()
    bench("stop", vm, "hard").silent()
    assert states() == {}


def test_libvirt_reads_the_labs_own_machine_file(bench: LiveBench, tmp_path: Path) -> None:
    vmx = lab_file(tmp_path / "lab")
    readable(vmx)
    file = Vmx.read(vmx)
    described = ET.fromstring(virsh("-c", URI, "domxml-from-native", "vmware-vmx", str(vmx)))
    assert described.findtext("name") == "one"
    assert described.findtext("memory") == str(int(file.get("memsize") or 0) * 1024)
    assert described.findtext("vcpu") == file.get("numvcpus")
    buses = {disk.get("device"): target.get("bus") for disk in described.iter("disk") for target in disk.iter("target")}
    assert buses == {"disk": "sata", "cdrom": "sata"}
    (card,) = described.iter("interface")
    assert [model.get("type") for model in card.iter("model")] == [file.get("ethernet0.virtualDev")]
    (serial,) = described.iter("serial")
    assert [Path(source.get("path") or "").name for source in serial.iter("source")] == ["serial-1.log"]


def test_what_libvirt_refuses_of_the_labs_own_machine_file(bench: LiveBench, tmp_path: Path) -> None:
    """As long as it does: a libvirt that reads the setting makes the test pass too."""
    vmx = lab_file(tmp_path / "lab")
    assert Vmx.read(vmx).get("ethernet0.connectionType") == "hostonly"
    argv = [program("virsh", "libvirt-clients"), "-c", URI, "domxml-from-native", "vmware-vmx", str(vmx)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 or REFUSED in done.stderr
