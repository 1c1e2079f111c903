"""What the phases declare: every check once, for claims of the report."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import harness.phases
from harness.core.claims import Claim
from harness.core.verdict import Phase
from harness.phases import (
    CARRIED_PHASES,
    MACHINE_PHASES,
    air_gap,
    boot,
    cleanup,
    cloud_init,
    cluster,
    creation,
    declared_checks,
    guest_check,
    iso_copy,
    iso_detached,
    packages,
    restarts,
)
from harness.phases.runner import PhaseModule

# Written out, so that the type checker compares each module with the protocol.
MODULES: tuple[PhaseModule, ...] = (
    cleanup,
    creation,
    boot,
    iso_copy,
    cloud_init,
    packages,
    iso_detached,
    restarts,
    air_gap,
)
DECLARED = declared_checks(("m", "w"))


def test_the_modules_are_in_the_order_of_their_phases() -> None:
    assert MACHINE_PHASES == MODULES
    assert [module.PHASE.number for module in MACHINE_PHASES] == sorted(module.PHASE.number for module in MODULES)
    assert Phase.AIR_GAP not in CARRIED_PHASES


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.PHASE.value)
def test_a_phase_declares_its_own_checks(module: PhaseModule) -> None:
    assert {check.phase for check in module.CHECKS} == {module.PHASE}


def test_no_two_checks_of_a_phase_have_one_name() -> None:
    count = Counter((check.phase, check.name) for check in DECLARED)
    assert set(count.values()) == {1}


def test_every_check_counts_for_a_claim_and_every_claim_rests_on_checks() -> None:
    assert all(check.claims and check.expected for check in DECLARED)
    resting = {claim for check in (*DECLARED, guest_check("host name")) for claim in check.claims}
    assert resting == set(Claim)


def test_the_host_is_asked_for_each_machine() -> None:
    names = [check.name for check in DECLARED if check.phase is Phase.ENVIRONMENT]
    assert "seed ISO of m" in names
    assert "seed ISO of w" in names


def test_a_guest_check_counts_for_the_settings_unless_it_names_its_claims() -> None:
    assert guest_check("host name").claims == (Claim.SETTINGS,)
    assert guest_check("registry name", (Claim.AIR_GAPPED,)).claims == (Claim.AIR_GAPPED,)


def test_every_module_of_the_package_that_declares_checks_is_a_phase() -> None:
    folder = Path(harness.phases.__file__).parent
    declaring = {path.stem for path in folder.glob("*.py") if "\nCHECKS = " in path.read_text(encoding="utf-8")}
    assert declaring == {*(module.PHASE.name.lower() for module in MODULES), "cluster"}
    assert {check.phase for check in cluster.CHECKS} == {cluster.PHASE}


def test_every_check_of_a_phase_is_declared() -> None:
    of_phases = [check for module in MODULES for check in module.CHECKS]
    assert [check for check in (*of_phases, *cluster.CHECKS) if check not in DECLARED] == []


def test_the_declared_checks_load_nothing_that_only_a_run_needs() -> None:
    """Collection asks for them; a third of its time would be loading what acts on a machine."""
    code = "import sys, harness.phases; harness.phases.declared_checks(['a']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split())
    assert "harness.phases.cleanup" in loaded
    ours = {"harness.machine.removal", "harness.vmrun.driver", "harness.phases.cluster", "harness.payload.download"}
    theirs = {"psutil", "paramiko", "testinfra", "cryptography", "ssl", "http.client", "filelock"}
    assert loaded & (ours | theirs) == set()
