from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_hypervisor import FakeHypervisor
from needs import links

from harness.lab.unregistered import Unregistered, end_unregistered, look_at
from harness.ownership.lab_processes import LabProcess
from harness.ownership.marker import write_marker
from harness.vmrun.driver import Vmrun


@dataclass(frozen=True)
class FakeProcess(LabProcess):
    ends: bool = True

    def end(self, grace_s: float = 10.0) -> bool:
        del grace_s
        return self.ends


@pytest.fixture
def host() -> FakeHypervisor:
    return FakeHypervisor()


def end(host: FakeHypervisor, rest: Unregistered) -> tuple[list[str], tuple[str, ...]]:
    messages: list[str] = []
    return messages, end_unregistered(rest, Vmrun(("vmrun",), run=host), messages.append, 5)


def running_vm(host: FakeHypervisor, directory: Path) -> Path:
    directory.mkdir()
    vmx = directory / f"{directory.name}.vmx"
    vmx.write_text('displayName = "x"\n')
    host.running.add(str(vmx))
    return vmx


def test_a_running_vm_with_the_marker_is_stopped_and_keeps_its_files(host: FakeHypervisor, tmp_path: Path) -> None:
    vmx = running_vm(host, tmp_path / "m1")
    write_marker(vmx.parent, "run-1/m1", "about")
    before = sorted(vmx.parent.iterdir())
    assert end(host, Unregistered(running=(vmx,))) == ([f"stopped, though not in the ledger: {vmx}"], ())
    assert host.running == set()
    assert sorted(vmx.parent.iterdir()) == before


@pytest.mark.parametrize("token", ["", "run-1/m2"])
def test_a_running_vm_without_its_marker_is_not_touched(host: FakeHypervisor, tmp_path: Path, token: str) -> None:
    vmx = running_vm(host, tmp_path / "m1")
    if token:
        write_marker(vmx.parent, token, "about")
    supervisor = FakeProcess("the supervisor", 1, 0.0, (), vmx, ends=False)
    messages, remaining = end(host, Unregistered((vmx,), (supervisor,)))
    assert messages == []
    assert [text.endswith("(not provably this lab's)") for text in remaining] == [True, True]
    assert host.running == {str(vmx)}


def test_what_runs_in_a_directory_that_is_gone_is_ended(host: FakeHypervisor, tmp_path: Path) -> None:
    vmx = tmp_path / "m1" / "m1.vmx"
    supervisor = FakeProcess("the supervisor", 1, 0.0, (), vmx)
    network = FakeProcess("the network", 2, 0.0, (), ends=False)
    messages, remaining = end(host, Unregistered((vmx,), (network, supervisor)))
    assert messages == [f"ended, though not in the ledger: {supervisor}"]
    assert remaining == (str(network),)


def test_a_vm_without_a_directory_and_a_process_is_reported(host: FakeHypervisor, tmp_path: Path) -> None:
    vmx = tmp_path / "m1" / "m1.vmx"
    assert end(host, Unregistered((vmx,))) == ([], (f"{vmx} (not provably this lab's)",))


def test_a_directory_is_shown_with_what_is_in_it(tmp_path: Path) -> None:
    directory = tmp_path / "m1"
    assert look_at(directory) is None
    directory.mkdir()
    assert look_at(directory) is None
    (directory / "thesis.docx").touch()
    found = look_at(directory)
    assert str(found) == f"left in {directory}, because not this lab's: thesis.docx"
    assert Unregistered(directories=(found,) if found else ()).machines == ()
    for number in range(10):
        (directory / f"m1-s{number:03}.vmdk").touch()
    found = look_at(directory)
    assert str(found).startswith(f"{directory} is not in the ledger, and stays: m1-s000.vmdk, ")
    assert str(found).endswith(", and 3 more")
    assert Unregistered(directories=(found,) if found else ()).machines == ("m1",)


@links
def test_a_link_in_the_place_of_a_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "m1").symlink_to(tmp_path / "elsewhere")
    assert str(look_at(tmp_path / "m1")) == f"left in {tmp_path / 'm1'}, because not this lab's: it is a link"
