"""A test module that was not collected as a whole.

It is read as text, never run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.claims import Claim
from harness.core.verdict import Phase


@dataclass(frozen=True)
class ScenarioModule:
    """The marks of tests that were not collected.

    A mark that cannot be read without running the module counts as the one that asks for more.

    Attributes:
        name: The file name.
        has_guest_tests: Whether tests in it belong to the guests phase.
        claims: The claims that its guest tests may count for.
    """

    name: str
    has_guest_tests: bool
    claims: tuple[Claim, ...]

    @classmethod
    def read(cls, path: Path) -> ScenarioModule:
        """Read the marks of that file; one that is no Python has any."""
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            return cls(path.name, has_guest_tests=True, claims=tuple(Claim))
        others = [phase.value for phase in Phase if phase is not Phase.GUESTS]
        guests = any(name not in others for name in _arguments(tree, "phase"))
        known = {claim.value for claim in Claim}
        named = set(_arguments(tree, "claim")) | {Claim.SETTINGS.value}
        return cls(path.name, guests, tuple(claim for claim in Claim if claim.value in named or not named <= known))


def _arguments(tree: ast.Module, mark: str) -> Iterator[str | None]:
    """Yield the arguments of each such mark; None for a computed one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == mark:
            for argument in node.args:
                value = argument.value if isinstance(argument, ast.Constant) else None
                yield value if isinstance(value, str) else None
