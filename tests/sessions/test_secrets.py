"""No secret leaves the process.

Canaries are planted where a secret may come from, and every artefact is searched.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import psutil
import pytest

from harness.guest.lab_keys import ensure_keys
from harness.lab.evidence.guest_files import QUESTIONS

from .fake_lab import MACHINES, FakeLab

pytest_plugins = ("pytester",)

WORKER = "k3s-worker1"
PASSWORD = "Canary-Password-4711"
ENVIRONMENT = "Canary-Environment-0815"
KEY_BODY = "Q2FuYXJ5LVByaXZhdGUtS2V5"
KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY_BODY}\n{KEY_BODY}\n-----END OPENSSH PRIVATE KEY-----\n"


def secret_lines(lab: FakeLab) -> set[str]:
    """Return every line of every private key in the seed directory."""
    keys = [path for path in lab.seeds.rglob("*") if path.is_file() and path.stat().st_size < 10_000]
    texts = [path.read_text(errors="replace") for path in keys]
    return {line for text in texts if "PRIVATE KEY" in text for line in text.splitlines() if len(line) > 20} - {
        line for text in texts for line in text.splitlines() if line.startswith("-----")
    }


def plant(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant canaries in console, evidence, assertions and the environment."""
    monkeypatch.setenv("LAB_CANARY_PASSWORD", PASSWORD)
    monkeypatch.setenv("OTHER_TOKEN", ENVIRONMENT)
    lab.edit("\nhardware:\n", "\ntools: {user: lab, password: 'env:LAB_CANARY_PASSWORD'}\n\nhardware:\n")
    lab.vmrun.account = ("lab", PASSWORD)
    guest = lab.guests[WORKER]
    guest.console = f"{KEY}password is {PASSWORD}\n"
    for question in QUESTIONS:
        guest.says[f"# {question.shell}"] = (0, f"{question.name}\n{KEY}login {PASSWORD}\n")
    guest.says["hostname"] = (0, f"{KEY}{PASSWORD}\n")
    guest.says["ip -4 route show default"] = (0, f"{PASSWORD}\n")


def test_no_canary_is_in_any_artefact_or_command_line(fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(fake_lab, monkeypatch)
    seen: set[str] = set()

    def look() -> None:
        family = [psutil.Process(), *psutil.Process().children(recursive=True)]
        for process in family:
            try:
                seen.add(" ".join(process.cmdline()))
            except psutil.Error:
                continue

    fake_lab.vmrun.on_call = look
    result = fake_lab.run("scenarios", "-k", WORKER)
    assert result.ret == 1, "the planted answers are wrong ones"
    canaries = {PASSWORD, ENVIRONMENT, KEY_BODY, *secret_lines(fake_lab)}
    assert len(canaries) > 10
    found = [
        f"{path.name}: {canary}"
        for path in sorted((fake_lab.path / "reports").rglob("*"))
        if path.is_file()
        for canary in canaries
        if canary.encode() in path.read_bytes()
    ]
    assert found == []
    shown = result.stdout.str() + result.stderr.str()
    assert [canary for canary in canaries if canary in shown] == []
    assert any("vmrun" in line for line in seen)
    # VMware's own way to a picture of the screen has the password on its command line, and README says so.
    lines = [line for line in seen if "captureScreen" not in line]
    assert [line for line in lines for canary in canaries if canary in line] == []


@pytest.mark.skipif(sys.platform == "win32", reason="rights are access lists there")
def test_private_keys_are_their_owners_alone(fake_lab: FakeLab) -> None:
    keys = [path for path in fake_lab.seeds.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()[:200]]
    assert len(keys) >= 2 + len(MACHINES), "the lab's, the authority's, and each machine's"
    assert [path for path in keys if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@pytest.mark.skipif(sys.platform == "win32", reason="rights are access lists there")
def test_machines_and_seeds_are_their_owners_alone(fake_lab: FakeLab) -> None:
    fake_lab.run("scenarios/test_20_creation.py", "-q")
    machines = [fake_lab.vmx(name).parent for name in MACHINES]
    files = [path for path in fake_lab.vms.rglob("*") if path.suffix in (".vmx", ".vmdk")]
    assert len(files) >= 2 * len(MACHINES)
    private = [fake_lab.vms, *machines, *files, fake_lab.seeds / "ssh", *fake_lab.seeds.glob("*.iso")]
    assert [path for path in private if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_no_key_is_shipped() -> None:
    repository = Path(__file__).parents[2]
    marks = [b"-----BEGIN " + kind + b"PRIVATE KEY-----\n" for kind in (b"", b"OPENSSH ", b"RSA ", b"EC ")]
    shipped = [
        path
        for folder in ("harness", "scenarios", "tests", "bench", "docs", ".github", ".ci")
        for path in (repository / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and any(mark in path.read_bytes() for mark in marks)
    ]
    assert shipped == []


def test_two_labs_have_two_keys(tmp_path: Path) -> None:
    first, second = (ensure_keys(tmp_path / name, ["m"]) for name in ("a", "b"))
    assert first.login_public != second.login_public
