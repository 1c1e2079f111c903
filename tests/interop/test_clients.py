"""Clients of `vmrun` from the Python package index, unchanged, against `vmrun-qemu`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from interop_bench import bench_fixture, package  # noqa: F401  (pytest finds the fixture here)
from vmrun_contract.live import LiveBench

pytestmark = pytest.mark.filterwarnings("ignore")  # what others' modules say when they are loaded


def vmrun_path() -> str:
    found = shutil.which("vmrun")
    assert found
    return found


def test_pyvmrun(bench: LiveBench) -> None:
    """It joins a shell line, and leaves user and password empty."""
    module = package("pyvmrun", "pyvmrun.pyvmrun")
    module.PyVmrun.setVmrunPath(vmrun_path())
    vm = bench.machine("one")
    client = module.PyVmrun(vm)
    assert client.start() == [
        "Error: Cannot launch the UI because no display server is present in the current environment\n"
    ]
    bench("start", vm, "nogui").silent()
    assert (client.pause(), client.unpause()) == ([], [])
    assert client.suspend("hard") == []
    assert bench.listed() == []
    bench("start", vm, "nogui").silent()
    assert client.stop("hard") == []
    assert client.snapshot("first") == []
    assert client.listSnapshots() == ["Total snapshots: 1\n", "first\n"]
    assert client.revertToSnapshot("first") == []
    assert client.deleteSnapshot("first") == []


def test_vmrunpacked(bench: LiveBench) -> None:
    """It looks for `vmrun` along PATH and joins a shell line."""
    module = package("vmrunPacked", "vmrunPacked")
    vm = bench.machine("one")
    client = module.Pack(vm, userName="user", passWord="secret")
    bench("start", vm, "nogui").silent()
    assert [line.decode().strip() for line in client.list_vm()] == ["Total running VMs: 1", vm]
    client.stop(hard=True)
    assert bench.listed() == []


def test_vmware_fusion_py(bench: LiveBench) -> None:
    """Every verb of Fusion's `vmrun`, with status and text."""
    module = package("vmware-fusion-py", "vmware_fusion_py")
    vm = bench.machine("one")
    client = module.VMware(vmrun_path=vmrun_path(), host_type="fusion", vm_path=vm)

    def ok(answer: dict[str, Any], text: str = "") -> None:
        assert answer == {"return_code": 0, "output": text, "error": ""}

    ok(client.start(nogui=True))
    ok(client.list(), f"Total running VMs: 1\n{vm}")
    assert client.check_tools_state() == {"return_code": 254, "output": "unknown", "error": ""}
    assert client.list_host_networks()["output"].startswith("Total host networks: ")
    ok(client.list_port_forwardings("vmnet8"), "Total port forwardings: 0")
    ok(client.reset(hard=True))
    ok(client.pause())
    ok(client.unpause())
    ok(client.suspend(hard=True))
    ok(client.start(nogui=True))
    ok(client.stop(hard=True))
    ok(client.snapshot("first"))
    ok(client.snapshot("second"))
    ok(client.list_snapshots(show_tree=True), "Total snapshots: 2\nfirst\n\tsecond")
    copy = bench.vm("copy")
    ok(client.clone(copy, "linked", "first", "copy"))
    ok(client.revert_to_snapshot("first"))
    ok(client.delete_snapshot("second"))
    ok(client.upgrade_vm())


def test_fusionctl(bench: LiveBench) -> None:
    """A client that takes standard error for failure, and `list` for paths."""
    module = package("fusionctl", "fusionctl")
    vm = bench.machine("one")
    client = module.VMManager(search_paths=[bench.names.vms])
    client.start(vm, gui=False)
    assert [(str(info.path), info.running) for info in client.list_vms()] == [(str(vm), True)]
    client.reset(vm, soft=False)
    client.stop(vm, soft=False)
    assert client.list_running_vmx_paths() == set()
    with pytest.raises(module.VMRunError, match="The virtual machine is not powered on"):
        client.stop(vm, soft=False)
    client.snapshot(vm, "first")
    assert client.list_snapshots(vm) == ["first"]
    client.revert_to_snapshot(vm, "first")
    client.delete_snapshot(vm, "first")


def test_navig_vm(bench: LiveBench, tmp_path: Path) -> None:
    """Start, query and delete machines; make disks from a raw image."""
    engine = package("navig-vm", "navig_vm.engine.vmware")
    disks = package("navig-vm", "navig_vm.engine.disk")
    client = engine.VMware.locate()
    vm = Path(bench.machine("one"))
    raw = tmp_path / "disk.raw"
    raw.write_bytes(b"navig" + bytes((8 << 20) - 5))
    flat = disks.write_flat_descriptor(raw, tmp_path / "flat.vmdk")
    client.convert_to_growable(flat, tmp_path / "growable.vmdk")
    client.expand(tmp_path / "growable.vmdk", 1)
    info = subprocess.run(
        ["qemu-img", "info", "--output=json", str(tmp_path / "growable.vmdk")], capture_output=True, check=True
    )
    assert json.loads(info.stdout)["virtual-size"] == 1 << 30
    client.start(vm, gui=False)
    assert client.is_running(vm)
    assert client.guest_ip(vm) is None
    client.stop(vm, hard=True)
    with pytest.raises(engine.VMwareError, match="vmrun stop: Error: The virtual machine is not powered on"):
        client.stop(vm, hard=True)
    client.snapshot(vm, "first")
    assert client.snapshots(vm) == ["first"]
    client.revert(vm, "first")
    client.delete_vm(vm)
    assert not vm.exists()


def test_vm_automation_cli(bench: LiveBench, tmp_path: Path) -> None:
    """A command line of its own; it looks at vmrun's status only."""
    package("vm-automation-cli", "vm_cli")
    vm = bench.machine("one")
    config = tmp_path / "vmconfig.json"
    machines = {"one": {"vmx": vm, "host": "127.0.0.1", "os": "linux", "users": {}}}
    config.write_text(json.dumps({"vmrun": vmrun_path(), "default_vm": "one", "vms": machines}), encoding="utf-8")

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "vm_cli.cli", "--config", str(config), "vm", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)

    assert call("start").returncode == 0
    assert call("list").stdout.splitlines() == ["Total running VMs: 1", vm]
    bench("stop", vm, "hard").silent()
    assert call("snapshot", "clean").returncode == 0
    assert call("snapshots").stdout.splitlines() == ["Total snapshots: 1", "clean"]
    assert call("revert", "clean").returncode == 0
    failed = call("revert", "nope")
    assert failed.returncode != 0
    assert "The snapshot does not exist" in failed.stderr
