"""What the newest run left, read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_samples import MACHINES

from harness.cli.built_lab import built_lab
from harness.core.errors import UsageError

from .left_lab import LeftLab


def test_the_vms_that_are_there_are_found_with_their_roles(tmp_path: Path) -> None:
    left = LeftLab(tmp_path)
    (left.vms / MACHINES[2]).rmdir()
    lab = built_lab(left.reports)
    assert [host.name for host in lab.hosts] == list(MACHINES[:2])
    assert lab.roles == {MACHINES[0]: "master", MACHINES[1]: "worker", MACHINES[2]: "worker"}
    host, machine = lab.master
    assert (host.host, machine.address) == ("192.168.6.10", "192.168.6.10")


def test_a_lab_that_was_removed_is_none(tmp_path: Path) -> None:
    left = LeftLab(tmp_path)
    for name in MACHINES:
        (left.vms / name).rmdir()
    with pytest.raises(UsageError, match="were removed") as error:
        built_lab(left.reports)
    assert "pytest scenarios/" in error.value.remedy


def test_a_lab_without_a_master_has_none(tmp_path: Path) -> None:
    left = LeftLab(tmp_path)
    (left.vms / MACHINES[0]).rmdir()
    with pytest.raises(UsageError, match="no master"):
        _ = built_lab(left.reports).master


def test_a_run_without_its_files_is_an_error_with_its_place(tmp_path: Path) -> None:
    left = LeftLab(tmp_path)
    left.files.run_json.unlink()
    with pytest.raises(UsageError, match=r"no run\.json") as error:
        built_lab(left.reports)
    assert f"lab report {left.files.directory}" in error.value.remedy
    left.files.ssh_config.write_text("Host k3s-master1\n    Port 22\n")
    with pytest.raises(UsageError, match="k3s-master1 has no 'IdentityFile'"):
        built_lab(left.reports)
    left.files.ssh_config.unlink()
    with pytest.raises(UsageError, match="left no VM"):
        built_lab(left.reports)
