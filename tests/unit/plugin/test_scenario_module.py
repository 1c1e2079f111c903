"""What the marks of a module that was not collected say about its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.claims import Claim
from harness.plugin.scenario_module import ScenarioModule


def read(folder: Path, text: str) -> ScenarioModule:
    path = folder / "test_85_own.py"
    path.write_text(text, encoding="utf-8")
    return ScenarioModule.read(path)


@pytest.mark.parametrize(
    ("text", "guests", "claims"),
    [
        ('pytestmark = pytest.mark.phase("boot")', False, {Claim.SETTINGS}),
        ('pytestmark = pytest.mark.phase("guests")', True, {Claim.SETTINGS}),
        (
            '@pytest.mark.phase("guests")\n@pytest.mark.claim("air-gapped")\ndef test(): ...',
            True,
            {Claim.SETTINGS, Claim.AIR_GAPPED},
        ),
        ("import pytest\n\ndef test_x(): ...", False, {Claim.SETTINGS}),
        ('mark.phase("boot")\nmark.phase("guests")', True, {Claim.SETTINGS}),
        ("pytestmark = pytest.mark.phase(NAME)", True, {Claim.SETTINGS}),
        ('mark.phase("guests")\nmark.claim(NAME)', True, set(Claim)),
        ('mark.phase("guests")\nmark.claim("no-such-claim")', True, set(Claim)),
        ("def (", True, set(Claim)),
        ("\0", True, set(Claim)),
    ],
)
def test_what_cannot_be_read_counts_as_more(tmp_path: Path, text: str, guests: bool, claims: set[Claim]) -> None:
    module = read(tmp_path, text)
    assert (module.name, module.has_guest_tests, set(module.claims)) == ("test_85_own.py", guests, claims)


def test_a_module_that_is_gone_counts_as_more(tmp_path: Path) -> None:
    assert ScenarioModule.read(tmp_path / "test_gone.py").claims == tuple(Claim)
