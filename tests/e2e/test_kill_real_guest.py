"""`kill -9` of pytest while a real guest is installed, provisioned and restarted: it goes on, and nothing is left.

One machine of the lab, on the embedded hypervisor. It takes minutes and the guest image: LAB_E2E=1 asks for it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from harness.process import end_tree

REPOSITORY = Path(__file__).parents[2]
MACHINE = "k3s-master1"
_LIMIT_S = 900
# Which event of the journal has to be there when it is killed, and how long after it.
MOMENTS = (
    ("phase-start", "creation", 0.0),
    ("guest-event", "installer-start", 1.0),
    ("phase-start", "iso-copy", 0.0),
    ("phase-start", "packages", 0.0),
    ("phase-start", "iso-detached", 2.0),
    ("phase-end", "iso-detached", 0.0),
)

pytestmark = pytest.mark.skipif(not os.environ.get("LAB_E2E"), reason="takes minutes: LAB_E2E=1 asks for it")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    """A folder with the scenarios and a decoy; nothing of it runs afterwards."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copytree(REPOSITORY / "scenarios", tmp_path / "scenarios", ignore=shutil.ignore_patterns("__pycache__"))
    decoy = tmp_path / ".lab" / "vms" / MACHINE / "thesis.docx"
    decoy.parent.mkdir(parents=True)
    decoy.write_text("not this lab's")
    assert command(tmp_path, "setup").returncode == 0
    yield tmp_path
    command(tmp_path, "down")


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", "from harness.cli import main; main()", *words]
    return subprocess.run(argv, cwd=folder, timeout=_LIMIT_S, capture_output=True, text=True, check=False)


def run(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "scenarios", "--vmrun", "embedded"]
    log = (folder / "pytest.log").open("ab")
    with log:
        return subprocess.Popen([*argv, "-k", MACHINE, *options], cwd=folder, stdout=log, stderr=log)


def newest_events(folder: Path, after: Sequence[Path]) -> list[dict[str, object]]:
    """Return the events of the run that is not among those."""
    for path in folder.glob("reports/*/events.jsonl"):
        if path.parent.name != "latest" and path not in after:
            lines = path.read_text(encoding="utf-8").splitlines()
            return [json.loads(line) for line in lines if line.endswith("}")]
    return []


def kill_at(folder: Path, kind: str, what: str, delay_s: float, *options: str) -> None:
    """Run until that event is in the journal, and a little longer; then kill."""
    before = list(folder.glob("reports/*/events.jsonl"))
    child = run(folder, *options)
    try:
        deadline = time.monotonic() + _LIMIT_S
        while not any(
            event["kind"] == kind and what in (event.get("phase"), event.get("event"))
            for event in newest_events(folder, before)
        ):
            assert child.poll() is None, f"it ended before {kind} {what}: {(folder / 'pytest.log').read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"{kind} {what} did not come"
            time.sleep(0.1)
        time.sleep(delay_s)
        child.send_signal(signal.SIGKILL)
        child.wait()
    finally:
        end_tree(child.pid)


def left(folder: Path) -> list[str]:
    """Return what of the lab is still there: files but the decoy and the seeds, processes, ports."""
    files = [path.relative_to(folder).as_posix() for path in (folder / ".lab").rglob("*") if path.is_file()]
    found = [name for name in files if not name.startswith(".lab/seeds/") and not name.endswith("/thesis.docx")]
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if f"{folder}/" in words and process.pid != os.getpid():
            found.append(words[:200])
    return found


def test_a_killed_run_goes_on_with_its_real_guest_and_nothing_is_left(lab: Path) -> None:
    kill_at(lab, *MOMENTS[0])
    assert command(lab, "down").returncode == 0
    assert left(lab) == []
    for moment in MOMENTS[1:]:
        kill_at(lab, *moment, "--resume")
    child = run(lab, "--resume")
    assert child.wait(_LIMIT_S) == 0, (lab / "pytest.log").read_text()[-5000:]
    result = json.loads((lab / "reports" / "latest" / "run.json").read_text())
    carried = [verdict["phase"] for verdict in result["verdicts"] if verdict["carried_from"]]
    assert carried[-1] == "iso-detached" or "iso-detached" in carried
    again = run(lab, "--reuse")
    assert again.wait(_LIMIT_S) == 0, (lab / "pytest.log").read_text()[-5000:]
    done = command(lab, "down")
    assert done.returncode == 0, done.stderr
    assert left(lab) == []
    assert (lab / ".lab" / "vms" / MACHINE / "thesis.docx").read_text() == "not this lab's"
