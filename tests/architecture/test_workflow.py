"""The CI sample for Windows, and the PowerShell that README and sample contain."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from source_tree import REPOSITORY

from harness.config import load_lab

tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
powershell = pytest.importorskip("tree_sitter_powershell", reason="tree-sitter-powershell is not installed")

MOST_LINES = 20


def workflow_scripts() -> dict[str, str]:
    return {step["name"]: step["run"] for step in vmware_job()["steps"] if "run" in step}


def vmware_job() -> dict[str, Any]:
    text = (REPOSITORY / ".github" / "workflows" / "lab.yml").read_text(encoding="utf-8")
    job = yaml.safe_load(text)["jobs"]["vmware"]
    assert isinstance(job, dict)
    return job


def readme_scripts() -> dict[str, str]:
    blocks = re.findall(
        r"^```powershell\n(.*?)^```", (REPOSITORY / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return {f"README, block {number}": block for number, block in enumerate(blocks, 1)}


SCRIPTS = workflow_scripts() | readme_scripts()


def has_error(script: str) -> bool:
    parser = tree_sitter.Parser(tree_sitter.Language(powershell.language()))
    return bool(parser.parse(script.encode()).root_node.has_error)


def test_the_parser_distinguishes_good_from_bad() -> None:
    assert has_error("if ($x { Get-Item }")
    assert not has_error("if ($x) { Get-Item }")


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_can_be_parsed(name: str) -> None:
    assert not has_error(SCRIPTS[name])


def test_it_is_glue() -> None:
    assert sum(len(script.strip().splitlines()) for script in workflow_scripts().values()) <= MOST_LINES


def test_a_step_runs_where_the_execution_policy_allows_no_scripts() -> None:
    assert "-ExecutionPolicy Bypass" in vmware_job()["defaults"]["run"]["shell"]
    assert not [step for step in vmware_job()["steps"] if "shell" in step]


def test_the_job_has_more_time_than_the_deadlines_of_the_lab() -> None:
    deadlines = load_lab(REPOSITORY / "scenarios" / "lab.yaml").deadlines_s
    cycles = 3 * (deadlines.power + deadlines.restart)  # one restart without the ISO, two power cuts
    install = deadlines.boot + deadlines.iso_copy + deadlines.cloud_init + deadlines.packages
    assert vmware_job()["timeout-minutes"] * 60 > install + cycles


def test_a_job_publishes_its_own_results_only() -> None:
    """The workspace of a self-hosted runner keeps the results of earlier jobs."""
    job = vmware_job()
    assert "github.run_id" in job["env"]["REPORTS"]
    assert "github.run_attempt" in job["env"]["REPORTS"]
    published = [step["run"] for step in job["steps"] if "SUMMARY" in step.get("run", "")]
    published += [step["with"]["path"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert len(published) == 2
    assert all("env.REPORTS" in text or "$env:REPORTS" in text for text in published)


def test_the_runner_does_not_end_machines_that_are_kept() -> None:
    (build,) = (step for step in vmware_job()["steps"] if "pytest scenarios/" in step.get("run", ""))
    assert build["env"]["RUNNER_TRACKING_ID"] == ""
