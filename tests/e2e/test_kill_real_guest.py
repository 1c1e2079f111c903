"""`kill -9` of pytest while a real guest is installed, provisioned and restarted: it goes on, and nothing is left.

One machine of the lab, on the embedded hypervisor. It takes minutes and the guest image: LAB_E2E=1 asks for it.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from whole_lab import LIMIT_S, asked_for, command, decoy, left, make_lab, output_tail, run

from harness.system.process_tree import end_tree

# Which event of the journal has to be there when it is killed, and how long after it.
MOMENTS = (
    ("phase-start", "creation", 0.0),
    ("guest-event", "installer-start", 1.0),
    ("phase-start", "iso-copy", 0.0),
    ("phase-start", "packages", 0.0),
    ("phase-start", "iso-detached", 2.0),
    ("phase-end", "iso-detached", 0.0),
)

pytestmark = asked_for


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    """A folder with the scenarios and a decoy.

    Nothing of it runs afterwards.
    """
    make_lab(tmp_path)
    yield tmp_path
    command(tmp_path, "down")


def newest_events(folder: Path, after: Sequence[Path]) -> list[dict[str, object]]:
    """Return the events of the run that is not among those."""
    for path in folder.glob("reports/*/events.jsonl"):
        if path.parent.name != "latest" and path not in after:
            lines = path.read_text(encoding="utf-8").splitlines()
            return [json.loads(line) for line in lines if line.endswith("}")]
    return []


def kill_at(folder: Path, kind: str, what: str, delay_s: float, *options: str) -> None:
    """Run until a moment after that event, then kill."""
    before = list(folder.glob("reports/*/events.jsonl"))
    child = run(folder, *options)
    try:
        deadline = time.monotonic() + LIMIT_S
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


def test_a_killed_run_goes_on_with_its_real_guest_and_nothing_is_left(lab: Path) -> None:
    kill_at(lab, *MOMENTS[0])
    assert command(lab, "down").returncode == 0
    assert left(lab) == []
    for moment in MOMENTS[1:]:
        kill_at(lab, *moment, "--resume")
    child = run(lab, "--resume")
    assert child.wait(LIMIT_S) == 0, output_tail(lab)
    result = json.loads((lab / "reports" / "latest" / "run.json").read_text())
    carried = [verdict["phase"] for verdict in result["verdicts"] if verdict["carried_from"]]
    assert "iso-detached" in carried
    again = run(lab, "--reuse")
    assert again.wait(LIMIT_S) == 0, output_tail(lab)
    done = command(lab, "down")
    assert done.returncode == 0, done.stderr
    assert left(lab) == []
    assert decoy(lab).read_text() == "not this lab's"
