from __future__ import annotations

import errno
import json
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lab_file import LAB_FILE, changed
from needs import links

from harness.cli.main import main, told
from harness.config import lab_schema
from harness.core.errors import ConfigError, DeadlineExpired, HostError
from harness.core.layout import RunFiles
from harness.lab import selection as selecting
from harness.lab.evidence.vmware_tools import ToolsView
from harness.ownership.ledger import Ledger, MachineEntry
from harness.ownership.marker import ForeignReason, write_marker
from harness.report.writer import latest_run, point_latest
from harness.vmrun import PowerState, ToolsState, Vmrun
from harness.vmrun.discovery import Hypervisor, Kind
from harness.vmware.vmx import VmxError

VMWARE = Hypervisor(Kind.VMWARE, ("no-such-vmrun",), ("no-such-disk-tool",), "VMware Workstation 17")


@pytest.fixture
def lab_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setitem(selecting.select.__kwdefaults__, "find", lambda **_: VMWARE)
    path = tmp_path / "scenarios" / "lab.yaml"
    path.parent.mkdir()
    path.write_text(changed((r"'F:\VMs\AirgapLab'", "../vms")), encoding="utf-8")
    return path


def lab(*words: object) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def tree(path: Path) -> list[Path]:
    return sorted(path.rglob("*"))


def test_every_command_explains_itself() -> None:
    for command in main.commands:
        result = lab(command, "--help")
        assert result.exit_code == 0
        assert len(result.output.splitlines()) >= 3
    assert set(main.commands) >= {"setup", "doctor", "plan", "seed", "ssh", "status", "report", "down", "schema"}


