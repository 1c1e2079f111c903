"""Files that another user could have written are not used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.core.errors import HostError
from harness.system.trust import require_trusted

pytestmark = pytest.mark.skipif(os.name == "nt", reason="access lists decide there")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "cache" / "usr").mkdir(parents=True, mode=0o755)
    for folder in (tmp_path / "cache", tmp_path / "cache" / "usr"):
        folder.chmod(0o755)
    (tmp_path / "cache" / "usr" / "program").write_bytes(b"")
    (tmp_path / "cache" / "usr" / "program").chmod(0o755)
    return tmp_path / "cache"


def refusal(cache: Path) -> str:
    with pytest.raises(HostError) as caught:
        require_trusted(cache / "usr" / "program", cache)
    assert caught.value.remedy
    return str(caught.value)


def test_what_only_this_user_may_write_is_trusted(cache: Path) -> None:
    cache.parent.chmod(0o777)  # above the cache, nothing is judged
    require_trusted(cache / "usr" / "program", cache)


@pytest.mark.parametrize("name", ["usr/program", "usr", "."])
def test_what_others_may_write_is_refused_and_named(cache: Path, name: str) -> None:
    (cache / name).chmod(0o777)
    text = refusal(cache)
    assert str(cache / name) in text
    assert "other users may write it" in text


def test_a_sticky_directory_is_as_good_as_its_owner(cache: Path) -> None:
    cache.chmod(0o1777)
    require_trusted(cache / "usr" / "program", cache)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", ["usr/program", "usr", "."])
def test_what_another_user_owns_is_refused(cache: Path, name: str) -> None:
    os.chown(cache / name, 4711, 4711)
    assert "another user (uid 4711) owns it" in refusal(cache)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_a_link_is_judged_with_its_target(cache: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"")
    os.chown(foreign, 4711, 4711)
    (cache / "usr" / "program").unlink()
    (cache / "usr" / "program").symlink_to(foreign)
    assert "another user" in refusal(cache)
    foreign.chmod(0o755)
    os.chown(foreign, 0, 0)
    os.chown(cache / "usr" / "program", 4711, 4711, follow_symlinks=False)
    assert "another user" in refusal(cache), "its owner may put another link in its place"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_a_group_of_the_users_own_may_write(cache: Path) -> None:
    (cache / "usr").chmod(0o775)
    require_trusted(cache / "usr" / "program", cache)
    os.chown(cache / "usr", -1, 100)
    assert "other users may write it" in refusal(cache)
