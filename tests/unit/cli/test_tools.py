from __future__ import annotations

import pytest

from .command_line import TARGET, CommandLine


def test_a_lab_without_vms(lab: CommandLine) -> None:
    assert lab("tools").output == f"nothing of the lab airgap-lab in {lab.vms}\n"


def test_tools_are_shown_and_an_operation_is_tried_where_there_is_a_login(
    lab: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    vmx = str(lab.leave_vm() / "k3s-master1.vmx")
    lab.script_vmrun(
        (("checkToolsState", vmx), "running\n"),
        (("getGuestIPAddress", vmx), "192.168.6.10\n"),
        running=(vmx,),
    )
    line = "k3s-master1      Tools running    address 192.168.6.10"
    assert lab("tools").output == f"{line}\n"
    text = lab.file.read_text(encoding="utf-8")
    lab.file.write_text(f"{text}\ntools: {{user: ubuntu, password: 'env:LAB_PW'}}\n", encoding="utf-8")
    result = lab("tools")
    assert (result.exit_code, "set the variable LAB_PW" in result.stderr) == (4, True)
    monkeypatch.setenv("LAB_PW", "geheim")
    login = ("-gu", "ubuntu", "-gp", "geheim")
    lab.vmrun.on(*TARGET, *login, "directoryExistsInGuest", vmx, "/", says="The directory exists.\n")
    assert lab("tools").output == f"{line}  guest operations: answered in 0.0 s\n"
