from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from harness.cli.doctor import candidates_text, checks_text
from harness.core.verdict import Check, Status
from harness.vmrun.discovery import Candidate, Hypervisor, Kind
from harness.vmrun.locations import Source

from .command_line import CommandLine, files_below


def test_the_command_shows_candidates_checks_and_remedies_and_ends_with_1(lab: CommandLine, tmp_path: Path) -> None:
    before = files_below(tmp_path)
    result = lab("doctor")
    assert result.exit_code == 1
    assert "version: VMware Workstation 17" in result.output
    assert "FAIL seed directory: " in result.output
    assert result.output.count("remedy:") >= 3
    assert files_below(tmp_path) == before


def test_the_command_loads_the_judges_of_seeds_only_where_there_is_one() -> None:
    """They are a tenth of its start-up time, and before `lab seed` there is none."""
    code = "import sys, harness.cli.doctor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split())
    assert "harness.cli.doctor" in loaded
    assert loaded & {"harness.seed.foreign.check", "cryptography"} == set()


def test_a_check_has_a_remedy_only_where_it_did_not_pass() -> None:
    good = Check("disk", Status.PASS, "10 MiB", "20 MiB", "buy one")
    text = checks_text([good, replace(good, name="memory", status=Status.FAIL), replace(good, status=Status.BLOCKED)])
    assert text.splitlines()[:4] == [
        "ok   disk: 20 MiB",
        "FAIL memory: 20 MiB",
        "       expected: 10 MiB",
        "       remedy:   buy one",
    ]


def test_candidates_have_their_reasons_and_the_version_that_is_used() -> None:
    found = (
        Candidate(Source.PATH, "/bin/vmrun", selected=False, why="not executable"),
        Candidate(Source.EMBEDDED, "", selected=True, why="QEMU 7.2"),
    )
    hypervisor = Hypervisor(Kind.EMBEDDED, ("vmrun",), ("vdisk",), "QEMU 7.2", candidates=found)
    assert candidates_text(hypervisor).splitlines() == [
        "vmrun",
        "   PATH                   /bin/vmrun",
        "      not executable",
        "-> embedded               -",
        "      QEMU 7.2",
        "version: QEMU 7.2",
    ]
    assert candidates_text(replace(hypervisor, candidates=())).splitlines() == ["vmrun", "version: QEMU 7.2"]
