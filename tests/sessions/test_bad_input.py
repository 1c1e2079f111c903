"""Wrong input: one clear error, and nothing created or deleted.

The error has its place and remedy; the exit code is pytest's.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from harness.core.errors import HostError
from harness.lab.selection import lock, select
from harness.plugin import opening
from harness.system.windows.acl import set_access_list

from .fake_lab import GIB, FakeLab
from .fake_vmrun import SUFFIX

pytest_plugins = ("pytester",)

Break = Callable[[FakeLab], object]
VMRUN = f"vmrun: ../bin/vmrun{SUFFIX}"


def write(path: str, data: bytes) -> Break:
    return lambda lab: (lab.path / path).write_bytes(data)


def edit(old: str, new: str) -> Break:
    return lambda lab: lab.edit(old, new)


def not_executable(lab: FakeLab) -> None:
    lab.vmrun.program.chmod(0o644)
    if sys.platform == "win32":  # the name decides
        lab.edit(VMRUN, VMRUN.replace(SUFFIX, ".txt"))
        lab.vmrun.program.rename(lab.vmrun.program.with_suffix(".txt"))


def readable_by_all(lab: FakeLab) -> None:
    key = lab.seeds / "ssh/id_ed25519"
    if sys.platform == "win32":
        set_access_list(key, "D:P(A;;FA;;;SY)(A;;FR;;;WD)")
    else:
        key.chmod(0o644)


def refused(lab: FakeLab, *args: str) -> str:
    """Run, and return the one error of wrong usage.

    Nothing was done before it.
    """
    before = lab.tree()
    result = lab.run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert lab.tree() == before
    assert not (lab.path / "reports").exists()
    assert lab.vmrun.verbs() == []
    text = "\n".join(result.errlines)
    assert text.startswith("ERROR: ")
    assert text.count("ERROR") == 1
    assert text.count("remedy:") == 1
    assert "Traceback" not in text
    return text


MASTER_ADDRESS = "address: 192.168.6.10"
WRONG_LAB_FILES = {
    "unknown key": (edit("  cpus: 2", "  cpus: 2\n  colour: red"), "hardware.colour: unknown key; known here: "),
    "misspelt key": (edit("  cpus: 2", "  cpsu: 2"), "hardware.cpsu: unknown key; did you mean cpus?"),
    "missing key": (edit("  cpus: 2\n", ""), "hardware.cpus: missing key"),
    "duplicate key": (edit("  cpus: 2", "  cpus: 2\n  cpus: 4"), "cpus: duplicate key, first on line 3"),
    "unit in a number": (edit("disk_gib: 40", 'disk_gib: "40 GB"'), 'got "40 GB"; write 40'),
    "octal": (edit("port: 5000", "port: 0644"), 'registry.port: expected an integer, got "0644"; write 644'),
    "two with one address": (
        edit(MASTER_ADDRESS, "address: 192.168.6.11"),
        "machines.k3s-worker1.address: 192.168.6.11 is already the address of k3s-master1",
    ),
    "address outside": (
        edit(MASTER_ADDRESS, "address: 192.168.7.10"),
        "machines.k3s-master1.address: 192.168.7.10 is not a host address of 192.168.6.0/24",
    ),
    "not YAML": (write("scenarios/lab.yaml", b"name: [airgap"), "not YAML"),
    "not text": (write("scenarios/lab.yaml", b"name: \xff\xfe"), "cannot read the lab file"),
    "empty": (write("scenarios/lab.yaml", b""), "a lab file is one mapping of keys"),
    "unknown overlay": (edit("  stand-in:", "  other:"), "no overlay named stand-in; there are: other, embedded"),
    "vmrun not found": (edit(VMRUN, "vmrun: ../bin/vmrum"), "vmrun cannot be used: not found"),
    "vmrun not executable": (not_executable, "vmrun cannot be used: not executable"),
    "vmrun is a folder": (edit(VMRUN, "vmrun: ../bin"), "vmrun cannot be used: not found"),
    "vmrun says an error": (
        lambda lab: lab.vmrun.answers.update(list=("Error: Unable to connect to host.\n", 255)),
        "vmrun cannot be used: not answering",
    ),
    "vmrun is another program": (
        lambda lab: lab.vmrun.answers.update(list=("hello\n", 0)),
        "vmrun cannot be used: not answering",
    ),
}


@pytest.mark.parametrize("case", WRONG_LAB_FILES)
def test_a_wrong_lab_file_or_vmrun_is_wrong_usage(fake_lab: FakeLab, case: str) -> None:
    break_it, expected = WRONG_LAB_FILES[case]
    break_it(fake_lab)
    text = refused(fake_lab)
    assert expected in text
    assert "lab.yaml:" in text or "of the lab file: " in text


def test_every_problem_of_a_lab_file_is_reported_at_its_line(fake_lab: FakeLab) -> None:
    fake_lab.edit("  cpus: 2", "  cpsu: 2")
    fake_lab.edit(MASTER_ADDRESS, "address: 192.168.6")
    text = refused(fake_lab)
    lines = fake_lab.lab_file.read_text(encoding="utf-8").splitlines()
    for wrong in ("cpsu: 2", "address: 192.168.6"):
        number = next(n for n, line in enumerate(lines, 1) if line.strip() == wrong)
        assert f"lab.yaml:{number}:" in text
    assert "3 problems" in text  # the misspelt key, the missing one, the address


def test_no_lab_file(fake_lab: FakeLab) -> None:
    fake_lab.lab_file.unlink()
    assert "lab.yaml: no lab file here" in refused(fake_lab)


def test_a_lab_file_given_by_option_does_not_exist(fake_lab: FakeLab) -> None:
    assert "other.yaml: no lab file here" in refused(fake_lab, "--lab=other.yaml")


def test_a_vmrun_given_by_option_does_not_exist(fake_lab: FakeLab) -> None:
    assert "--vmrun: nowhere/vmrun: vmrun cannot be used: not found" in refused(fake_lab, "--vmrun=nowhere/vmrun")


def test_results_that_cannot_be_written(fake_lab: FakeLab) -> None:
    (fake_lab.path / "regular").write_text("in the way")
    before = fake_lab.tree()
    result = fake_lab.run("--reports=regular/results")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "cannot write results" in "\n".join(result.errlines)
    assert fake_lab.tree() == before


def test_xdist_is_refused(fake_lab: FakeLab) -> None:
    assert "pytest-xdist" in refused(fake_lab, "-n2")


def test_a_lab_that_another_session_works_on(fake_lab: FakeLab) -> None:
    with lock(select(fake_lab.lab_file, overlay="stand-in")):
        fake_lab.vmrun.calls.clear()
        assert "the lab airgap-lab is being worked on by another session" in refused(fake_lab)


def test_a_lab_that_another_process_works_on(fake_lab: FakeLab) -> None:
    program = (
        "import sys; from pathlib import Path; from harness.lab.selection import lock, select\n"
        "with lock(select(Path(sys.argv[1]), overlay='stand-in')): print('held', flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", program, str(fake_lab.lab_file)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == "held\n"
        assert "is being worked on by another session" in refused(fake_lab)
        other.stdin.close()
        other.wait(20)
    assert fake_lab.run("scenarios/test_00_environment.py").ret == 0


def test_a_session_without_assertions_starts_nothing(fake_lab: FakeLab) -> None:
    before = fake_lab.tree()
    argv = [sys.executable, "-B", "-O", "-m", "pytest", "-p", "no:cacheprovider", "--overlay=stand-in", "scenarios"]
    done = subprocess.run(argv, cwd=fake_lab.path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
    assert "unset PYTHONOPTIMIZE" in done.stderr
    assert (fake_lab.tree(), fake_lab.vmrun.calls) == (before, [])


def test_a_lab_that_cannot_be_opened_is_reported_once(fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise HostError("no ports are left", remedy="end a program")

    monkeypatch.setattr(opening, "open_lab", refuse)
    before = fake_lab.tree()
    result = fake_lab.run("scenarios/test_00_environment.py")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*Exit: the lab cannot be opened: no ports are left*"])
    assert not {"failed", "errors", "error"} & set(result.parseoutcomes())
    assert fake_lab.tree() == before


# -- what the environment phase finds ------------------------------------------------------------------------------


def red(lab: FakeLab, *checks: str) -> str:
    """Run, and return the output; exactly these environment checks are red.

    Each is red once.
    """
    before = lab.tree()
    result = lab.run(*(f"scenarios/test_{part}.py" for part in ("00_environment", "20_creation", "90_cluster")))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert lab.tree() == before
    for check in checks:
        result.stdout.fnmatch_lines([f"FAILED scenarios/test_00_environment.py::test_environment[[]{check}[]]*"])
    result.stdout.fnmatch_lines([f"*blocked: environment ended with {checks[0]}"])
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == len(checks)
    assert outcomes["skipped"] >= 8
    assert "errors" not in outcomes
    assert lab.vmrun.verbs() == []
    assert (lab.latest / "run.json").is_file()
    text = result.stdout.str()
    assert text.count("remedy:") == len(checks)
    assert "ended with blocked" not in text
    return text


def another_machines_iso(lab: FakeLab) -> None:
    shutil.copy(lab.seeds / "seed-worker2.iso", lab.seeds / "seed-worker1.iso")


def folder_for_iso(lab: FakeLab) -> None:
    (lab.seeds / "seed-worker1.iso").unlink()
    (lab.seeds / "seed-worker1.iso").mkdir()


def truncate(lab: FakeLab) -> None:
    path = lab.seeds / "seed-worker1.iso"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def below_a_file(lab: FakeLab) -> None:
    (lab.path / "regular").write_text("in the way")
    lab.edit("vm_directory: ../vms", "vm_directory: ../regular/vms")


def damaged_ledger(lab: FakeLab) -> None:
    lab.vms.mkdir()
    (lab.vms / "lab-ledger.json").write_text("{")


def less_memory(lab: FakeLab) -> None:
    lab.facts.free_memory = GIB


def less_disk(lab: FakeLab) -> None:
    lab.facts.free_disk = GIB


ISO = "seed ISO of k3s-worker1"
WRONG_HOSTS: dict[str, tuple[Break, tuple[str, ...], str]] = {
    "no seed directory": (
        edit("      directory: ../seeds", "      directory: ../nowhere"),
        ("seed directory",),
        "nowhere does not exist",
    ),
    "no ISO": (lambda lab: (lab.seeds / "seed-worker1.iso").unlink(), (ISO,), "does not exist"),
    "not an ISO": (write("seeds/seed-worker1.iso", b"no ISO" * 20_000), (ISO,), "ISO 9660"),
    "an empty ISO": (write("seeds/seed-worker1.iso", b""), (ISO,), "ISO 9660"),
    "a folder in place of an ISO": (folder_for_iso, (ISO,), "does not exist"),
    "truncated ISO": (truncate, (ISO,), "is truncated"),
    "another machine's ISO": (another_machines_iso, (ISO,), "it installs k3s-worker2"),
    "no key": (
        lambda lab: (lab.seeds / "ssh/id_ed25519").unlink(),
        ("SSH key",),
        "id_ed25519 does not exist",
    ),
    "world-readable key": (readable_by_all, ("SSH key private",), "readable by "),
    "the public key": (
        lambda lab: (lab.seeds / "ssh/id_ed25519").write_bytes((lab.seeds / "ssh/id_ed25519.pub").read_bytes()),
        ("SSH key",),
        "this is the public key",
    ),
    "directory not writable": (below_a_file, ("VM directory writable",), "regular"),
    "disk too full": (less_disk, ("free disk space",), "1024 MiB"),
    "memory too small": (less_memory, ("free memory",), "1024 MiB"),
    "no network": (
        lambda lab: lab.vmrun.answers.update(listHostNetworks=("Total host networks: 0\n", 0)),
        ("network",),
        "no VMnet1 in vmrun listHostNetworks",
    ),
    "damaged ledger": (damaged_ledger, ("no other lab here",), "the ledger cannot be read"),
}


@pytest.mark.parametrize("case", WRONG_HOSTS)
def test_a_wrong_host_is_red_once_and_nothing_is_done(fake_lab: FakeLab, case: str) -> None:
    break_it, checks, seen = WRONG_HOSTS[case]
    break_it(fake_lab)
    assert seen in red(fake_lab, *checks)


def test_a_forwarded_port_at_which_another_program_listens(fake_lab: FakeLab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        fake_lab.edit("      reach: forwarded\n    hypervisor:", f"{BASE_PORT}{port - 1}\n    hypervisor:")
        assert "another program listens there" in red(fake_lab, "way in to k3s-worker1")


BASE_PORT = "      reach: forwarded\n      forward_base_port: "


def test_a_foreign_machine_runs_in_the_directory(fake_lab: FakeLab) -> None:
    foreign = fake_lab.vms / "other" / "other.vmx"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("not ours")
    listing = f"Total running VMs: 1\n{foreign}\n"
    fake_lab.vmrun.answers["list"] = (listing, 0)
    assert str(foreign) in red(fake_lab, "no other lab here")


def test_a_lab_file_with_the_line_ends_of_windows_is_the_same_lab(fake_lab: FakeLab) -> None:
    text = fake_lab.lab_file.read_text(encoding="utf-8").replace("\n", "\r\n")
    fake_lab.lab_file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert fake_lab.run("scenarios/test_00_environment.py").ret == 0
