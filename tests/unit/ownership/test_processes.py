from __future__ import annotations

import subprocess
import sys

import pytest
from needs import own_command_line

from harness.core.errors import HostError
from harness.ownership.ledger import ProcessEntry
from harness.ownership.processes import remove_process
from harness.system.process_identity import alive, identity


@pytest.mark.parametrize("recorded", [True, pytest.param(False, marks=own_command_line)])
def test_a_process_is_ended_by_its_id_or_else_by_its_command_line(recorded: bool) -> None:
    argv = (sys.executable, "-c", f"import time; time.sleep(60)  # {recorded}")
    process = subprocess.Popen(argv)
    who = identity(process.pid)
    entry = ProcessEntry("registry", argv, who["pid"], who["created"]) if recorded else ProcessEntry("registry", argv)
    remove_process(entry)
    process.wait(10)
    assert not alive(who)
    remove_process(entry)


def test_a_process_that_does_not_end_is_named() -> None:
    with pytest.raises(HostError, match="the process 17, 18 does not end") as caught:
        remove_process(ProcessEntry("registry", ("registry",)), lambda *_: (17, 18))
    assert caught.value.where == "registry"
    assert caught.value.remedy
