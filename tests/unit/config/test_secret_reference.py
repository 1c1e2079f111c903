from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.config.secret_reference import check_reference, resolve
from harness.core.errors import HostError, UsageError
from harness.core.secret import redact

BASE = Path("nowhere")
NO_REFERENCES = ["hunter22", "", "env:", "env:1x", "env:a b", "file:", "keyring:lab", "ENV:X", 22222, None]


@pytest.mark.parametrize("text", ["env:LAB_PASSWORD", "file:secrets/pw", r"file:C:\lab\pw", "keyring:lab/me@host/x"])
def test_a_reference_is_kept_as_it_is(text: str) -> None:
    assert check_reference(text) == text


@pytest.mark.parametrize("value", NO_REFERENCES)
def test_what_is_no_reference_may_be_the_secret_and_is_not_repeated(value: object) -> None:
    with pytest.raises(ValueError, match="not the secret") as caught:
        check_reference(value)
    assert "22" not in str(caught.value)


def test_a_variable() -> None:
    assert resolve("env:LAB_PW", BASE, {"LAB_PW": "pa ss"}).reveal() == "pa ss"
    for environ in ({}, {"LAB_PW": ""}):
        with pytest.raises(UsageError, match="no secret at this place") as caught:
            resolve("env:LAB_PW", BASE, environ)
        assert "set the variable LAB_PW" in caught.value.remedy


@pytest.mark.parametrize("data", [b"geheim", b"geheim\n", b"geheim\r\nsecond line\r\n", b"\xef\xbb\xbfgeheim\r\n"])
def test_the_first_line_of_a_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pw").write_bytes(data)
    assert resolve("file:pw", tmp_path).reveal() == "geheim"
    assert resolve(f"file:{tmp_path / 'pw'}", BASE).reveal() == "geheim"


def test_a_file_that_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\nsecond", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfegeheim\xff")
    for name, why in (("absent", "No such file"), ("empty", "no secret at this place"), ("binary", "not UTF-8")):
        with pytest.raises(UsageError, match=why) as caught:
            resolve(f"file:{name}", tmp_path)
        assert "geheim" not in str(caught.value)
        assert caught.value.__cause__ is None, "an error of decoding holds the bytes"


class FakeKeyring:
    def __init__(self, answer: str | None, fails: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answer, self._fails = answer, fails

    def get_password(self, service: str, user: str) -> str | None:
        self.asked.append((service, user))
        if self._fails is not None:
            raise self._fails
        return self._answer


def test_the_password_store_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeKeyring("geheim")
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=store.get_password))
    assert resolve("keyring:lab/ubuntu/x", BASE).reveal() == "geheim"
    assert store.asked == [("lab", "ubuntu/x")]


def test_a_password_store_that_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", FakeKeyring(None))
    with pytest.raises(UsageError, match="no secret at this place") as caught:
        resolve("keyring:lab/ubuntu", BASE)
    assert "keyring set lab ubuntu" in caught.value.remedy
    monkeypatch.setitem(sys.modules, "keyring", FakeKeyring(None, RuntimeError("No recommended backend")))
    with pytest.raises(UsageError, match="No recommended backend"):
        resolve("keyring:lab/ubuntu", BASE)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        resolve("keyring:lab/ubuntu", BASE)
    assert "[keyring]" in caught.value.remedy


def test_a_secret_is_masked_in_every_text_and_error_from_then_on() -> None:
    resolve("env:X", BASE, {"X": "Tr0ub4dor&3"})
    assert redact("vmrun printed: bad password Tr0ub4dor&3!") == "vmrun printed: bad password ***!"
    error = HostError("Tr0ub4dor&3", remedy="Tr0ub4dor&3", where="Tr0ub4dor&3", detail="Tr0ub4dor&3")
    assert "Tr0ub4dor&3" not in f"{error} {error!r} {error.args} {vars(error)}"


def test_a_short_secret_is_refused_because_it_would_tear_other_texts_apart() -> None:
    with pytest.raises(UsageError, match="fewer than 4 characters") as caught:
        resolve("env:X", BASE, {"X": "a1z"})
    assert "a1z" not in str(caught.value)
    assert caught.value.remedy
    assert redact("a1z") == "a1z"
