from __future__ import annotations

from pathlib import Path

import pytest
from fake_run import FakeRun

from harness.core.errors import HostError
from harness.image import apt_sources
from harness.image.apt_sources import Source, parse_targets, source_lines

HERE = "http://packages.example/debian/"
TARGETS = f"""\
{HERE}|bookworm|main|bookworm|Debian
{HERE}|bookworm-updates|main|bookworm-updates|Debian
http://packages.example/security/|bookworm-security|main|bookworm-security|Debian
http://foreign.example/|bookworm|main|bookworm|Somebody Else
http://foreign.example/node|nodistro|main|nodistro|. nodistro
"""


def test_the_hosts_own_sources_of_the_suite_are_taken_and_nothing_else() -> None:
    assert source_lines(parse_targets(TARGETS), "debian", "bookworm") == (
        f"deb {HERE} bookworm main\n"
        f"deb {HERE} bookworm-updates main\n"
        "deb http://packages.example/security/ bookworm-security main\n"
    )


def test_components_of_one_source_share_a_line() -> None:
    noble = "http://u.example/|noble|main|noble|Ubuntu\nhttp://u.example/|noble|universe|noble|Ubuntu\n"
    assert source_lines(parse_targets(noble), "ubuntu", "noble") == "deb http://u.example/ noble main universe\n"


def test_a_source_that_was_never_updated_counts_by_its_release() -> None:
    fresh = f"{HERE}|bookworm|main|$(CODENAME)|$(ORIGIN)\n"
    assert parse_targets(fresh) == (Source(HERE, "bookworm", "main", "", ""),)
    assert source_lines(parse_targets(fresh), "debian", "bookworm") == f"deb {HERE} bookworm main\n"


def test_a_host_that_calls_the_suite_stable_is_understood_by_its_codename() -> None:
    named = f"{HERE}|stable|main|bookworm|Debian\n"
    assert source_lines(parse_targets(named), "debian", "bookworm") == f"deb {HERE} stable main\n"


@pytest.mark.parametrize("targets", ["", f"{HERE}|trixie|main|trixie|Debian\n", f"{HERE}|bookworm-updates|main||\n"])
def test_a_suite_that_the_host_does_not_serve_is_a_clear_error(targets: str) -> None:
    with pytest.raises(HostError, match="do not serve debian bookworm") as caught:
        source_lines(parse_targets(targets), "debian", "bookworm")
    assert "suite" in caught.value.remedy


def test_only_proxies_of_the_hosts_apt_are_taken_over() -> None:
    dump = 'APT::Install-Recommends "1";\nAcquire::http::Proxy "http://p.example:3142";\nAcquire::https::Proxy "";\n'
    run = FakeRun().on("apt-config", "dump", says=dump)
    assert apt_sources.proxy_options(run) == ('Acquire::http::Proxy "http://p.example:3142"',)


def test_the_error_about_an_unreadable_source_shows_the_output_of_apt() -> None:
    output = "E: Malformed entry 1 in list file /etc/apt/sources.list (Component)\n"
    argv = ("apt-get", "indextargets", "--format", apt_sources._FORMAT, "Created-By: Packages")
    run = FakeRun().on(*argv, says=(output, 100)).on("apt-config", "dump", says=(output, 100))
    for call in (lambda: apt_sources.host_sources("debian", "bookworm", run), lambda: apt_sources.proxy_options(run)):
        with pytest.raises(HostError, match=r"failed \(exit 100\)") as caught:
            call()
        assert "Malformed entry 1" in caught.value.detail


def test_the_archives_own_keys_are_trusted_and_no_others(tmp_path: Path) -> None:
    assert apt_sources.archive_keyring("debian", tmp_path) is None
    keys = tmp_path / "debian-archive-keyring.gpg"
    keys.write_bytes(b"keys")
    assert apt_sources.archive_keyring("debian", tmp_path) == keys
    lines = source_lines(parse_targets(TARGETS), "debian", "bookworm", keys).splitlines()
    assert lines[0] == f"deb [signed-by={keys}] {HERE} bookworm main"
    assert len(lines) == 3
