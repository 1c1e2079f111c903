"""State files: the head, the memory behind it, and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.vmrun_qemu.vmfiles import vmss
from harness.vmrun_qemu.vmfiles.vmss import State, StateError
from harness.vmware.vmx import Vmx

VMX = Vmx.parse('displayName = "é|0A"\nsata0:1.startConnected = "FALSE"\nsata0:1.fileName = "a.iso"\n')


def test_the_head_is_read_back_and_the_memory_follows(tmp_path: Path) -> None:
    state = State(
        VMX.text(), VMX.encoding, memory=True, address="192.168.6.11", plugged={"sata0:1": True}, variables={"a": "b"}
    )
    file = tmp_path / "m.vmss"
    with file.open("wb") as stream:
        vmss.write_head(stream, state)
        stream.write(b"\nmemory")
    with file.open("rb") as stream:
        assert vmss.read_head(stream, file.name) == state
        assert stream.read() == b"\nmemory"
    assert vmss.read(file).configuration().get("displayName") == "é\n"


def test_devices_are_as_they_were(tmp_path: Path) -> None:
    variables = {"sata0:1.filename": "b.iso", "guestinfo.x": "y"}
    state = State("", "UTF-8", memory=True, plugged={"sata0:1": True}, variables=variables)
    then = state.devices(VMX)
    assert (then.flag("sata0:1.startConnected"), then.get("sata0:1.fileName")) == (True, "b.iso")
    assert "guestinfo.x" not in then
    assert VMX.get("sata0:1.fileName") == "a.iso", "the configuration itself is not changed"
    assert State.of_powered_off(VMX).devices(VMX).text() == VMX.text()


@pytest.mark.parametrize(
    "data",
    [b"", b"\xd2\xbe\xd2\xbe a state of VMware's", b"vmrun-qemu state 1\n", b"vmrun-qemu state 1\n[]\n",
     b'vmrun-qemu state 1\n{"vmx": ""}\n', b"vmrun-qemu state 2\n{}\n"],
)  # fmt: skip
def test_a_file_that_is_no_state_is_an_error(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "m.vmss"
    file.write_bytes(data)
    with pytest.raises(StateError, match=r"m\.vmss"):
        vmss.read(file)
    with pytest.raises(StateError, match=r"Cannot open the state file '.*none\.vmss'"):
        vmss.read(tmp_path / "none.vmss")


def test_a_suspended_machines_file_is_named_after_it_and_its_place(tmp_path: Path) -> None:
    one, two = (vmss.state_file_of(tmp_path / folder / "m.vmx") for folder in ("a", "b"))
    assert one.parent == tmp_path / "a"
    assert one.name[:2] == "m-"
    assert len(one.stem) == len("m-01234567")
    assert one.name != two.name
