"""`vmrun-qemu` on real QEMU machines with a blank disk: enough BIOS to be on, no guest to wait for.

The fixture `vmrun` gives a test a home of its own and proves that the test left nothing behind. Test modules import
`vmrun_fixture` for pytest to find it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from fork_server import fork_server

COMMAND_S = 60
VMX = """\
.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "19"
guestOS = "other-64"
displayName = "{name}"
memsize = "64"
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.fileName = "{name}.vmdk"
sata0:1.present = "TRUE"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "{name}.iso"
sata0:1.startConnected = "FALSE"
ethernet0.present = "TRUE"
ethernet0.connectionType = "hostonly"
ethernet0.vnet = "VMnet1"
serial0.present = "TRUE"
serial0.fileType = "file"
serial0.fileName = "serial0.log"
floppy0.present = "FALSE"
"""


@dataclass
class Vmrun:
    """`vmrun-qemu` under a home of its own."""

    home: Path
    vms: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str | Path) -> tuple[int, str]:
        """Return exit status and output.

        Standard error must stay empty, as VMware's does.
        """
        status, out, err = fork_server().run([str(word) for word in words], self.environment, COMMAND_S)
        assert err == "", err
        return status, out

    def begin(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """Start a command, and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness.vmrun_qemu", *map(str, words)],
            stdout=subprocess.PIPE, env=self.environment,
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("VMRUN_QEMU_")}
        kept.pop("DISPLAY", None)
        kept.pop("WAYLAND_DISPLAY", None)
        return {**kept, "VMRUN_QEMU_HOME": str(self.home), "VMRUN_QEMU_ACCEL": "tcg", **self.env}

    def ok(self, *words: str | Path) -> str:
        code, reply = self(*words)
        assert code == 0, reply + self.logs()
        return reply

    def logs(self) -> str:
        """Return the ends of the machines' logs, for a failure message."""
        logs = [*self.vms.glob("*/vmware.log"), *self.home.rglob("*.log")]
        return "".join(f"\n--- {log.name}\n{log.read_text(encoding='utf-8', errors='replace')[-1500:]}" for log in logs)

    def machine(self, name: str, extra: str = "") -> Path:
        folder = self.vms / name
        folder.mkdir(parents=True)
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "vmdk", str(folder / f"{name}.vmdk"), "64M"], check=True, timeout=30
        )
        vmx = folder / f"{name}.vmx"
        vmx.write_text(VMX.format(name=name) + extra, encoding="utf-8")
        return vmx

    def record(self, vmx: Path) -> dict[str, Any]:
        for file in self.home.glob("vm/*/record.json"):
            value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            if value["vmx"] == str(vmx):
                return value
        raise AssertionError(f"no record of {vmx}")

    def switch(self, vmnet: str = "vmnet1") -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.home / "net" / vmnet / "switch.json").read_text(encoding="utf-8"))
        return value

    def processes(self) -> list[str]:
        """Return the command lines of this home's and these machines' processes."""
        return [" ".join(process.info["cmdline"] or []) for process in self._own()]

    def end_all(self) -> None:
        """Kill every process of this home and these machines."""
        for process in self._own():
            process.kill()

    def _own(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["cmdline", "cwd", "status"]):
            traces = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
            places = (str(self.home), str(self.vms))
            if process.info["status"] != psutil.STATUS_ZOMBIE and any(
                place in trace for place in places for trace in traces
            ):
                found.append(process)
        return found


def eventually(probe: Any, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if probe():
            return True
        time.sleep(0.05)
    return bool(probe())


@pytest.fixture(name="vmrun")
def vmrun_fixture(tmp_path: Path) -> Iterator[Vmrun]:
    if shutil.which("qemu-system-x86_64") is None or shutil.which("qemu-img") is None:
        pytest.skip("qemu-system-x86_64 and qemu-img are not installed")
    program = Vmrun(tmp_path / "home", tmp_path / "vms")
    yield program
    for path in program.ok("list").splitlines()[1:]:
        program("unpause", path)
        program("stop", path, "hard")
    eventually(lambda: program.processes() == [])
    left = program.processes()
    program.end_all()
    assert left == []
    assert list(program.vms.rglob("*.lck")) == []
    assert list(program.home.glob("vm/*/record.json")) == []
    assert list(program.home.glob("net/*/switch.json")) == []
