"""One VM on a Windows host, and a driver with prepared commands."""

from __future__ import annotations

from pathlib import Path

from fake_run import FakeRun

from harness.vmrun.driver import Vmrun

EXE = r"C:\Program Files (x86)\VMware\VMware Workstation\vmrun.exe"
VMX = r"F:\VMs\AirgapLab\k3s-master1\k3s-master1.vmx"
NONE = b"Total running VMs: 0\r\n"
ONE = f"Total running VMs: 1\r\n{VMX}\r\n".encode()
MINUS_ONE = 4294967295


def windows(run: FakeRun) -> Vmrun:
    return Vmrun((EXE,), run=run, clock=run.clock, platform="win32")


def cmd(*words: str) -> tuple[str, ...]:
    return (EXE, "-T", "ws", *words)


def off(vmx: str = VMX) -> tuple[bytes, int]:
    return f"Error: The virtual machine is not powered on: {vmx}\r\n".encode(), MINUS_ONE


def locked(vmx: Path, text: str) -> None:
    """Create the lock of a VMX with that text of its owner."""
    folder = vmx.with_name(vmx.name + ".lck")
    folder.mkdir()
    (folder / "M27031.lck").write_bytes(text.encode())
