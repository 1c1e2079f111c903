"""Tests patch their own package in few places, and in fewer as time goes on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from source_tree import REPOSITORY, python_files

# Patches into the package. Lower the bound with each one that goes; a new test uses a value, a port or an argument.
MOST_PATCHES = 15
_PATCHING = ("setattr", "delattr", "setitem", "patch", "object")


def patches(source: str) -> Iterator[int]:
    """Yield the lines that patch this package.

    A name that the file does not import may be anything of ours, such as a parameter, and counts.
    """
    tree = ast.parse(source)
    origins = dict(_imported_names(tree))
    classes = {node.name: "tests" for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _patches(node.func):
            if _is_ours(node.args[0], {**origins, **classes}, unknown="harness"):
                yield node.lineno
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Attribute) and _is_ours(target, origins, "tests") for target in targets):
                yield node.lineno


def _imported_names(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name.partition(".")[0], alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, node.module or "") for alias in node.names)


def _patches(function: ast.expr) -> bool:
    """Return whether the function is one of `monkeypatch` or of `unittest.mock`."""
    if isinstance(function, ast.Name):
        return function.id == "patch"
    if not isinstance(function, ast.Attribute) or function.attr not in _PATCHING:
        return False
    owner = ast.unparse(function.value)
    return owner.endswith(("patch", "mock", "mocker")) and not owner.endswith("object")


def _is_ours(target: ast.expr, origins: dict[str, str], unknown: str) -> bool:
    if isinstance(target, ast.Constant):
        return str(target.value).partition(".")[0] == "harness"
    while isinstance(target, ast.Attribute):
        target = target.value
    name = target.id if isinstance(target, ast.Name) else ""
    return origins.get(name, unknown).partition(".")[0] == "harness"


def test_the_number_of_patches_into_the_package_only_goes_down() -> None:
    tests = (path for path in python_files() if "tests" in path.parts[len(REPOSITORY.parts) :])
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}" for path in tests for line in patches(path.read_text(encoding="utf-8"))
    ]
    assert len(found) == MOST_PATCHES, "\n".join(
        ["use a seam in place of a new patch; lower MOST_PATCHES where one went:", *found]
    )


@pytest.mark.parametrize(
    "statement",
    [
        'monkeypatch.setattr("harness.lab.closing.write_reports", 1)',
        'monkeypatch.setattr(closing, "write_reports", 1)',
        'monkeypatch.setattr(closing.Steps, "write", 1)',
        'monkeypatch.setattr(parameter, "write", 1)',
        'monkeypatch.setitem(closing.TABLE, "key", 1)',
        'mock.patch("harness.lab.closing.write_reports")',
        'patch.object(closing, "write_reports")',
        "closing.write_reports = 1",
    ],
)
def test_a_patch_into_the_package_counts(statement: str) -> None:
    assert list(patches(f"from harness.lab import closing\n{statement}")) == [2]


@pytest.mark.parametrize(
    "statement",
    ['monkeypatch.setattr("sys.platform", 1)', 'monkeypatch.setattr(os.path, "join", 1)', "Mine.answer = 1"],
)
def test_another_patch_does_not_count(statement: str) -> None:
    assert not list(patches(f"import os\n{statement}\nclass Mine: pass"))
