from __future__ import annotations

import errno

import pytest
from click.testing import CliRunner
from lab_file import LAB_FILE

from harness.cli.main import main
from harness.cli.options import DEFAULT_LAB, report_errors, say
from harness.core.errors import ConfigError, DeadlineExpired, HostError
from harness.vmware.vmx import VmxError


def of_vmx(reason: str, path: str) -> VmxError:
    error = VmxError(reason, 3)
    error.filename = path
    return error


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigError("no name", where="lab.yaml:1:1", remedy="write one"), 4, "lab.yaml:1:1: no name"),
        (HostError("no memory", remedy="buy some"), 1, "no memory"),
        (DeadlineExpired("it goes off", remedy="wait", last_seen="on", where="m"), 1, "m: it goes off"),
        (PermissionError(errno.EACCES, "Permission denied", "run.json"), 1, "run.json: the file cannot be used"),
        (of_vmx("no key", "m.vmx"), 1, "m.vmx: the file cannot be used: line 3: no key"),
    ],
)
def test_an_error_is_reported_once_and_sets_the_exit_code(
    error: Exception, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @report_errors
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        command()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (code, "")
    assert err.startswith(f"ERROR: {text}")
    assert (err.count("ERROR: "), err.count("remedy:")) == (1, 1)


@pytest.mark.parametrize("error", [ValueError("a defect"), OSError(errno.EBADF, "Bad file descriptor"), KeyError("x")])
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    @report_errors
    def command() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        command()
    assert raised.value is error


def test_the_default_lab_file_is_the_shipped_one() -> None:
    assert LAB_FILE.parts[-2:] == DEFAULT_LAB.parts
    assert f"[default: {DEFAULT_LAB}]" in CliRunner().invoke(main, ["plan", "--help"]).output


def test_what_others_wrote_does_not_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2Jname\x9b1A\u202e"

    @report_errors
    def command() -> None:
        say(hostile)
        raise HostError(hostile, remedy="none")

    with pytest.raises(SystemExit):
        command()
    out, err = capsys.readouterr()
    assert out == "name\ufffd1A\ufffd\n"
    assert err.startswith("ERROR: name\ufffd1A\ufffd\n")
