"""Faults of a real guest on QEMU: paused, out of disk, powered off from inside, killed, in a kernel panic, its payload
damaged, a package missing, a firewall of its own, a wrong address, the installer booted again.

`LAB_INSTALLED` names a directory with `vms/k3s-master1/` and `seeds/` of a finished lab whose machines are off, for
example `.lab` after `pytest scenarios/ --keep=always` and a power-off. The disk is copied; one boot is about a minute.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from leftovers import processes

from harness.airgap import checks
from harness.core.deadline import Deadline, Pending, wait_until
from harness.core.errors import DeadlineExpired, GuestError, HarnessError
from harness.core.layout import RunFiles
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.evidence.collector import Collector
from harness.lab.evidence.explain import explained
from harness.lab.lab import Lab
from harness.lab.opening import open_lab
from harness.lab.selection import select
from harness.machine.machine import Machine
from harness.machine.removal import remove_rest
from harness.phases import air_gap, boot, iso_copy, packages
from harness.phases.power_cycle import edit_vmx
from harness.phases.runner import run_phase
from harness.results.journal import Journal
from harness.system.ports import HeldPorts
from harness.vmware.vmx import Vmx

INSTALLED = os.environ.get("LAB_INSTALLED", "")
NAME = "k3s-master1"
BOOT_S = 400

# Reserves every free block without writing it, then fails as a program does and says so on the console.
FILL = (
    "fallocate -l $(($(stat -f -c '%f * %S' /))) /filler; cp /bin/sh /full 2> /run/reply || :; "
    "cat /run/reply > /dev/ttyS0; cat /run/reply >&2"
)

pytestmark = pytest.mark.skipif(not INSTALLED, reason="LAB_INSTALLED names no finished lab to take a disk from")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab with one machine on a copied disk, removed afterwards."""
    source = Path(INSTALLED)
    shutil.copytree(source / "seeds", tmp_path / ".lab" / "seeds", copy_function=shutil.copyfile)
    for key in (tmp_path / ".lab" / "seeds").rglob("*"):
        if key.is_file():
            key.chmod(0o600)
    (tmp_path / "scenarios").mkdir()
    lab_file = tmp_path / "scenarios" / "lab.yaml"
    shutil.copyfile(Path(__file__).parents[3] / "scenarios" / "lab.yaml", lab_file)
    run = RunFiles(tmp_path / "reports" / "run")
    with HeldPorts() as ports:
        journal = Journal(run.events)
        opened = open_lab(select(lab_file, vmrun="embedded"), run, journal, ports)
        spec = opened.context.plan.spec
        opened.context.vmrun.networks.define_network(spec.network.vmnet, spec.network.subnet)
        machine = opened.machines[NAME]
        folder = machine.plan.files.directory
        folder.mkdir(parents=True)
        for extent in (source / "vms" / NAME).glob("*.vmdk"):
            shutil.copyfile(extent, folder / extent.name)
        vmx = Vmx.parse("")
        vmx.update(machine.plan.vmx.items())
        vmx.set("sata0:1.startConnected", "FALSE")
        vmx.write(machine.plan.files.vmx)
        yield opened
        machine.ssh.close()
        with suppress(HarnessError):
            opened.context.vmrun.stop_and_verify(machine.plan.files.vmx, machine.deadline(60), soft_s=0)
        remove_rest(opened.context.vmrun, opened.context.ledger)
        journal.close()
    wait_until(
        lambda _: Pending("; ".join(left)) if (left := processes(tmp_path)) else True,
        Deadline(10),
        what="the end of every process of this lab",
    )


@pytest.fixture
def machine(lab: Lab) -> Machine:
    """The machine, booted and logged in to."""
    one = lab.machines[NAME]
    verdict = run_phase(boot, one)
    assert verdict.status is Status.PASS, str(verdict)
    return one


