"""Phase 4: the machine runs, its guest answers, and lets the lab's key in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("boot"), pytest.mark.usefixtures("machine_name")]


def test_machine_is_running(prove: Callable[[str], None]) -> None:
    prove("running")


def test_guest_answers(prove: Callable[[str], None]) -> None:
    prove("guest answers")


def test_first_ssh_login(prove: Callable[[str], None]) -> None:
    prove("ssh login")


def test_machine_is_the_one_of_this_run(prove: Callable[[str], None]) -> None:
    prove("this run's machine")
