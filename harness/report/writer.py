"""Write the files of a run: `run.json`, `report.html`, `latest`."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from pathlib import Path
from xml.etree import ElementTree as ET

from harness.core.errors import UsageError
from harness.core.files import read_end
from harness.core.layout import RunFiles
from harness.report.ci import junit_properties, summary_markdown
from harness.report.html import GENERATOR, render, render_index
from harness.report.page_model import logs_of, troubled
from harness.results.history import past_runs
from harness.results.model import EvidenceFile, RunResult
from harness.results.replay import from_journal
from harness.results.run_json import to_json

LATEST = "latest"
INDEX = "index.html"
_INDEXED = 100  # runs
_TAIL_BYTES = 64 * 1024
# The page has the screens in it; a screen in text mode has 5 KiB.
_PICTURE_BYTES = 256 * 1024
_MOST_PICTURES = 8
# Of one line of `latest.txt`; a run id is shorter.
_POINTER_BYTES = 255


def write_reports(run_dir: Path) -> RunResult:
    """Write `run.json`, `report.html` and `summary.md` from the journal.

    A `junit.xml` that is there gets the run's facts as properties of its test suite.

    Each file is replaced as a whole. Call it last: digests are of the files as they are now.

    Raises:
        UsageError: The directory has no journal with a run in it.
    """
    files = RunFiles(run_dir)
    result = from_journal(files.events)
    if files.junit.is_file():
        try:
            _add_properties(files.junit, junit_properties(result))
        except (ET.ParseError, OSError) as error:
            note = f"{files.junit.name} was left as it is: {error}"
            result = dataclasses.replace(result, notes=(*result.notes, note))
    run = with_evidence(result, run_dir)
    _replace(files.run_json, to_json(run))
    reports = _earlier_reports(run, run_dir)
    _replace(files.html, render(run, _tails(run, run_dir), reports, _pictures(run, run_dir)))
    _replace(files.summary, summary_markdown(run, reports))
    return run


def write_index(reports: Path) -> None:
    """Write `index.html` with the last runs; leave a file of that name of others.

    Raises:
        OSError: It cannot be written.
    """
    index = reports / INDEX
    if index.exists():
        with index.open("rb") as stream:
            if f'content="{GENERATOR}"'.encode() not in stream.read(_TAIL_BYTES):
                return
    _replace(index, render_index(past_runs(reports, _INDEXED)))


def _earlier_reports(run: RunResult, run_dir: Path) -> frozenset[str]:
    """Return the runs with a report that verdicts are carried from.

    Their reports are beside this one's.
    """
    names = {verdict.carried_from for verdict in run.verdicts} - {""}
    plain = (name for name in names if Path(name).name == name and name not in (".", ".."))
    return frozenset(name for name in plain if RunFiles(run_dir.parent / name).html.is_file())


def _add_properties(junit: Path, properties: list[tuple[str, str]]) -> None:
    """Add properties to the first test suite of pytest's JUnit file, once."""
    tree = ET.parse(junit)  # noqa: S314  (written by pytest in this session)
    suite = tree.getroot() if tree.getroot().tag == "testsuite" else tree.getroot().find("testsuite")
    if suite is None:
        return
    for old in suite.findall("properties"):
        suite.remove(old)
    head = ET.Element("properties")
    head.extend(ET.Element("property", name=name, value=value) for name, value in properties)
    suite.insert(0, head)
    _replace(junit, ET.tostring(tree.getroot(), encoding="unicode", xml_declaration=True))


def with_evidence(run: RunResult, run_dir: Path) -> RunResult:
    """Return `run` with each file of its directory as evidence.

    A file that was promised and is not there stays in the list, without a size. Files outside are not read.
    """
    files = RunFiles(run_dir)
    made_here = {files.run_json, files.html, files.summary}
    promised = {item.path: item for item in run.evidence}
    machines = set(run.machine_names)
    for path in sorted(run_dir.rglob("*")):
        if path.is_file() and not path.is_symlink() and path not in made_here:
            name = path.relative_to(run_dir).as_posix()
            owner = name.split("/")[0] if name.split("/")[0] in machines else None
            promised.setdefault(name, EvidenceFile(name, owner))
    found = tuple(_digested(item, run_dir) for item in promised.values())
    return dataclasses.replace(run, evidence=tuple(sorted(found, key=lambda item: (item.machine or "", item.path))))


