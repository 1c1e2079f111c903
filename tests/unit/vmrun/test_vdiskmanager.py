from __future__ import annotations

from pathlib import Path

import pytest
from fake_disk import single_disk, split_disk
from fake_run import FakeRun, not_started

from harness.core.errors import ProcessError
from harness.vmrun.vdiskmanager import CREATE_TYPES, DiskDenied, DiskExists, DiskFull, create_argv, create_disk
from harness.vmware.vmdk import DiskError, inspect_disk

TOOL = (r"C:\Program Files (x86)\VMware\VMware Workstation\vmware-vdiskmanager.exe",)


def test_the_numbers_of_the_tool_are_the_create_types_of_its_disks(tmp_path: Path) -> None:
    assert CREATE_TYPES[0] == inspect_disk(single_disk(tmp_path)).create_type
    assert CREATE_TYPES[1] == inspect_disk(split_disk(tmp_path)).create_type


def test_create_runs_exactly_this_command_and_reads_the_disk_back(tmp_path: Path) -> None:
    path = tmp_path / "my disk.vmdk"
    argv = (*TOOL, "-c", "-s", "40GB", "-a", "lsilogic", "-t", "1", str(path))
    output = f"Creating disk '{path}'\r\nVirtual disk creation successful.\r\n".encode()
    run = FakeRun().on(*argv, says=output, then=lambda: split_disk(tmp_path))
    info = create_disk(TOOL, path, 40, 1, env={"VMRUN_QEMU_HOME": "x"}, run=run)
    assert info.create_type == "twoGbMaxExtentSparse"
    assert run.envs == [{"VMRUN_QEMU_HOME": "x"}]


def test_a_success_without_a_disk_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.vmdk"
    run = FakeRun().on(*create_argv(("t",), path, 4, 1, "lsilogic"), says="Virtual disk creation successful.\n")
    with pytest.raises(DiskError, match="No such file"):
        create_disk(("t",), path, 4, run=run)


@pytest.mark.parametrize("code", [0, 1, 4294967295])
@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("Failed to create disk: The file already exists (0xc).", DiskExists),
        ("Failed to create disk: There is not enough space on the file system (0x8).", DiskFull),
        ("Failed to create disk: Insufficient permission to access the file (0x2400000009).", DiskDenied),
        ("Failed to create disk: One of the parameters supplied is invalid (0x3e80).", DiskError),
        ("Failed to create disk: something else", DiskError),
    ],
)
def test_each_failure_has_its_class_whatever_the_exit_status(
    tmp_path: Path, code: int, output: str, kind: type[DiskError]
) -> None:
    path = split_disk(tmp_path)
    run = FakeRun().on(*create_argv(("t",), path, 4, 1, "lsilogic"), says=(f"{output}\r\n".encode(), code))
    with pytest.raises(DiskError) as caught:
        create_disk(("t",), path, 4, run=run)
    assert type(caught.value) is kind
    assert output in caught.value.detail
    assert caught.value.remedy


def test_a_silent_failure_is_a_failure(tmp_path: Path) -> None:
    path = split_disk(tmp_path)
    run = FakeRun().on(*create_argv(("t",), path, 4, 1, "lsilogic"), says=("", 1))
    with pytest.raises(DiskError, match="exit 1"):
        create_disk(("t",), path, 4, run=run)


def test_a_tool_that_cannot_start(tmp_path: Path) -> None:
    path = tmp_path / "a.vmdk"
    run = FakeRun().on(*create_argv(("t",), path, 4, 1, "lsilogic"), says=not_started())
    with pytest.raises(ProcessError):
        create_disk(("t",), path, 4, run=run)
