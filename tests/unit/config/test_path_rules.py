from __future__ import annotations

import pytest
from lab_file import LAB_FILE

from harness.config.loader import load_lab
from harness.config.model import LabSpec
from harness.config.path_rules import path_problems


@pytest.fixture(scope="module")
def spec() -> LabSpec:
    return load_lab(LAB_FILE, "embedded")


def problems(spec: LabSpec, text: str, platform: str | None) -> list[str]:
    """Return the problems of a lab whose VMs are in that directory."""
    lab = spec.model_copy(update={"vm_directory": text})
    return [why for place, why in path_problems(lab, platform) if place == ("vm_directory",)]


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        (r"F:\VMs\lab", "win32"),
        (r"F:\VMs\lab", None),
        (r"\\server\share\lab", "win32"),
        (r"\\?\C:\lab", "win32"),
        ("vms/lab", "win32"),
        ("/srv/a?b:c", "linux"),
        ("~/vms", "linux"),
    ],
)
def test_a_path_that_means_what_is_written(spec: LabSpec, text: str, platform: str | None) -> None:
    assert problems(spec, text, platform) == []


@pytest.mark.parametrize(
    ("text", "platform", "message"),
    [
        ("F:\vms", "win32", "has a control character"),
        ("/srv/\x07", "linux", "has a control character"),
        (r"%TEMP%\lab", "win32", "%TEMP% is not replaced in a lab file"),
        ("F:vms", None, r"write F:\vms"),
        (r"F:\a|b", "win32", "has '|', which no Windows path may have"),
        ("a:b:c", "win32", "is relative to the current directory of that drive"),
        (r"F:\VMs", "linux", "is a path of Windows"),
    ],
)
def test_a_path_that_would_be_another(spec: LabSpec, text: str, platform: str | None, message: str) -> None:
    (why,) = problems(spec, text, platform)
    assert message in why


def test_a_problem_is_at_its_key(spec: LabSpec) -> None:
    lab = spec.model_copy(update={"ssh": spec.ssh.model_copy(update={"key": "C:key"})})
    assert [place for place, _ in path_problems(lab, "win32")] == [("ssh", "key")]
