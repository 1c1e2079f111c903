"""Ctrl-C in every phase ends the run soon and in order.

It is reported as incomplete, writes its results and releases the lab.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from needs import ctrl_c  # noqa: F401 - pytest finds the fixture here
from sessions.fake_lab import FakeLab

from harness.core.verdict import Phase
from harness.lab.selection import select
from harness.ownership.lab_lock import lab_lock
from harness.results.journal import Journal

from .making import answer, console, guest
from .outcome import WORKER

pytest_plugins = ("pytester",)
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a process sends itself no Ctrl-C there"),
    pytest.mark.usefixtures("ctrl_c"),
]

# A moment of grace for what runs, then evidence of a guest that does not answer.
END_S = 45
K3S = "command -v k3s || test -x /usr/local/bin/k3s"


def earlier_machine(lab: FakeLab) -> None:
    """Leave a machine of an earlier run, whose deletion hangs."""
    lab.run("scenarios/test_20_creation.py", "-k", WORKER)
    lab.vmrun.hanging.add("deleteVM")


def no_answer_of_the_master(lab: FakeLab) -> None:
    lab.guests["k3s-master1"].fault = lambda one, _: one.when_asked(K3S, one.frozen.set)


def started_since(before: set[psutil.Process]) -> list[psutil.Process]:
    """Return this process's descendants that were not there before."""
    return [child for child in psutil.Process().children(recursive=True) if child not in before]


STANDSTILL: dict[Phase, Callable[[FakeLab], object]] = {
    Phase.ENVIRONMENT: lambda lab: lab.vmrun.hanging.add("listHostNetworks"),
    Phase.CLEANUP: earlier_machine,
    Phase.CREATION: lambda lab: lab.vmrun.hanging.add("vmware-vdiskmanager"),
    Phase.BOOT: lambda lab: lab.vmrun.hanging.add("start"),
    Phase.ISO_COPY: guest(lambda one, _: one.when_asked("# cat /var/lib/iso-copy-complete", one.frozen.set)),
    Phase.CLOUD_INIT: console("", {"boot-complete"}),
    Phase.PACKAGES: answer("# cat /var/lib/k8s-ops-packages-installed", "", 1),
    Phase.ISO_DETACHED: lambda lab: lab.vmrun.hanging.add("stop"),
    Phase.GUESTS: guest(lambda one, _: one.when_asked("hostname", one.frozen.set)),
    Phase.CLUSTER: no_answer_of_the_master,
}


@pytest.mark.parametrize(
    ("phase", "sent"),
    [
        *((phase, [signal.SIGINT]) for phase in STANDSTILL),
        (Phase.BOOT, [signal.SIGTERM, signal.SIGTERM]),  # as a service manager
        (Phase.CLOUD_INIT, [signal.SIGINT, signal.SIGTERM]),  # as a build server that cancels a job
    ],
    ids=lambda value: value if isinstance(value, Phase) else "+".join(number.name for number in value),
)
def test_ctrl_c(
    fake_lab: FakeLab,
    monkeypatch: pytest.MonkeyPatch,
    phase: Phase,
    sent: list[signal.Signals],
    record_property: Callable[[str, object], None],
) -> None:
    before = set(psutil.Process().children(recursive=True))  # such as the server that forks the work-alike's commands
    STANDSTILL[phase](fake_lab)
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        for number in sent:
            os.kill(os.getpid(), number)
            time.sleep(0.2)

    write = Journal.write

    def watch(self: Journal, kind: str, machine: str | None = None, **fields: Any) -> None:
        write(self, kind, machine, **fields)
        begins = kind == "phase-start" and fields["phase"] == phase
        ends_before = phase is Phase.GUESTS and kind == "phase-end" and fields["phase"] == Phase.ISO_DETACHED
        if (begins or ends_before) and not pressed:
            threading.Timer(1.5, press).start()

    monkeypatch.setattr(Journal, "write", watch)
    words = ("scenarios/test_90_cluster.py",) if phase is Phase.CLUSTER else ("scenarios", "-k", WORKER)
    result = fake_lab.run(*words, interrupted=True)
    seconds = time.monotonic() - pressed[0]
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert seconds < END_S
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("machine", "serial"))] == []
    children = [" ".join(child.cmdline()) for child in started_since(before)]
    assert [line for line in children if "vmrun" in line or "vdiskmanager" in line] == []
    run = json.loads((fake_lab.latest / "run.json").read_text(encoding="utf-8"))
    assert run["overall"] == "incomplete"
    assert "interrupted" in run["headline"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert (fake_lab.latest / "report.html").is_file()
    fake_lab.vmrun.hanging.clear()
    chosen = select(fake_lab.lab_file, overlay="stand-in")
    with lab_lock(chosen.vm_directory, chosen.spec.name):
        pass
    seen = {"expected": "incomplete, exit 2", "seen": run["headline"], "seconds": f"{seconds:.1f}", "at most": END_S}
    name = "Ctrl-C" if sent == [signal.SIGINT] else " and ".join(number.name for number in sent)
    record_property("fault", json.dumps({"fault": f"{name} in {phase}", **seen}))
