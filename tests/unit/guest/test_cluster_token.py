from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.core.errors import SeedError
from harness.core.secret import redact
from harness.guest.cluster_token import ensure_token, read_token, token_file


def test_a_lab_has_one_token_which_is_masked(tmp_path: Path) -> None:
    assert read_token(tmp_path) is None
    token = ensure_token(tmp_path)
    assert ensure_token(tmp_path).reveal() == token.reveal()
    assert len(token.reveal()) == 64
    assert token.reveal() not in redact(f"token: {token.reveal()}")
    assert ensure_token(tmp_path / "other").reveal() != token.reveal()


@pytest.mark.skipif(os.name == "nt", reason="Windows has access lists, not modes")
def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    ensure_token(tmp_path)
    assert token_file(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"short\n", b"two words of sufficient length", b"\xff" * 40])
def test_a_file_without_a_token_is_an_error(tmp_path: Path, content: bytes) -> None:
    token_file(tmp_path).parent.mkdir()
    token_file(tmp_path).write_bytes(content)
    with pytest.raises(SeedError, match="does not hold a token"):
        ensure_token(tmp_path)
