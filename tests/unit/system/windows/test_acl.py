from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.system.windows.acl import access_list, account_sid, keep_private, set_access_list

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests/windows asks Windows itself")


def test_another_system_has_no_access_lists(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="only Windows"):
        access_list(tmp_path)
    with pytest.raises(OSError, match="only Windows"):
        set_access_list(tmp_path, "D:P(A;;FA;;;SY)")
    with pytest.raises(OSError, match="only Windows"):
        account_sid()


def test_on_another_system_a_private_file_keeps_its_mode(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(0o600)
    before = key.stat()
    keep_private(key)
    assert key.stat().st_mode == before.st_mode
