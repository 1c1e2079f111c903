"""The project's own modules, parsed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("harness", "scenarios", "tests", "bench", "docs", ".github", ".ci")


@dataclass(frozen=True)
class Import:
    """One import: module, line, and whether it happens at load time."""

    module: str
    line: int
    at_once: bool


@dataclass(frozen=True)
class Module:
    """One module of the package."""

    name: str
    path: Path
    tree: ast.Module
    imports: tuple[Import, ...]

    def imported(self, name: str) -> bool:
        """Return whether it imports that module or something below it."""
        return any(item.module == name or item.module.startswith(f"{name}.") for item in self.imports)


@cache
def modules() -> dict[str, Module]:
    """Return every module of the harness by its dotted name."""
    paths = sorted((REPOSITORY / "harness").rglob("*.py"))
    return {
        name: _module(name, path, names)
        for names in [{_name(path) for path in paths}]
        for name, path in ((_name(path), path) for path in paths)
    }


def python_files() -> Iterator[Path]:
    """Yield every Python file of the project."""
    yield REPOSITORY / "conftest.py"
    for folder in ("harness", "scenarios", "tests", "bench"):
        yield from sorted((REPOSITORY / folder).rglob("*.py"))


def text_files() -> Iterator[Path]:
    """Yield every text file of the project."""
    ours = [path for path in REPOSITORY.iterdir() if path.is_file() and path.name != ".git"]
    ours += [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*") if path.is_file()]
    for path in sorted(ours):
        cached = any(part == "__pycache__" or part.endswith("_cache") for part in path.parts)
        if not cached and b"\0" not in path.read_bytes()[:1024]:
            yield path


def _name(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def _module(name: str, path: Path, known: set[str]) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return Module(name, path, tree, tuple(_imports(tree, known)))


def _imports(tree: ast.Module, known: set[str]) -> Iterator[Import]:
    late = {id(node) for part in ast.walk(tree) if isinstance(part, ast.FunctionDef) for node in ast.walk(part)}
    for node in ast.walk(tree):
        at_once = id(node) not in late
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield Import(full if full in known else node.module, node.lineno, at_once)
