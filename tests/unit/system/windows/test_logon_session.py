from __future__ import annotations

import sys

import pytest

from harness.system.windows.logon_session import Session, is_administrator, session_number


@pytest.mark.parametrize(
    ("session", "service", "text"),
    [
        (Session(0, "S-1-5-21-1-2-3-1001"), True, "session 0 of S-1-5-21-1-2-3-1001"),
        (Session(1, "S-1-5-18"), True, "session 1 of LocalSystem"),
        (Session(1, "S-1-5-21-1-2-3-1001"), False, "session 1 of S-1-5-21-1-2-3-1001"),
    ],
)
def test_session_zero_and_the_accounts_of_services_are_services(session: Session, service: bool, text: str) -> None:
    assert session.is_service is service
    assert str(session) == text


@pytest.mark.skipif(sys.platform == "win32", reason="tests/windows asks Windows itself")
def test_another_system_has_neither_sessions_nor_administrators() -> None:
    for question in (session_number, is_administrator):
        with pytest.raises(OSError, match="only Windows"):
            question()
