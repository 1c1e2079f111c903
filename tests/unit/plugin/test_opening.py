from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from run_samples import WORKER, selection_of

from harness.lab.lab import Lab
from harness.plugin.assertions import Proof
from harness.plugin.lab_session import LabSession
from harness.plugin.opening import LabRun, open_run, run_of
from harness.plugin.progress import Progress
from harness.results.claim_rules import Asked
from harness.results.journal import Journal


def test_a_session_whose_tests_used_no_lab_has_no_run(config: Any) -> None:
    assert run_of(config) is None


def test_a_machine_is_one_testinfra_host_for_all_tests(lab: Lab, journal: Journal) -> None:
    channel = object()
    machine = SimpleNamespace(name=WORKER, context=lab.context, ssh=SimpleNamespace(channel=channel))
    known = cast(Lab, SimpleNamespace(machines={WORKER: machine}, context=lab.context))
    run = LabRun(known, Proof(known, journal, lambda: None), Progress(journal, lambda _: None), Asked())
    host = run.host(WORKER)
    assert run.host(WORKER) is host
    assert host.backend._channel is channel
    assert host.backend._timeout_s == lab.context.plan.spec.deadlines_s.guest_command


def test_wrong_input_ends_pytest_as_wrong_usage(config: Any, lab_session: LabSession) -> None:
    line = "name: airgap-lab\n"
    tools = f"{line}tools: {{user: root, password: 'env:NO_SUCH_VARIABLE_OF_THE_LAB'}}\n"
    lab_session.selection = selection_of(lab_session.scenarios, (line, tools))
    with pytest.raises(pytest.exit.Exception, match=r"the lab cannot be opened: .*NO_SUCH_VARIABLE") as caught:
        open_run(lab_session, config)
    assert caught.value.returncode == pytest.ExitCode.USAGE_ERROR
    assert run_of(config) is None


def test_a_lab_that_cannot_be_opened_ends_pytest_as_failed(config: Any, lab_session: LabSession) -> None:
    gone = lab_session.scenarios / "gone.yaml"
    lab_session.selection = replace(lab_session.selection, lab_file=gone)
    with pytest.raises(pytest.exit.Exception, match=r"the lab cannot be opened: .*gone\.yaml") as caught:
        open_run(lab_session, config)
    assert caught.value.returncode == pytest.ExitCode.TESTS_FAILED
    assert run_of(config) is None
