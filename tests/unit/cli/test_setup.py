from __future__ import annotations

import pytest

from harness.airgap.registry_package import ensure_registry
from harness.cli.host_packages import ensure_packages, missing_packages
from harness.cli.seed import build

from .command_line import CommandLine


class Steps:
    """The steps of `lab setup`, which only note that they were called."""

    def __init__(self, lab: CommandLine, *, missing: tuple[str, ...] = ()) -> None:
        self.called: list[str] = []
        lab.replacements[ensure_packages] = lambda say: self.called.append("packages")
        lab.replacements[ensure_registry] = lambda cache, say: self.called.append("registry")
        lab.replacements[missing_packages] = lambda: missing
        lab.replacements[build] = lambda spec, lab_file, say: self.called.append(f"seeds in {spec.seeds.directory}")


@pytest.mark.parametrize(
    ("words", "called"),
    [
        ((), ["seeds in ../.lab/seeds"]),
        (("--packages-only",), []),
        (("--with-deps",), ["packages", "registry", "seeds in ../.lab/seeds"]),
        (("--with-deps", "--packages-only"), ["packages", "registry"]),
    ],
)
def test_the_options_select_the_steps(lab: CommandLine, words: tuple[str, ...], called: list[str]) -> None:
    steps = Steps(lab)
    assert lab("setup", *words).exit_code == 0
    assert steps.called == called


def test_missing_packages_are_an_error_with_the_command_that_installs_them(lab: CommandLine) -> None:
    steps = Steps(lab, missing=("zstd", "uidmap"))
    result = lab("setup")
    assert (result.exit_code, steps.called) == (1, [])
    assert "system packages are missing: zstd, uidmap" in result.stderr
    assert "apt-get install -y --no-install-recommends zstd uidmap" in result.stderr


def test_the_packages_need_no_overlay(lab: CommandLine) -> None:
    Steps(lab)
    lab.file.write_text(lab.file.read_text(encoding="utf-8").partition("\noverlays:")[0] + "\n", encoding="utf-8")
    assert lab("setup", "--packages-only").exit_code == 0
