from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lab_file import LAB_FILE, changed

from harness.cli.plan import plan_text
from harness.config.loader import build
from harness.config.plan import LabPlan, make_plan
from harness.lab.selection import Selection
from harness.vmrun.discovery import Hypervisor, Kind

from .command_line import CommandLine, files_below


def plan_of(overlay: str | None = None, ports: tuple[int, ...] = ()) -> LabPlan:
    return make_plan(build(changed(), LAB_FILE, overlay), LAB_FILE, overlay=overlay, run_id="run", ports=ports)


def selection(plan: LabPlan) -> Selection:
    tools = Hypervisor(Kind.EMBEDDED, ("python", "-m", "vmrun"), ("vdisk",), "QEMU 7.2", host_type="player")
    return Selection(LAB_FILE, plan.spec, plan.overlay, tools)


def test_the_command_prints_everything_and_changes_nothing(lab: CommandLine, tmp_path: Path) -> None:
    before = files_below(tmp_path)
    result = lab("plan")
    assert result.exit_code == 0
    assert "hypervisor   vmware: no-such-vmrun" in result.output
    assert "k3s-worker2 (worker), 192.168.6.12, ssh at 192.168.6.12:22" in result.output
    assert files_below(tmp_path) == before


def test_the_text_has_every_file_key_command_and_number() -> None:
    plan = plan_of(overlay="embedded", ports=(2201, 2202, 2203))
    text = plan_text(selection(plan), plan)
    for machine in plan.machines:
        for value in (machine.files.vmx, machine.files.disk, machine.files.serial(1), machine.seed, machine.address):
            assert str(value) in text
        for key, text_value in machine.vmx.items():
            assert f"{key} = {text_value!r}" in text
    for shown in (
        "3072 MiB for 3 machines",
        "127.0.0.1:2202",
        "hardware.memory_mib = 1024",
        "boot 900 s",
        "keep: always",
    ):
        assert shown in text
    assert "-c -s 40GB -a lsilogic -t 1" in text
    assert "-T player start" in text


def test_the_text_shows_ports_that_are_chosen_later_and_that_there_is_no_overlay() -> None:
    assert "127.0.0.1:<free port>" in plan_text(selection(plan_of(overlay="embedded")), plan_of(overlay="embedded"))
    assert "overlay      none" in plan_text(selection(plan_of()), plan_of())


def test_the_command_loads_no_phase_and_no_driver() -> None:
    """The phases and what they drive are a third of the start-up time."""
    code = "import sys, harness.cli.plan; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "harness.cli.plan" in done.stdout.split()
    assert [name for name in done.stdout.split() if name.startswith(("harness.phases", "harness.vmrun.driver"))] == []


def test_the_text_shows_what_the_payload_brings_and_its_size(tmp_path: Path) -> None:
    lab_file = tmp_path / "lab.yaml"
    (tmp_path / "k3s-v1").write_bytes(bytes(3 << 20))
    payload = (
        "payload: {k3s: {binary: k3s-v1, images: [images.tar]}, "
        f"files: [{{source: 'https://files.example/motd', sha256: {'a' * 64}}}]}}\n"
    )
    spec = build(changed() + payload, lab_file, "embedded,k3s")
    plan = make_plan(spec, lab_file, overlay="embedded,k3s", run_id="run", ports=())
    text = plan_text(selection(plan), plan)
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith("  ") and line.split()}
    assert rows["k3s/k3s"][1:] == ["3.0", "MiB", "k3s-v1"]
    assert rows["images/images.tar"][1:] == ["missing", "images.tar"]
    assert rows["extra/motd"][1:] == ["to", "download", "https://files.example/motd"]
    assert "payload      3 files, 3.0 MiB known, to /usr/local/seed of every guest" in text
    assert "k3s/k3s to /usr/local/bin/k3s" in text
    assert "overlay      embedded,k3s" in text
    assert "machines.k3s-master1.memory_mib = 2048" in text


def test_the_text_of_a_lab_without_a_payload_has_none() -> None:
    assert "payload  " not in plan_text(selection(plan_of()), plan_of())
