"""Packages that the guest's sources do not have are found before the build."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.image.package_names import UnknownPackages, check_packages
from harness.system.process import Completed

MISSING = """\
Reading package lists...
E: Unable to locate package htopp
E: Package 'mawk-x' has no installation candidate
E: Unable to locate package htopp
"""


class Apt:
    """Answers `apt-get update` and the simulated installation."""

    def __init__(self, update: int, said: str) -> None:
        self.update, self.said = update, said
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, argv: Sequence[str], **options: Any) -> Completed:
        assert options["timeout_s"] > 0
        self.asked.append(tuple(argv))
        if "update" in argv:
            return Completed((), self.update, "", "", 1.0)
        return Completed((), 100 if self.said else 0, "", self.said, 1.0)


def check(folder: Path, apt: Apt, *proxies: str) -> None:
    sources = folder / "sources.list"
    sources.write_text("deb x y z\n", encoding="utf-8")
    check_packages(("jq", "htopp"), sources, "debian bookworm", proxies, run=apt)


def test_every_unknown_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownPackages) as caught:
        check(tmp_path, Apt(0, MISSING))
    assert caught.value.names == ("htopp", "mawk-x")
    assert "debian bookworm has no package htopp, mawk-x" in str(caught.value)


@pytest.mark.parametrize("apt", [Apt(0, ""), Apt(100, MISSING), Apt(0, "E: Could not get lock")])
def test_known_packages_and_sources_that_do_not_answer_raise_nothing(tmp_path: Path, apt: Apt) -> None:
    check(tmp_path, apt)


def test_apt_works_in_the_build_directory_and_changes_nothing_of_the_host(tmp_path: Path) -> None:
    apt = Apt(0, "")
    check(tmp_path, apt, 'Acquire::http::Proxy "http://p:1"')
    for argv in apt.asked:
        words = " ".join(argv)
        assert f"Dir::State={tmp_path / 'apt'}" in words
        assert f"Dir::Etc::SourceList={tmp_path / 'sources.list'}" in words
        assert "Acquire::http::Proxy=http://p:1" in argv
    assert apt.asked[1][-3:] == ("install", "jq", "htopp")
    assert "-s" in apt.asked[1]
