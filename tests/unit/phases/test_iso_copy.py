"""Judges of the ISO copy: payload and marker against ISO and run."""

from __future__ import annotations

import pytest

from harness.core.verdict import Status
from harness.phases import (
    iso_copy,
)


class TestPayload:
    def test_every_file_with_the_digest_of_the_iso(self) -> None:
        assert iso_copy.judge_payload({"k3s": "aa"}, {"k3s": "aa", "extra": "bb"}).status is Status.PASS

    @pytest.mark.parametrize(("seen", "text"), [({}, "missing: k3s"), ({"k3s": "ab"}, "damaged: k3s")])
    def test_a_missing_or_damaged_file_is_named(self, seen: dict[str, str], text: str) -> None:
        check = iso_copy.judge_payload({"k3s": "aa"}, seen)
        assert check.status is Status.FAIL
        assert text in check.seen

    def test_an_iso_without_payload_proves_nothing(self) -> None:
        assert iso_copy.judge_payload({}, {"k3s": "aa"}).status is Status.NOT_PROVEN

    def test_sha256sum_lines_with_blanks_in_names(self) -> None:
        assert iso_copy.parse_sha256sum("aa  ./a b\nbb  ./dir/c\n") == {"a b": "aa", "dir/c": "bb"}


class TestMarker:
    NONCE = "0123456789abcdef" * 2

    @pytest.mark.parametrize("ours", [True, False])
    def test_a_marker_of_this_run(self, ours: bool) -> None:
        text = f'{{"files": 7, "nonce": "{self.NONCE}"}}'
        assert iso_copy.judge_marker(text, self.NONCE, ours=ours).status is Status.PASS

    @pytest.mark.parametrize("text", ["", "files=7\n", "[]", '{"files": 7}'])
    def test_a_marker_of_no_run_is_enough_for_a_foreign_installer_alone(self, text: str) -> None:
        assert iso_copy.judge_marker(text, self.NONCE, ours=True).status is Status.FAIL
        check = iso_copy.judge_marker(text, self.NONCE, ours=False)
        assert check.status is Status.PASS
        assert "names no run" in check.seen

    @pytest.mark.parametrize("ours", [True, False])
    def test_a_marker_of_another_run(self, ours: bool) -> None:
        check = iso_copy.judge_marker('{"nonce": "ffff"}', self.NONCE, ours=ours)
        assert check.status is Status.FAIL
        assert "another run" in check.remedy
