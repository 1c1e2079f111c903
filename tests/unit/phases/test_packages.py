"""Judges of packages: marker, dpkg and apt become checks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.core.verdict import Check, Status
from harness.phases import (
    packages,
)


class TestPackages:
    NAMES = ("jq", "htop")

    def test_dpkg_decides(self) -> None:
        found = packages.parse_dpkg("jq ii  1.6-2.1\nhtop ii  3.2.2-2\n")
        assert packages.judge_dpkg(self.NAMES, found).status is Status.PASS

    def test_a_name_that_an_installed_package_provides_counts(self) -> None:
        text = "bind9-jq ii  9.20 jq, htop (= 3)\nold-htop rc  1 telnet\n"
        check = packages.judge_dpkg(self.NAMES, packages.parse_dpkg(text))
        assert check.status is Status.PASS
        assert "htop ii 9.20 (by bind9-jq)" in check.seen
        assert packages.judge_dpkg(("telnet",), packages.parse_dpkg(text)).status is Status.FAIL

    @pytest.mark.parametrize("text", ["jq ii  1.6\n", "jq ii  1.6\nhtop un \n", "jq ii  1.6\nhtop iU  3.2\n", ""])
    def test_anything_but_ii_fails(self, text: str) -> None:
        check = packages.judge_dpkg(self.NAMES, packages.parse_dpkg(text))
        assert check.status is Status.FAIL
        assert "htop" in check.seen

    @pytest.mark.parametrize(
        ("text", "status"),
        [
            ('{"expected": 2, "installed": 2, "missing": []}', Status.PASS),
            ('{"expected": 2, "installed": 0, "missing": ["jq", "htop"]}', Status.FAIL),
            ("[1]", Status.NOT_PROVEN),
            ("installed=2\nexpected=2\n", Status.PASS),
            ("installed=0\nexpected=2\n", Status.FAIL),
            ("installed=1\nexpected=1\n", Status.FAIL),
            ("installed=all\nexpected=2\n", Status.NOT_PROVEN),
            ("", Status.NOT_PROVEN),
        ],
    )
    def test_a_marker_has_to_count_everything_and_proves_nothing_without_counts(
        self, text: str, status: Status
    ) -> None:
        assert packages.judge_marker(text, self.NAMES).status is status

    def test_a_lab_file_without_packages_proves_nothing(self) -> None:
        assert packages.judge_marker('{"expected": 0, "installed": 0}', ()).status is Status.NOT_PROVEN
        assert packages.judge_dpkg((), {}).status is Status.NOT_PROVEN
        assert self.source(wanted=[]).status is Status.NOT_PROVEN

    KNOWN = packages.parse_dpkg("jq ii  1:1.6\ninetutils-telnet ii  2:2.4 telnet\nhtop un \n")
    BROUGHT = frozenset({("jq", "1:1.6"), ("inetutils-telnet", "2:2.4")})
    LISTS = ("_usr_local_seed_packages_._Packages", "lock", "partial")

    def source(
        self,
        wanted: Sequence[str] = ("jq", "telnet"),
        brought: frozenset[tuple[str, str]] = BROUGHT,
        lists: tuple[str, ...] = LISTS,
        *,
        ours: bool = True,
    ) -> Check:
        return packages.judge_source([self.KNOWN.get(name) for name in wanted], brought, lists, ours=ours)

    @pytest.mark.parametrize("ours", [True, False])
    def test_packages_of_the_seed_and_no_other_index(self, ours: bool) -> None:
        assert self.source(ours=ours).status is Status.PASS

    @pytest.mark.parametrize(
        ("brought", "lists", "text"),
        [
            (BROUGHT, (*LISTS, "deb.debian.org_debian_dists_bookworm_InRelease"), "apt has read deb.debian.org"),
            (frozenset({("jq", "1:1.7"), ("inetutils-telnet", "2:2.4")}), LISTS, "jq 1:1.6 is not on the seed"),
            (frozenset({("jq", "1:1.6"), ("telnet", "2:2.4")}), LISTS, "inetutils-telnet 2:2.4 is not on the seed"),
        ],
    )
    def test_anything_from_elsewhere_fails_and_of_a_foreign_seed_is_not_proven(
        self, brought: frozenset[tuple[str, str]], lists: tuple[str, ...], text: str
    ) -> None:
        mine, foreign = self.source(brought=brought, lists=lists), self.source(brought=brought, lists=lists, ours=False)
        assert (mine.status, foreign.status) == (Status.FAIL, Status.NOT_PROVEN)
        assert text in mine.seen
        assert text in foreign.seen

    def test_an_unknown_source_is_not_proven(self) -> None:
        checks = [self.source(brought=frozenset()), self.source(lists=("lock", "partial")), self.source(["htop", "x"])]
        assert [check.status for check in checks] == [Status.NOT_PROVEN] * 3
        assert len({check.seen for check in checks}) == 3

    def test_packages_of_a_payload_are_known_by_their_files(self) -> None:
        files = ("packages/jq_1%3a1.6-2+deb12u1_amd64.deb", "packages/Packages", "k3s", "packages/odd.deb")
        assert packages.seed_packages(files) == {("jq", "1:1.6-2+deb12u1")}