def error_of(machine: Machine, work: Callable[[], object], limit_s: float) -> tuple[Check, set[str]]:
    """Return the failed check with its explanation, and the evidence's names.

    The phase does that work; the check is explained as a lab does it.
    """
    deadline = machine.deadline(limit_s)
    with pytest.raises((GuestError, DeadlineExpired)) as caught:
        work()
    assert deadline.elapsed <= limit_s + 2
    error = caught.value
    check = Check("work", Status.FAIL, "", str(error), error.remedy, cause=error.what)
    collector = Collector(machine)
    condition = collector.condition()
    collector.collect(complete=True)
    verdict = explained(Verdict(Phase.PACKAGES, NAME, (check,), 0, 1), condition, collector.texts)
    print(verdict.checks[0])  # noqa: T201  (for the reader of a failure)
    return verdict.checks[0], {path.name for path in collector.target.iterdir()}


def nothing(machine: Machine, limit_s: float) -> Callable[[], object]:
    """Wait for something that does not come."""
    return lambda: machine.wait_for("the fault", lambda: None, machine.deadline(limit_s))


def ask(machine: Machine, command: str) -> None:
    """Ask for something that may end the guest before it answers."""
    with suppress(GuestError):
        machine.ssh.run(f"nohup sh -c 'sleep 1; {command}' >/dev/null 2>&1 &", 20, as_root=True)


def test_paused_then_full_then_panic(lab: Lab, machine: Machine) -> None:
    vmrun, vmx = lab.context.vmrun, machine.plan.files.vmx
    vmrun.pause(vmx)
    check, _ = error_of(machine, lambda: machine.ssh.run("true", 5), 5)
    assert check.why.startswith("the machine is paused: ")
    vmrun.unpause(vmx)

    machine.ssh.connect(machine.deadline(120))
    filled = machine.ssh.run(FILL, 60, as_root=True)
    assert "No space left on device" in filled.stderr
    machine.console.listen()
    assert machine.console.started
    check, names = error_of(machine, lambda: machine.ssh.run("sleep 60", 3), 3)
    assert "the console says: a file system in the guest is full" in check.why
    assert {"journal.log", "network.txt", "system.txt", "cloud-init.log", "dpkg.log", "serial-1.log"} <= names
    assert f"inet {machine.plan.address}/24" in (lab.run.machine(NAME) / "network.txt").read_text()

    ask(machine, "echo c > /proc/sysrq-trigger")
    check, names = error_of(machine, nothing(machine, 60), 60)
    assert "kernel panic: sysrq triggered crash" in check.why
    for name in ("cloud-init.log", "dpkg.log"):
        (lab.run.machine(NAME) / name).unlink()
    vmrun.stop_and_verify(vmx, machine.deadline(60), soft_s=0)
    Collector(machine).read_disk(machine.deadline(120))
    assert "Cloud-init v." in (lab.run.machine(NAME) / "cloud-init.log").read_text()
    assert "status installed" in (lab.run.machine(NAME) / "dpkg.log").read_text()


def test_powered_off_from_inside(machine: Machine) -> None:
    ask(machine, "poweroff -f")
    check, names = error_of(machine, nothing(machine, 60), 60)
    assert check.why.startswith("the machine is off: ")
    assert "the guest powered itself off" in check.why
    assert "dpkg.log" in names, "read from the stopped disk"


def test_hypervisor_process_killed(machine: Machine) -> None:
    folder = str(machine.plan.files.directory)
    (qemu,) = [p for p in psutil.process_iter() if "qemu-system" in p.name() and folder in " ".join(p.cmdline())]
    qemu.kill()
    check, _ = error_of(machine, nothing(machine, 60), 60)
    assert "the hypervisor's process ended (-9)" in check.why


def first_line(verdict: Verdict) -> str:
    """Return the first line of a phase's first broken check."""
    assert verdict.status is Status.FAIL, str(verdict)
    return next(f"{check.name}: {check.why}" for check in verdict.checks if check.status is Status.FAIL)


def change(machine: Machine, command: str) -> None:
    """Run that command in the guest as root."""
    reply = machine.ssh.run(command, 60, as_root=True)
    assert reply.ok, reply.stderr


