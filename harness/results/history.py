"""The runs below a reports directory, from their `run.json` files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core.claims import Standing
from harness.core.json_text import parse_json
from harness.core.layout import RunFiles
from harness.results.conclusion import Overall
from harness.results.plain_text import plain

# Of a `run.json` that a run wrote; a larger file is not read.
_MOST_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True)
class PastRun:
    """One run, as its `run.json` concludes.

    Attributes:
        overall: How it ended; None where it cannot be read, and `headline` says why.
        proven: How many of its required claims are proven.
    """

    run_id: str
    headline: str
    overall: Overall | None = None
    lab: str = ""
    started_at: str = ""
    duration_s: float = 0.0
    proven: int = 0
    required: int = 0

    @property
    def claims(self) -> str:
        """The required claims as text; empty where it cannot be read."""
        return f"{self.proven} of {self.required}" if self.overall else ""


def past_runs(reports: Path, last: int) -> tuple[PastRun, ...]:
    """Return the last runs, newest first.

    The name of a run sorts by its time.
    """
    if not reports.is_dir():
        return ()
    found = [path for path in reports.iterdir() if path.is_dir() and not path.is_symlink()]
    runs = [path for path in found if RunFiles(path).events.is_file() or RunFiles(path).run_json.is_file()]
    return tuple(_past_run(path) for path in sorted(runs, reverse=True)[:last])


def _past_run(directory: Path) -> PastRun:
    path = RunFiles(directory).run_json
    again = f"write it again with `lab report {directory}`"
    if not path.is_file():
        return PastRun(directory.name, f"it has no run.json yet: {again}")
    try:
        if path.stat().st_size > _MOST_BYTES:
            return PastRun(directory.name, f"its run.json is larger than a run writes: {again}")
        data = parse_json(path.read_bytes())
        required = [claim for claim in data["claims"] if claim["required"]]
        return PastRun(
            directory.name,
            plain(str(data["headline"])),
            Overall(data["overall"]),
            plain(str(data["lab"])),
            plain(str(data["started_at"])),
            float(data["duration_s"]),
            sum(claim["standing"] == Standing.PROVEN for claim in required),
            len(required),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return PastRun(directory.name, f"its run.json cannot be read: {again}")
