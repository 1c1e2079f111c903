"""`report.html`: one file that needs nothing else, made from a result."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.report import symbols
from harness.report.clipping import Budget
from harness.report.page import View
from harness.report.page_model import link
from harness.report.timeline import WIDTH, draw
from harness.results.conclusion import headline
from harness.results.history import PastRun
from harness.results.model import RunResult
from harness.results.plain_text import plain

# Room for texts of unknown length, in characters after escaping; tables and drawing come on top.
PAGE_TEXT = 560_000
GENERATOR = "airgap-lab-harness"  # in the page of past runs: the file is the harness's

_QUOTED = re.compile(r"`([^`\n]{1,120})`")


def render(
    run: RunResult,
    tails: Mapping[str, str] | None = None,
    reports: Collection[str] = (),
    pictures: Mapping[str, bytes] | None = None,
) -> str:
    """Return the page.

    Args:
        run: The result.
        tails: The ends of evidence files, by their path in the result; machines in trouble have theirs shown.
        reports: The earlier runs that have a report beside this one.
        pictures: PNG files, by their path in the result: the page shows them.
    """
    screens = {path: base64.b64encode(data).decode("ascii") for path, data in (pictures or {}).items()}
    view = View(run, tails or {}, Budget(PAGE_TEXT), reports, screens)
    style, script = _asset("report.css"), _asset("report.js")
    images = "img-src data:; " if pictures else ""
    page = _environment().get_template("report.html.j2")
    return page.render(
        run=run,
        view=view,
        headline=headline(run),
        timeline=draw(run),
        timeline_width=WIDTH,
        style=Markup(style),  # noqa: S704  (a file of this package)
        script=Markup(script),  # noqa: S704  (a file of this package)
        pictures=screens,
        policy=f"default-src 'none'; {images}style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "form-action 'none'; base-uri 'none'",
    )


def render_index(runs: Iterable[PastRun]) -> str:
    """Return the page of past runs, with links to their reports."""
    style = _asset("report.css")
    page = _environment().get_template("index.html.j2")
    return page.render(
        rows=[(run, symbols.OVERALL[run.overall] if run.overall else symbols.UNREADABLE) for run in runs],
        style=Markup(style),  # noqa: S704  (a file of this package)
        generator=GENERATOR,
        policy=f"default-src 'none'; style-src '{_digest(style)}'; form-action 'none'; base-uri 'none'",
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters.update(
        duration=symbols.duration, size=symbols.size, clock=symbols.clock, link=link, prose=prose
    )
    return environment


def _printable(value: Any) -> Any:
    """Return a template value made plain; trusted markup stays."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def prose(text: str) -> Markup:
    """Return a sentence for the page, what stands between backquotes as code."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(plain(text)))))  # noqa: S704  (escaped just before)


def _asset(name: str) -> str:
    return files("harness.report").joinpath("templates", name).read_text(encoding="utf-8").strip()


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
