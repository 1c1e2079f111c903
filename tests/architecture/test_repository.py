"""Sizes, words and shipped files."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from importlib import metadata

import pytest
from source_tree import REPOSITORY, modules, python_files, text_files

from harness.config import lab_schema

LONGEST_MODULE = 300  # lines
LONGEST_FUNCTION = 40  # lines without the docstring
# Hosts that a text may name: examples (RFC 2606, RFC 6761), this lab's own, and pages that are only read by people.
KNOWN_HOSTS = re.compile(
    r"([\w.-]+\.)?(example|invalid|localhost)|192\.168\.6\.\d+|127\.0\.0\.1|p|keepachangelog\.com|www\.vmware\.com"
)


def test_modules_are_short() -> None:
    long = {
        module.name: n
        for module in modules().values()
        if (n := _lines(module.path.read_text("utf-8"))) > LONGEST_MODULE
    }
    assert long == {}


def test_functions_are_short() -> None:
    long = {
        f"{module.name}.{node.name}": length
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (length := _length(node)) > LONGEST_FUNCTION
    }
    assert long == {}


def _lines(text: str) -> int:
    return len(text.splitlines())


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    docstring = ast.get_docstring(node, clean=False)
    return length - (_lines(docstring) if docstring else 0)


def test_there_is_no_drawer_for_everything() -> None:
    assert not [path for path in python_files() if path.stem in ("utils", "util", "helpers", "misc", "common")]


def test_an_exception_from_a_rule_has_its_reason() -> None:
    """The reason stands behind it: in brackets, after a dash, or as a second comment."""
    pattern = re.compile(r"#\s*(?:noqa|type: ignore)(.*)$")
    reason = re.compile(r"^(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[a-z-]+(?:,\s*[a-z-]+)*\])\s*(?:\(|- |# ?).{5,}$")
    without = []
    for path in (path for path in python_files() if REPOSITORY / "tests" / "unit" not in path.parents):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = pattern.search(line)
            if found and not reason.match(found[1]):
                without.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}")
    assert without == []


def test_no_file_names_a_host_of_the_internet() -> None:
    """An air-gapped lab takes packages from what its host is set to; no registry and no mirror is written down."""
    named = [
        f"{path.relative_to(REPOSITORY)}: {host}"
        for path in text_files()
        for host in re.findall(
            r"\b(?:https?|ftp|git|ssh)://([\w.-]+)", path.read_text(encoding="utf-8", errors="replace")
        )
        if not KNOWN_HOSTS.fullmatch(host)
    ]
    assert named == []


def test_the_schema_that_is_shipped_is_that_of_the_lab_file() -> None:
    shipped = (REPOSITORY / "scenarios" / "lab.schema.json").read_text(encoding="utf-8")
    assert shipped == lab_schema(), "run: lab schema > scenarios/lab.schema.json"


def project() -> dict[str, object]:
    data = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(data, dict)
    return data


def scripts() -> dict[str, str]:
    found = project()["scripts"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("script", scripts())
def test_a_console_script_exists(script: str) -> None:
    module, _, function = scripts()[script].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def dependencies() -> set[str]:
    wanted = project()["dependencies"]
    assert isinstance(wanted, list)
    return {re.split(r"[<>=~ ]", str(item))[0] for item in wanted}


def test_every_module_of_others_that_is_imported_is_declared() -> None:
    providers, declared = metadata.packages_distributions(), {*dependencies(), "keyring"}
    imported = {item.module.split(".")[0] for module in modules().values() for item in module.imports}
    others = imported - {"harness"} - sys.stdlib_module_names
    undeclared = {name for name in others if not {each.lower() for each in providers.get(name, [name])} & declared}
    assert undeclared == set()


def test_every_dependency_is_installed_and_used() -> None:
    names = dependencies()
    own_name = {"pyyaml": "yaml", "pytest-testinfra": "testinfra", "qemu.qmp": "qemu"}
    plugins = {"pytest-order": "pytest.mark.order", "pytest-timeout": "pytest.mark.timeout"}
    source = "\n".join(module.path.read_text(encoding="utf-8") for module in modules().values())
    for name in names:
        if name == "tzdata":  # read by `zoneinfo` on a host without a database of its own
            assert any(module.imported("zoneinfo") for module in modules().values())
            continue
        assert metadata.version(name)
        if name in plugins:
            assert plugins[name] in source
        else:
            assert any(module.imported(own_name.get(name, name)) for module in modules().values()), name
