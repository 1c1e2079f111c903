"""mmdebstrap builds the guest's tree from the given sources."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.image.bootstrap import BuildDirectory, bootstrap, mmdebstrap_argv
from harness.image.spec import ImageSpec
from harness.system.process import Completed

SPEC = ImageSpec("debian", "bookworm", root_gib=39, operations_packages=("jq", "htop"))


def test_mmdebstrap_may_clean_up_and_works_in_the_build_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}
    target = "http://here.example/debian|bookworm|main|bookworm|Debian\n"

    def run(
        argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None, grace_s: float = 0.0
    ) -> Completed:
        if argv[0] == "mmdebstrap":
            asked.update(env or {}, grace_s=grace_s)
        return Completed((), 0, target if argv[0] == "apt-get" else "", "", 1.0)

    for user, place in ((0, tmp_path / "root"), (1000, tmp_path / "user")):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user, raising=False)
        place.mkdir()
        asked.clear()
        bootstrap(SPEC, BuildDirectory(place), lambda _: None, run)
        assert asked["grace_s"] == 30.0
        assert asked.get("TMPDIR") == (str(place) if user == 0 else None)


def test_the_build_uses_the_given_sources_and_names_no_host(tmp_path: Path) -> None:
    place = BuildDirectory(tmp_path)
    argv = mmdebstrap_argv(SPEC, place, ('Acquire::http::Proxy "http://p:1"',))
    assert argv[-3:] == ("bookworm", place.tree_tar.as_posix(), place.sources.as_posix())
    assert '--aptopt=Acquire::http::Proxy "http://p:1"' in argv
    assert "http" not in " ".join(argv).replace('Acquire::http::Proxy "http://p:1"', "")


@pytest.mark.parametrize(
    ("spec", "kernel"),
    [
        (SPEC, "linux-image-amd64"),
        (replace(SPEC, distribution="ubuntu", suite="noble"), "linux-image-generic"),
    ],
)
def test_the_kernel_is_the_distributions_generic_one(spec: ImageSpec, kernel: str) -> None:
    include = next(
        word for word in mmdebstrap_argv(spec, BuildDirectory(Path("b")), ()) if word.startswith("--include=")
    )
    assert include.endswith(f",{kernel}")
