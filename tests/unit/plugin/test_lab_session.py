from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.plugin.lab_session import LabSession, session_of


def test_the_lab_of_a_session_is_found_in_its_configuration(config: Any, lab_session: LabSession) -> None:
    assert session_of(config) is lab_session


def test_a_session_without_a_lab_has_none() -> None:
    assert session_of(cast(pytest.Config, SimpleNamespace(stash=pytest.Stash()))) is None


def test_a_new_session_has_selected_no_tests(lab_session: LabSession) -> None:
    assert (lab_session.items, lab_session.deselected) == ([], [])
