"""`vmware.log`: rotation, and messages in VMware's form."""

from __future__ import annotations

import os
from pathlib import Path

from harness.vmrun_qemu.vmfiles.vmware_log import VmLog


def test_three_older_logs_are_kept(tmp_path: Path) -> None:
    for number in range(6):
        log = VmLog(tmp_path)
        log.begin()
        log.say(f"run {number}")
    found = {file.name: file.read_text(encoding="utf-8").split()[-1] for file in tmp_path.iterdir()}
    assert found == {"vmware.log": "5", "vmware-0.log": "4", "vmware-1.log": "3", "vmware-2.log": "2"}
    first, _ = (tmp_path / "vmware.log").read_text(encoding="utf-8").splitlines()
    assert f" pid={os.getpid()} " in first


def test_a_reason_stands_behind_msg_post(tmp_path: Path) -> None:
    log = VmLog(tmp_path)
    log.post("Error", "first\nsecond")
    lines = [line.partition(" vmx ")[2] for line in log.path.read_text(encoding="utf-8").splitlines()]
    assert lines[:3] == ["Msg_Post: Error", "[msg.vmrunqemu] first", "[msg.vmrunqemu] second"]


def test_a_log_whose_directory_is_gone_is_lost_and_nothing_else(tmp_path: Path) -> None:
    VmLog(tmp_path / "gone").say("lost")
