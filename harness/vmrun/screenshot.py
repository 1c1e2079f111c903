"""Save the screen of a VM as a PNG file.

VMware Workstation 17 and later have `vmcli` beside `vmrun`: its `MKS captureScreenshot` needs neither Tools nor a
login, so it shows firmware, boot loader and installer too. `vmrun captureScreen` is a guest operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.deadline import Deadline
from harness.core.errors import ProcessError
from harness.vmrun.invocation import GuestLogin, VmrunProgram
from harness.vmrun.replaced_file import set_aside

_PNG = b"\x89PNG\r\n\x1a\n"
_VMCLI_S = 20.0


def capture(
    program: VmrunProgram, vmx: Path, png: Path, login: GuestLogin | None = None, deadline: Deadline | None = None
) -> None:
    """Save the screen with `vmcli` where there is one, else with `vmrun`.

    Raises:
        UnexpectedAnswer: vmrun succeeded, and there is no new picture.
        MappedError: vmrun failed.
        OSError: An existing file cannot be moved away.
    """
    with set_aside(png):
        vmcli = vmcli_beside(program.argv)
        if vmcli is not None and _captured_by(program, vmcli, vmx, png, deadline):
            return
        done = program.call("captureScreen", vmx, png, login=login, deadline=deadline)
        if not _is_picture(png):
            raise program.unexpected_output("captureScreen", done, f"there is no picture in {png}")


def vmcli_beside(vmrun: Sequence[str]) -> Path | None:
    """Return the `vmcli` in the directory of VMware's `vmrun`."""
    program = Path(vmrun[0])
    if len(vmrun) != 1 or not program.is_absolute() or program.stem.lower() != "vmrun":
        return None
    vmcli = program.with_name("vmcli" + program.suffix)
    return vmcli if vmcli.is_file() else None


def _captured_by(program: VmrunProgram, vmcli: Path, vmx: Path, png: Path, deadline: Deadline | None) -> bool:
    """Return whether `vmcli` wrote a picture.

    Some versions and some states of a VM have none.
    """
    timeout_s = _VMCLI_S if deadline is None else max(1.0, deadline.at_most(_VMCLI_S).remaining)
    try:
        program.run((str(vmcli), str(vmx), "MKS", "captureScreenshot", str(png)), timeout_s=timeout_s, env=program.env)
    except ProcessError:
        return False
    return _is_picture(png)


def _is_picture(png: Path) -> bool:
    return png.is_file() and png.read_bytes()[: len(_PNG)] == _PNG
