"""File names of a machine and of a run."""

from __future__ import annotations

from pathlib import Path

from harness.core.layout import MachineFiles, RunFiles, cache_directory


def test_the_cache_is_where_the_environment_says(tmp_path: Path) -> None:
    assert cache_directory({"LAB_CACHE_DIR": str(tmp_path)}) == tmp_path
    assert cache_directory({}) == cache_directory({"LAB_CACHE_DIR": ""})
    assert "airgap-lab" in cache_directory({}).parts  # on Windows a directory `Cache` is below it


def test_the_files_of_a_machine_are_named_like_it() -> None:
    files = MachineFiles(Path("vms/m"), "m")
    assert [files.vmx.name, files.disk.name, files.hypervisor_log.name, files.serial(2).name] == [
        "m.vmx",
        "m.vmdk",
        "vmware.log",
        "serial-2.log",
    ]


def test_a_serial_log_is_renamed_to_a_free_name(tmp_path: Path) -> None:
    files = MachineFiles(tmp_path, "m")
    for text in ("first", "second"):
        files.serial(1).write_text(text, encoding="utf-8")
        files.set_aside(1)
    assert not files.serial(1).exists()
    assert (tmp_path / "serial-1-1.log").read_text(encoding="utf-8") == "first"
    assert (tmp_path / "serial-1-2.log").read_text(encoding="utf-8") == "second"


def test_no_two_files_of_a_run_have_one_name() -> None:
    run = RunFiles(Path("reports/x"))
    paths = [run.html, run.summary, run.junit, run.run_json, run.events, run.ssh_config, run.known_hosts]
    assert len({*paths, run.machine("m")}) == len(paths) + 1
    assert {path.parent for path in paths} == {run.directory}
