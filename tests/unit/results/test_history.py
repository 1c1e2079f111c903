"""Past runs, read from their `run.json` files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from report_samples import events_of, failing, replaced, static, verdicts

from harness.core.claims import Claim
from harness.core.verdict import Phase
from harness.results.conclusion import Overall
from harness.results.history import past_runs
from harness.results.replay import from_events
from harness.results.run_json import to_json


def write_run(reports: Path, name: str, *, failed: bool = False) -> None:
    found = replaced(verdicts(), "k3s-worker1", Phase.ISO_COPY, failing()) if failed else verdicts()
    start = dataclasses.replace(static(), required=(Claim.INSTALLED.value, Claim.AIR_GAPPED.value))
    run = from_events(events_of(found, exit_status=int(failed), run=start))
    (reports / name).mkdir()
    (reports / name / "run.json").write_text(to_json(run), encoding="utf-8")


def test_the_newest_is_first_with_its_conclusions(tmp_path: Path) -> None:
    write_run(tmp_path, "2026-01-01")
    write_run(tmp_path, "2026-01-02", failed=True)
    (tmp_path / "other").mkdir()
    newest, oldest = past_runs(tmp_path, 10)
    assert (newest.run_id, newest.overall) == ("2026-01-02", Overall.FAILED)
    assert newest.headline.startswith("FAILED: iso-copy of k3s-worker1")
    assert (oldest.run_id, oldest.lab, oldest.duration_s) == ("2026-01-01", "airgap-lab", 236.5)
    assert oldest.claims.endswith(" of 2")
    assert past_runs(tmp_path, 1) == (newest,)
    assert past_runs(tmp_path / "none", 10) == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"claims": 1}', "[" * 100_000, '{"overall": "good"}'])
def test_a_damaged_file_hides_no_other_run(tmp_path: Path, text: str) -> None:
    write_run(tmp_path, "2026-01-01")
    (tmp_path / "2026-01-02").mkdir()
    (tmp_path / "2026-01-02" / "run.json").write_text(text)
    damaged, good = past_runs(tmp_path, 10)
    assert (damaged.overall, damaged.claims) == (None, "")
    assert "`lab report " in damaged.headline
    assert good.overall is not None