def _inside(name: str, run_dir: Path) -> Path | None:
    """Return the regular file of the name in the run, or None."""
    with contextlib.suppress(OSError, ValueError):
        path = (run_dir / name).resolve()
        if path.is_relative_to(run_dir.resolve()) and path.is_file():
            return path
    return None


def _digested(item: EvidenceFile, run_dir: Path) -> EvidenceFile:
    path = _inside(item.path, run_dir)
    if path is None:
        return item
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return dataclasses.replace(item, size=file.tell(), sha256=digest)
    except OSError:
        return item


def _tails(run: RunResult, run_dir: Path) -> dict[str, str]:
    """Return the ends of the logs of machines in trouble, by path."""
    tails = {}
    for machine in troubled(run):
        for item in logs_of(run, machine):
            path = _inside(item.path, run_dir)
            if path is not None:
                with contextlib.suppress(OSError):
                    tails[item.path] = read_end(path, _TAIL_BYTES).decode("utf-8", errors="replace")
    return tails


def _pictures(run: RunResult, run_dir: Path) -> dict[str, bytes]:
    """Return the screens of machines in trouble, by path.

    Large ones are left as files.
    """
    names, pictures = troubled(run), dict[str, bytes]()
    found = [item for item in run.evidence if item.machine in names and item.path.endswith(".png")]
    for item in found[:_MOST_PICTURES]:
        path = _inside(item.path, run_dir)
        if path is not None and item.size is not None and item.size <= _PICTURE_BYTES:
            with contextlib.suppress(OSError):
                pictures[item.path] = path.read_bytes()
    return pictures


def point_latest(run_dir: Path) -> Path:
    """Make `latest` beside the run directory point to it; return the pointer.

    It is a relative symbolic link where the system allows one, else the file `latest.txt` with the directory's name
    (Windows without the right to make links). Something else that is called `latest` is left alone.
    """
    link = run_dir.parent / LATEST
    text = run_dir.parent / f"{LATEST}.txt"
    if _link(link, run_dir.name):
        text.unlink(missing_ok=True)
        return link
    with contextlib.suppress(OSError):
        if link.is_symlink():
            link.unlink()
    _replace(text, run_dir.name + "\n")
    return text


def latest_run(reports: Path) -> Path | None:
    """Return the newest run directory that `point_latest` recorded, or None.

    A directory called `latest` that is no link is not ours: for example a copy of an older run.
    """
    link = reports / LATEST
    if link.is_symlink() and link.is_dir():
        return link.resolve()
    with contextlib.suppress(OSError):
        name = (reports / f"{LATEST}.txt").read_bytes()[:_POINTER_BYTES].decode("utf-8", errors="replace").strip()
        if name and Path(name).name == name and (reports / name).is_dir():
            return reports / name
    return None


def newest_run(reports: Path) -> RunFiles:
    """Return the files of the newest run.

    Raises:
        UsageError: There is none.
    """
    found = latest_run(reports)
    if found is None:
        raise UsageError(
            "no run in this directory", where=str(reports), remedy="run `pytest scenarios/`, or give --reports"
        )
    return RunFiles(found)


def _link(link: Path, target: str) -> bool:
    """Create or replace a symbolic link; return False if refused."""
    scratch = link.with_name(f".{link.name}-{os.getpid()}")
    try:
        if link.exists() and not link.is_symlink():
            return False
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(target, target_is_directory=True)
        try:
            scratch.replace(link)
        except OSError:
            # Windows does not put one directory link in the place of another.
            link.unlink()
            scratch.replace(link)
    except (OSError, NotImplementedError):
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
        return False
    return True


def _replace(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}-{os.getpid()}.tmp")
    try:
        scratch.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
