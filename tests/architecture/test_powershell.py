"""The PowerShell that this repository asks people and runners to run: little of it, and all of it can be parsed."""

from __future__ import annotations

import re

import pytest
import yaml
from source_tree import REPOSITORY

tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
powershell = pytest.importorskip("tree_sitter_powershell", reason="tree-sitter-powershell is not installed")

MOST_LINES = 20


def workflow_scripts() -> dict[str, str]:
    text = (REPOSITORY / ".github" / "workflows" / "lab.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["vmware"]["steps"]
    return {step["name"]: step["run"] for step in steps if step.get("shell") == "powershell"}


def readme_scripts() -> dict[str, str]:
    blocks = re.findall(
        r"^```powershell\n(.*?)^```", (REPOSITORY / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return {f"README, block {number}": block for number, block in enumerate(blocks, 1)}


SCRIPTS = workflow_scripts() | readme_scripts()


def has_error(script: str) -> bool:
    parser = tree_sitter.Parser(tree_sitter.Language(powershell.language()))
    return bool(parser.parse(script.encode()).root_node.has_error)


def test_the_parser_tells_good_from_bad() -> None:
    assert has_error("if ($x { Get-Item }")
    assert not has_error("if ($x) { Get-Item }")


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_can_be_parsed(name: str) -> None:
    assert not has_error(SCRIPTS[name])


def test_it_is_glue() -> None:
    assert sum(len(script.strip().splitlines()) for script in workflow_scripts().values()) <= MOST_LINES
