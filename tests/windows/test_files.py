"""Files on Windows: drives, long paths, locks, access lists."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_hypervisor import FakeHypervisor
from machine.test_removal import made
from needs import under_wine
from report_samples import events_of, verdicts, write_journal

from harness.config import load_lab
from harness.config.model import host_path
from harness.core.deadline import Deadline
from harness.core.errors import HostError, LabBusyError
from harness.guest.lab_keys import ensure_keys, write_private
from harness.machine.removal import remove_machine
from harness.ownership.lab_lock import lab_lock
from harness.ownership.ledger import Ledger
from harness.preflight.ssh_key import windows_readers
from harness.report.writer import write_reports
from harness.system.windows.acl import access_list, account_sid, set_access_list
from harness.system.windows.registry import this_registry
from harness.system.windows.vmware_install import long_paths
from harness.vmrun.driver import Vmrun
from harness.vmrun.paths import same_vmx
from harness.vmware.vmx import Vmx

LAB_FILE = Path(__file__).parents[2] / "scenarios" / "lab.yaml"


def test_paths_of_the_lab_file_keep_their_drive() -> None:
    vm_directory = load_lab(LAB_FILE, None).vm_directory
    assert str(host_path(vm_directory, LAB_FILE.parent)) == r"F:\VMs\AirgapLab"


def test_names_have_no_case(tmp_path: Path) -> None:
    vmx = tmp_path / "K3s-Master1.VMX"
    vmx.write_text("")
    assert (tmp_path / "k3s-master1.vmx").is_file()
    assert same_vmx(str(vmx), str(tmp_path / "k3s-master1.vmx").replace("\\", "/"), "win32")


def test_results_below_a_path_of_more_than_260_characters(tmp_path: Path) -> None:
    if not (under_wine() or long_paths(this_registry())):
        pytest.skip("LongPathsEnabled is not set on this Windows")
    directory = tmp_path.joinpath(*["a folder with a name of forty characters"] * 5, "run-1")
    assert len(str(directory)) > 260
    directory.mkdir(parents=True)
    write_journal(directory / "events.jsonl", events_of(verdicts()))
    write_reports(directory)
    assert (directory / "report.html").is_file()


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """Hold the file open in another process, as an editor does.

    It can neither go nor be replaced.
    """
    hold = f"import sys; file = open({str(path)!r}, 'rb'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.communicate()


def test_an_open_file_is_reported_and_removed_the_next_time(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json", "lab")
    machine = made(tmp_path, ledger)
    vmrun = Vmrun(("vmrun",), run=FakeHypervisor())
    with held_open(tmp_path / "m1" / "serial-1.log"):
        with pytest.raises(HostError, match=r"cannot remove serial-1\.log") as caught:
            remove_machine(vmrun, ledger, machine, Deadline(5))
        assert "close the program that holds the file" in caught.value.remedy
        assert ledger.machine("m1") == machine
    assert remove_machine(vmrun, ledger, machine, Deadline(5)).left == ()
    assert not (tmp_path / "m1").exists()


def test_a_vmx_that_another_program_holds_open_is_not_half_written(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    path.write_text('a = "1"\n', encoding="utf-8")
    vmx = Vmx.read(path)
    vmx.set("a", "2")
    with held_open(path), pytest.raises(PermissionError):
        vmx.write(path)
    assert path.read_text(encoding="utf-8") == 'a = "1"\n'
    assert [item.name for item in tmp_path.iterdir()] == ["a.vmx"]
    vmx.write(path)
    assert path.read_text(encoding="utf-8") == 'a = "2"\n'


def test_a_ledger_and_a_vmx_in_use_are_written_when_they_are_closed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json", "lab")
    machine = made(tmp_path, ledger)
    vmx = tmp_path / "m1" / "m1.vmx"
    writers: dict[Path, Callable[[], None]] = {
        ledger.path: lambda: ledger.keep_until("2026"),
        vmx: lambda: Vmx.read(vmx).write(vmx),
    }
    for path, write in writers.items():
        reader = path.open("rb")
        threading.Timer(0.3, reader.close).start()
        write()
        assert reader.closed
    assert (ledger.read().kept_until, ledger.machine("m1")) == ("2026", machine)


def test_a_lab_that_another_process_works_on(tmp_path: Path) -> None:
    vms = tmp_path / "vms"
    hold = (
        "import sys; from pathlib import Path; from harness.ownership.lab_lock import lab_lock\n"
        f"with lab_lock(Path({str(vms)!r}), 'lab'):\n    print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(LabBusyError, match="another session") as caught, lab_lock(vms, "lab"):
            pass
        assert f"process {process.pid}," in caught.value.detail
        process.communicate()
    with lab_lock(vms, "lab"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_written_private_and_one_that_others_can_read_is_reported(tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    key.write_bytes(b"old")
    set_access_list(key, "D:P(A;;FA;;;SY)(A;;FR;;;WD)")
    assert windows_readers(key) == ("Everyone",)
    if not under_wine():  # it keeps a list as a mode, which has no other account
        set_access_list(key, "D:P(A;;FA;;;SY)(A;;FR;;;S-1-5-21-1-2-3-1002)")
        assert windows_readers(key) == ("S-1-5-21-1-2-3-1002",)
    write_private(key, b"new")
    assert windows_readers(key) == ()
    assert account_sid() in access_list(key)
    assert key.read_bytes() == b"new"


def test_every_key_of_a_seed_directory_is_private(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path, ["k3s-master1"])
    private = [keys.login_private, *tmp_path.rglob("ssh_host_ed25519_key"), tmp_path / "ca" / "ca.key"]
    assert [windows_readers(path) for path in private] == [(), (), ()]
