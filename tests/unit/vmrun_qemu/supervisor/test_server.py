"""The supervisor's answers to lines of any kind."""

from __future__ import annotations

from fake_agent import in_step, supervised

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.client.guest import Guest


def test_a_line_that_is_no_question_is_answered_and_does_no_harm() -> None:
    with supervised(in_step) as record:
        with Endpoint(record["service"]).connect(5) as stream, stream.makefile("rb") as lines:
            for line in (b"nonsense\n", b"[]\n", b'{"request": "fly"}\n', b'{"request": ["agent"]}\n'):
                stream.sendall(line)
                assert b"refused" in lines.readline()
            stream.sendall(b'{"request": "agent"}\n')
            assert b"KeyError" in lines.readline()
        with Guest(record) as guest:
            assert guest.state() == "running"
