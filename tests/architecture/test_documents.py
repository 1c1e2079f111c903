"""Documents name commands, options, files and keys that exist."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path

import click
import pytest
from source_tree import REPOSITORY

from harness.plugin import options

DOCUMENTS = sorted([*REPOSITORY.glob("README*.md"), *(REPOSITORY / "docs").glob("*.md")])
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_COMMAND = re.compile(r"^(?:.*&& |.*Scripts.)?lab ([a-z]+)((?: [^`|\n&;]*)?)", re.MULTILINE)
_PYTEST = re.compile(r"\bpytest scenarios/([^`|\n;]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_OF_PYTEST = {"--collect-only"}


def documents() -> list[str]:
    return [path.relative_to(REPOSITORY).as_posix() for path in DOCUMENTS]


def code(document: str) -> str:
    """Return what stands in back quotes and code blocks."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```[^\n]*\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", prose)])


@cache
def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents())
def test_a_link_leads_somewhere(document: str) -> None:
    here = REPOSITORY / document
    dead = []
    for path, anchor in _LINK.findall(here.read_text(encoding="utf-8")):
        target = (here.parent / path) if path else here
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(f"{path}#{anchor}")
    assert dead == []


@pytest.mark.parametrize("document", documents())
def test_a_command_and_its_options_exist(document: str) -> None:
    main = importlib.import_module("harness.cli.main").main
    assert isinstance(main, click.Group)
    context, wrong = click.Context(main), []
    for name, words in _COMMAND.findall(code(document)):
        command = main.get_command(context, name)
        known = {flag for item in command.get_params(context) for flag in item.opts} if command else set()
        wrong += [f"lab {name}"] if command is None else []
        wrong += [f"lab {name} {flag}" for flag in _OPTION.findall(words) if name != "ssh" and flag not in known]
    assert wrong == []


@pytest.mark.parametrize("document", documents())
def test_an_option_of_a_run_exists(document: str) -> None:
    known = set(_OPTION.findall(Path(options.__file__).read_text(encoding="utf-8"))) | _OF_PYTEST
    named = {flag for words in _PYTEST.findall(code(document)) for flag in _OPTION.findall(words)}
    assert named - known == set()


def test_a_scenario_that_a_document_names_exists() -> None:
    named = {
        name
        for document in documents()
        for name in re.findall(r"`(test_\d\d_\w+\.py)`", (REPOSITORY / document).read_text("utf-8"))
    }
    assert {name for name in named if not (REPOSITORY / "scenarios" / name).exists()} == set()