def test_payload_damaged_then_package_missing_then_another_source(machine: Machine) -> None:
    markers = machine.context.plan.spec.markers
    # The disk is another run's, whose nonce its marker has.
    change(machine, f"""sed -i 's/"nonce": "[^"]*"/"nonce": "{machine.plan.nonce}"/' {markers.iso_copy}""")
    for sound in (iso_copy, packages):
        verdict = run_phase(sound, machine)
        assert verdict.status is Status.PASS, str(verdict)

    change(machine, f"printf x >> {markers.payload}/build-timestamp")
    assert first_line(run_phase(iso_copy, machine)) == "payload: damaged: build-timestamp"
    change(machine, f"rm {markers.payload}/build-timestamp; echo > {markers.iso_copy}")
    verdict = run_phase(iso_copy, machine)
    assert first_line(verdict).startswith("marker: ")
    assert verdict.checks[1].why == "missing: build-timestamp"

    change(machine, "dpkg --force-depends --remove htop")
    assert first_line(run_phase(packages, machine)).startswith("dpkg: not installed: htop ")
    change(machine, "touch /var/lib/apt/lists/deb.debian.org_debian_dists_stable_InRelease")
    assert run_phase(packages, machine).checks[2].why.startswith("apt has read deb.debian.org_")


def test_a_firewall_of_the_guest_proves_no_air_gap(lab: Lab) -> None:
    lab.context.gateway.open()
    if lab.context.gateway.no_registry:
        pytest.skip(f"without a registry there is no gateway: {lab.context.gateway.no_registry}")
    machine = lab.machines[NAME]
    assert run_phase(boot, machine).status is Status.PASS
    lab.context.barrier.expect([NAME])
    by_name = {check.name: check for check in run_phase(air_gap, machine).checks}
    assert {by_name[check.name].seen for check in checks.CLOSED} == {"no answer"}
    # The first is an error for who asks (EACCES), the second (EINVAL) and the third are not.
    change(machine, "ip rule add ipproto udp dport 53 prohibit && ip rule add ipproto udp dport 123 blackhole")
    change(machine, "ip route add prohibit 8.8.8.8")
    lab.context.gateway.close()
    for file in (lab.run.directory / "network").glob("*.pcap"):
        file.unlink()
    lab.context.gateway.open()
    by_name = {check.name: check for check in run_phase(air_gap, machine).checks}
    assert {by_name[check.name].status for check in checks.CLOSED} == {Status.NOT_PROVEN}
    assert by_name["no TCP"].seen.startswith("2 of 8 probes did not leave the guest: 8.8.8.8 port 53: ")
    assert by_name["no NTP"].seen.startswith("2 of 2 probes did not leave the guest: ")
    assert by_name["nothing left the network"].status is Status.PASS


def test_wrong_address(lab: Lab, machine: Machine) -> None:
    address, other = machine.plan.address, machine.plan.address + 89
    change(machine, f"sed -i 's/{address}/{other}/' /etc/netplan/*.yaml")
    before = machine.facts.boot_id
    machine.power.off(machine.deadline(120))
    edit_vmx(machine, 2, attached=False)
    machine.power.on(2, machine.deadline(60))
    booted = lambda: machine.console.last("boot-complete")  # noqa: E731  (asked again and again)
    machine.wait_for("the guest to have booted", booted, machine.deadline(BOOT_S))
    check, _ = error_of(machine, lambda: machine.ssh.connect(machine.deadline(15), not_boot_id=before), 15)
    assert check.why.startswith(f"the guest has {other}, not {address}: ")


def test_reinstall_loop(lab: Lab) -> None:
    machine = lab.machines[NAME]
    edit_vmx(machine, 1, attached=True)
    vmx = Vmx.read(machine.plan.files.vmx)
    vmx.set("bios.bootOrder", "cdrom,hdd")
    vmx.write(machine.plan.files.vmx)
    line = first_line(run_phase(boot, machine))
    assert line.startswith("ssh login: the machine booted its seed ISO although it is installed (reinstall loop)")