def of_vmx(reason: str, path: str) -> VmxError:
    error = VmxError(reason, 3)
    error.filename = path
    return error


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ConfigError("no name", where="lab.yaml:1:1", remedy="write one"), 4, "lab.yaml:1:1: no name"),
        (HostError("no memory", remedy="buy some"), 1, "no memory"),
        (DeadlineExpired("it goes off", remedy="wait", last_seen="on", where="m"), 1, "m: it goes off"),
        (PermissionError(errno.EACCES, "Permission denied", "run.json"), 1, "run.json: the file cannot be used"),
        (of_vmx("no key", "m.vmx"), 1, "m.vmx: the file cannot be used: line 3: no key"),
    ],
)
def test_what_goes_wrong_is_one_error_and_an_exit_code(
    error: Exception, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @told
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        command()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (code, "")
    assert err.startswith(f"ERROR: {says}")
    assert (err.count("ERROR: "), err.count("remedy:")) == (1, 1)


@pytest.mark.parametrize("error", [ValueError("a defect"), OSError(errno.EBADF, "Bad file descriptor"), KeyError("x")])
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    @told
    def command() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        command()
    assert raised.value is error


def test_plan_prints_everything_and_changes_nothing(lab_file: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    result = lab("plan", "--lab", lab_file)
    assert result.exit_code == 0
    assert "hypervisor   vmware: no-such-vmrun" in result.output
    assert "k3s-worker2 (worker), 192.168.6.12, ssh at 192.168.6.12:22" in result.output
    assert tree(tmp_path) == before


def test_schema_is_the_schema() -> None:
    assert lab("schema").output == lab_schema()


@pytest.mark.parametrize("command", ["plan", "doctor", "status", "down", "seed", "setup"])
def test_a_lab_file_that_is_not_there_ends_with_4_and_one_error(command: str, tmp_path: Path) -> None:
    result = lab(command, "--lab", tmp_path / "lab.yaml")
    assert result.exit_code == 4
    assert result.stderr.count("ERROR: ") == 1
    assert "no lab file here" in result.stderr
    assert "remedy:" in result.stderr


def test_a_wrong_lab_file_ends_with_4_and_every_problem(lab_file: Path) -> None:
    lab_file.write_text(changed(("  cpus: 2", "  cpsu: 2")), encoding="utf-8")
    result = lab("plan", "--lab", lab_file)
    assert result.exit_code == 4
    assert "did you mean cpus?" in result.stderr
    assert "hardware.cpus: missing key" in result.stderr
    assert result.stdout == ""


def test_status_of_a_lab_that_is_not_there(lab_file: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    result = lab("status", "--lab", lab_file)
    assert (result.exit_code, result.output) == (0, f"nothing of the lab airgap-lab in {tmp_path / 'vms'}\n")
    assert tree(tmp_path) == before


def claimed(tmp_path: Path) -> Path:
    """Leave a machine with a foreign file beside it, in the ledger."""
    directory = tmp_path / "vms" / "k3s-master1"
    machine = MachineEntry("k3s-master1", str(directory), "run-1", "2026-01-02T03:04:05+00:00", "me@here")
    Ledger(tmp_path / "vms" / "lab-ledger.json", "airgap-lab").write(machine)
    directory.mkdir()
    write_marker(directory, machine.token, "about")
    for name in ("k3s-master1.vmdk", "serial-1.log", "thesis.docx"):
        (directory / name).write_text(name)
    return directory


def test_status_and_down_go_by_the_ledger(lab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = claimed(tmp_path)
    monkeypatch.setattr(Vmrun, "list_running", lambda *_: ())
    monkeypatch.setattr(Vmrun, "is_running", lambda *_: False)
    monkeypatch.setattr(Vmrun, "power_state", lambda *_: PowerState.OFF)
    shown = lab("status", "--lab", lab_file).output
    assert f"k3s-master1      off          0 MiB  ssh 192.168.6.10  {directory}" in shown
    assert "made by me@here at 2026-01-02T03:04:05+00:00, run run-1" in shown
    assert f"not ours: {directory / 'thesis.docx'} ({ForeignReason.NAME})" in shown
    told = json.loads(lab("status", "--json", "--lab", lab_file).output)
    assert [(item["name"], item["state"]) for item in told["machines"]] == [("k3s-master1", "off")]
    result = lab("down", "--lab", lab_file)
    assert (result.exit_code, result.output) == (
        0,
        f"k3s-master1: removed\n  left alone: {directory / 'thesis.docx'} ({ForeignReason.NAME})\n",
    )
    assert [path.name for path in tree(tmp_path / "vms")] == ["k3s-master1", "thesis.docx"]
    assert "nothing of the lab airgap-lab" in lab("down", "--lab", lab_file).output


def test_tools_shows_what_they_say_and_tries_an_operation_where_there_is_a_login(
    lab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lab("tools", "--lab", lab_file).output == f"nothing of the lab airgap-lab in {tmp_path / 'vms'}\n"
    claimed(tmp_path)
    seen = ToolsView(ToolsState.RUNNING, IPv4Address("192.168.6.10"))
    monkeypatch.setattr("harness.lab.evidence.vmware_tools.ask", lambda *_: seen)
    monkeypatch.setattr("harness.lab.evidence.vmware_tools.probe", lambda *_: "answered in 0.4 s")
    line = "k3s-master1      Tools running    address 192.168.6.10"
    assert lab("tools", "--lab", lab_file).output == f"{line}\n"
    text = lab_file.read_text(encoding="utf-8")
    lab_file.write_text(f"{text}\ntools: {{user: ubuntu, password: 'env:LAB_PW'}}\n", encoding="utf-8")
    result = lab("tools", "--lab", lab_file)
    assert (result.exit_code, "set the variable LAB_PW" in result.stderr) == (4, True)
    monkeypatch.setenv("LAB_PW", "geheim")
    assert lab("tools", "--lab", lab_file).output == f"{line}  guest operations: answered in 0.4 s\n"


def test_down_of_what_is_expired_waits_for_its_time(
    lab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = claimed(tmp_path)
    monkeypatch.setattr(Vmrun, "list_running", lambda *_: ())
    monkeypatch.setattr(Vmrun, "is_running", lambda *_: False)
    monkeypatch.setattr(Vmrun, "power_state", lambda *_: PowerState.OFF)
    ledger = Ledger(tmp_path / "vms" / "lab-ledger.json", "airgap-lab")
    assert "the lab is kept without end" in lab("down", "--expired", "--lab", lab_file).output
    ledger.keep_until("2999-01-01T00:00:00+00:00")
    assert "kept until 2999-01-01T00:00:00+00:00" in lab("down", "--expired", "--lab", lab_file).output
    assert (directory / "k3s-master1.vmdk").exists()
    ledger.keep_until("2001-01-01T00:00:00+00:00")
    assert "which is over: lab down --expired" in lab("status", "--lab", lab_file).output
    assert "k3s-master1: removed" in lab("down", "--expired", "--lab", lab_file).output
    assert not (directory / "k3s-master1.vmdk").exists()


def test_status_says_who_works_on_the_lab(lab_file: Path) -> None:
    with selecting.lock(selecting.select(lab_file)):
        assert "in use by " in lab("status", "--lab", lab_file).output


def test_down_of_a_lab_that_is_worked_on_does_nothing(lab_file: Path, tmp_path: Path) -> None:
    claimed(tmp_path)
    before = tree(tmp_path / "vms")
    with selecting.lock(selecting.select(lab_file)):
        result = lab("down", "--lab", lab_file)
    assert result.exit_code == 4
    assert "being worked on by another session" in result.stderr
    assert tree(tmp_path / "vms") == before


def test_down_of_another_labs_directory_does_nothing(lab_file: Path, tmp_path: Path) -> None:
    claimed(tmp_path)
    lab_file.write_text(lab_file.read_text().replace("name: airgap-lab", "name: second-lab"), encoding="utf-8")
    before = tree(tmp_path / "vms")
    result = lab("down", "--lab", lab_file)
    assert result.exit_code == 1
    assert "this directory belongs to the lab 'airgap-lab', not to 'second-lab'" in result.stderr
    assert tree(tmp_path / "vms") == before


def test_a_vmrun_that_cannot_be_started_is_an_error_of_the_host(lab_file: Path, tmp_path: Path) -> None:
    claimed(tmp_path)
    result = lab("status", "--lab", lab_file)
    assert result.exit_code == 1
    assert "ERROR: " in result.stderr
    assert "remedy:" in result.stderr


def test_seeds_that_somebody_else_provides_are_not_built(lab_file: Path) -> None:
    lab_file.write_text(lab_file.read_text().replace("source: built ", "source: provided "), encoding="utf-8")
    text = lab_file.read_text(encoding="utf-8")
    overlay = text.index("\noverlays:")
    lab_file.write_text(text[:overlay] + text[overlay:].replace("source: built", "source: provided"), encoding="utf-8")
    result = lab("seed", "--lab", lab_file)
    assert result.exit_code == 4
    assert "provided by somebody else" in result.stderr


def test_seeds_are_built_as_the_overlay_says_and_the_embedded_one_is_not_needed(
    lab_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[tuple[str, int]] = []
    monkeypatch.setattr(
        "harness.cli.seed.build", lambda spec, *_: built.append((spec.seeds.directory, spec.hardware.memory_mib))
    )
    small = "  small: {seeds: {source: built, directory: ../small}, hardware: {memory_mib: 512}}\n"
    text = lab_file.read_text(encoding="utf-8").replace("\noverlays:\n", f"\noverlays:\n{small}")
    lab_file.write_text(text, encoding="utf-8")
    for words in ((), ("--overlay", "small")):
        assert lab("seed", "--lab", lab_file, *words).exit_code == 0
    lab_file.write_text(text[: text.index("\noverlays:\n") + 1], encoding="utf-8")
    assert lab("seed", "--lab", lab_file).exit_code == 0
    assert built == [("../.lab/seeds", 1024), ("../small", 512), ("../wsl/out", 4096)]
    result = lab("seed", "--lab", lab_file, "--overlay", "small")
    assert (result.exit_code, "no overlay named small" in result.stderr) == (4, True)


def test_the_packages_alone_want_no_overlay(lab_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.cli.host_packages.missing_packages", lambda: ())
    lab_file.write_text(lab_file.read_text(encoding="utf-8").partition("\noverlays:")[0] + "\n", encoding="utf-8")
    assert lab("setup", "--packages-only", "--lab", lab_file).exit_code == 0


def test_the_newest_run_is_asked_for_where_there_is_none(tmp_path: Path) -> None:
    result = lab("ssh", "--reports", tmp_path, "k3s-master1")
    assert result.exit_code == 4
    assert "run `pytest scenarios/`" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("df", "-h"),
        ("ls", "-a", "--help"),
        ("--", "ls", "-l"),
        ("-v",),
        ("sudo", "-n", "--", "sh", "-c", "id; pwd"),
    ],
)
def test_every_word_behind_the_machine_is_for_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    called: list[list[str]] = []

    def run_in_terminal(argv: list[str]) -> int:
        called.append(argv)
        return 7

    monkeypatch.setattr("harness.system.process.run_in_terminal", run_in_terminal)
    monkeypatch.setattr("harness.cli.down.newest_run", lambda _: RunFiles(tmp_path))
    result = lab("ssh", "--reports", tmp_path, "k3s-master1", *words)
    assert (result.exit_code, result.output) == (7, "")
    assert called == [["ssh", "-F", str(RunFiles(tmp_path).ssh_config), "k3s-master1", *words]]
    assert lab("ssh", "--no-such-option", "k3s-master1").exit_code == 2


def journal(run: Path) -> Path:
    run.mkdir()
    start = {"t": 0, "kind": "run-start", "machine": None, "run": {"run_id": run.name}}
    (run / "events.jsonl").write_text(json.dumps(start) + "\n")
    return run


def test_a_report_is_made_again_from_the_journal(tmp_path: Path) -> None:
    run = journal(tmp_path / "run-1")
    assert lab("report", run).output == f"{run / 'report.html'}\n"
    assert json.loads((run / "run.json").read_text())["run_id"] == "run-1"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert lab("report", empty).exit_code == 4


@links
def test_a_report_of_an_older_run_or_of_the_newest_leaves_the_pointer_to_the_newest(tmp_path: Path) -> None:
    older, newest = journal(tmp_path / "run-1"), journal(tmp_path / "run-2")
    point_latest(newest)
    for directory in (older, tmp_path / "latest"):
        assert lab("report", directory).exit_code == 0
        assert (tmp_path / "latest").readlink() == Path("run-2")
        assert latest_run(tmp_path) == newest
    assert (newest / "report.html").is_file()


def test_doctor_shows_candidates_checks_and_remedies_and_ends_with_1(lab_file: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    result = lab("doctor", "--lab", lab_file)
    assert result.exit_code == 1
    assert "version: VMware Workstation 17" in result.output
    assert "FAIL seed directory: " in result.output
    assert result.output.count("remedy:") >= 3
    assert tree(tmp_path) == before


def test_the_shipped_lab_file_is_where_the_command_line_looks() -> None:
    from harness.cli.main import DEFAULT_LAB  # noqa: PLC0415  (beside its one use)

    assert LAB_FILE.parts[-2:] == DEFAULT_LAB.parts
