"""A whole lab of stand-ins.

The repository's scenarios in a folder of their own, real seeds, and no virtual machine.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Interface
from itertools import combinations
from pathlib import Path

import paramiko
import pytest
from guest_inventory import GOOD_INVENTORY
from seed_samples import fake_image

from harness.airgap import probes
from harness.cli import seed as seeding
from harness.config import LabSpec, SeedSource, load_lab
from harness.config.model import UBUNTU_INSTALLER
from harness.guest.inventory import Planned, inventory_command
from harness.guest.lab_keys import ensure_keys
from harness.guest.nonce import NONCE_COMMAND
from harness.guest.serial import format_event
from harness.image.spec import GuestImage
from harness.lab.evidence.guest_files import QUESTIONS
from harness.phases.installation_identity import EVENT, FIELD, question
from harness.phases.packages import APT_LISTS, DPKG, verify_command
from harness.report.writer import latest_run
from harness.seed.build import write_seed_iso
from harness.seed.inspect import inspect_iso, payload_digests
from harness.seed.model import SeedSpec
from harness.system.windows.acl import keep_private
from harness.vmware.vmx import Vmx

from .fake_guest_shell import FakeShellGuest
from .fake_vmrun import SUFFIX, FakeVmrun, PoweredGuest

REPOSITORY = Path(__file__).parents[2]
MACHINES = ("k3s-master1", "k3s-worker1", "k3s-worker2")
INSTALLER = ("installer-start", "disk-written", "copied", "installer-done")
SYSTEM = ("boot", "cloud-init", "ssh-ready", EVENT, "boot-complete")
EVENTS = (*INSTALLER, *SYSTEM)
BUILT = "2026-01-12T09:30:00+00:00"
OVERLAY = f"""\
  stand-in:
    vm_directory: ../vms
    seeds:
      source: built
      directory: ../seeds
    ssh:
      key: ../seeds/ssh/id_ed25519
      reach: forwarded
    hypervisor:
      vmrun: ../bin/vmrun{SUFFIX}
    hardware:
      memory_mib: 512
    deadlines_s: {{power: 10, boot: 20, iso_copy: 20, cloud_init: 20, packages: 20, restart: 20, guest_command: 20}}
"""
# For nothing here, the plugin of Hypothesis imports the whole package at the end of each session, and that for
# exceptions which cannot be raised collects garbage ten times, as the outer session does: a third of a second each.
NO_PLUGINS = ("cacheprovider", "hypothesispytest", "unraisableexception")
OPTIONS = (*(word for name in NO_PLUGINS for word in ("-p", f"no:{name}")), "--overlay=stand-in")
GIB = 1 << 30
_DEBIAN = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'


@dataclass
class FakeFacts:
    """Free disk space and memory of the host."""

    free_disk: int = 100 * GIB
    free_memory: int = 16 * GIB


@dataclass
class FakeGuestState:
    """One guest over all its boots.

    Attributes:
        says: Command -> (exit status, output), in place of what a good guest says.
        silent: Guest events that are not sent.
        identity: Name -> value, in place of what a good guest prints of who it is.
        console: Text that each boot prints behind its events.
        fault: Done to each boot's guest as it begins, with its VMX: any fault that text alone is not.
        stale_boot: The boot that answers, instead of the one that wrote to the serial line.
        uuid: The `uuid.bios` that it was started with.
        installed: What its disk holds; None while it is blank.
    """

    says: dict[str, tuple[int, str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    identity: dict[str, str] = field(default_factory=dict)
    console: str = ""
    fault: Callable[[FakeShellGuest, Path], None] = lambda guest, vmx: None
    installed: str | None = None
    boots: int = 0
    uuid: str = ""
    stale_boot: str = ""


class FakeLab:
    """The folder of one test, with `scenarios/`, `seeds/` and `bin/vmrun`.

    Attributes:
        pytester: Runs pytest in the folder.
        vmrun: The stand-in hypervisor.
        guests: By machine.
    """

    def __init__(self, pytester: pytest.Pytester, seeds: Path, facts: FakeFacts) -> None:
        self.pytester = pytester
        self.facts = facts
        self.path = pytester.path
        self.scenarios = self.path / "scenarios"
        self.seeds = self.path / "seeds"
        self.vms = self.path / "vms"
        self.lab_file = self.scenarios / "lab.yaml"
        self.guests = {name: FakeGuestState() for name in MACHINES}
        self.unknown = self.path / "guests"
        for name in ("conftest.py", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, self.path)
        shutil.copytree(REPOSITORY / "scenarios", self.scenarios, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(seeds, self.seeds)
        keep_private(self.seeds / "ssh" / "id_ed25519")  # a copy on Windows inherits from the folder
        self.edit("\noverlays:\n", f"\noverlays:\n{OVERLAY}")
        self.vmrun = FakeVmrun(self.path / "bin", self._power_on)
        self.spec: LabSpec = load_lab(self.lab_file, "stand-in")
        for name, machine in self.spec.machines.items():
            self.vmrun.addresses[str(machine.address)] = self.vmx(name)

    def vmx(self, name: str) -> Path:
        return self.vms / name / f"{name}.vmx"

    def edit(self, old: str, new: str) -> None:
        """Replace the one place of that text in the lab file."""
        text = self.lab_file.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        self.lab_file.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, *args: str, interrupted: bool = False) -> pytest.RunResult:
        """Run pytest in the folder, in this process.

        `interrupted` where Ctrl-C ends it.
        """
        words = args if any(not word.startswith("-") for word in args) else ("scenarios", *args)
        return self.pytester.runpytest_inprocess(*OPTIONS, *words, no_reraise_ctrlc=interrupted)

    def build_seed_anew(self, name: str) -> Path:
        """Write the seed ISO of a machine from other inputs: a further name in /etc/hosts."""
        specs, image = seed_inputs(self.seeds, self.path / "image")
        seed = next(one for one in specs if one.machine == name)
        path = self.seeds / self.spec.machines[name].seed
        write_seed_iso(replace(seed, peers=(*seed.peers, ("archive", "192.168.6.99"))), image, path)
        return path

    def tree(self) -> dict[str, bytes]:
        """Return every file and directory of the lab, with the content."""
        passed = re.compile(r"(reports|guests|cache)(/|$)|.*__pycache__")
        found = {}
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path).as_posix()
            if not passed.match(name):
                found[name] = path.read_bytes() if path.is_file() else b""
        return found

    @property
    def latest(self) -> Path:
        """The directory of the newest run."""
        newest = latest_run(self.path / "reports")
        assert newest is not None
        return newest

    def unknown_commands(self) -> list[str]:
        """Return the commands of guests that have no answer."""
        return [line for file in self.unknown.rglob("unknown") for line in file.read_text().splitlines()]

    def answers(self, name: str) -> dict[str, tuple[int, str]]:
        """Return the answers of a good guest, by command."""
        return good_answers(self.spec, name, self.seeds, FakeGuestState(), "")

    def close(self) -> None:
        self.vmrun.close()

    # -- guests --------------------------------------------------------------------------------------------------

    def _power_on(self, vmx_file: Path) -> PoweredGuest:
        vmx, name = Vmx.read(vmx_file), vmx_file.stem
        state = self.guests[name]
        disk = vmx_file.parent / (vmx.get("sata0:0.fileName") or "")
        if "installed" not in disk.read_text(encoding="utf-8"):
            state.installed, state.boots = secrets.token_hex(16), 0
            disk.write_text(disk.read_text(encoding="utf-8") + "# installed\n", encoding="utf-8")
        state.boots += 1
        boot_id = str(uuid.uuid4())
        state.uuid = vmx.get("uuid.bios") or ""
        nonce = re.sub(r"[ -]", "", state.uuid)
        serial = vmx_file.parent / (vmx.get("serial0.fileName") or "")
        assert not serial.exists(), "VMware would ask what to do with it"
        attached = vmx.get("sata0:1.startConnected") == "TRUE"
        who = good_identity(name, state, boot_id, self._volume(name) if attached else "")
        event_lines = (format_event(*event) for event in self._events(state, nonce, boot_id, who))
        serial.write_text("".join(f"\n{line}\n" for line in event_lines) + state.console, encoding="utf-8")
        folder = self.unknown / name / str(state.boots)
        keys = self.seeds / "ssh"
        guest = FakeShellGuest(
            folder,
            {**good_answers(self.spec, name, self.seeds, state, boot_id, who), **state.says},
            paramiko.PKey.from_path(keys / "id_ed25519"),
            paramiko.PKey.from_path(keys / "host_keys" / name / "ssh_host_ed25519_key"),
        )
        state.fault(guest, vmx_file)
        return guest

    def _volume(self, name: str) -> str:
        installer = self.seeds / UBUNTU_INSTALLER
        of_ubuntu = self.spec.seeds.source is SeedSource.UBUNTU
        return inspect_iso(installer if of_ubuntu else self.seeds / self.spec.machines[name].seed).volume_id

    def _events(
        self, state: FakeGuestState, nonce: str, boot_id: str, who: str
    ) -> list[tuple[str, str, str, Mapping[str, str] | None]]:
        installer = INSTALLER if state.boots == 1 else ()
        installing = str(uuid.uuid4())
        fields = {EVENT: {FIELD: who.rstrip()}}
        first = [(event, nonce, installing, None) for event in installer]
        then = [(event, nonce, boot_id, fields.get(event)) for event in SYSTEM]
        return [event for event in (*first, *then) if event[0] not in state.silent]


def good_identity(name: str, state: FakeGuestState, boot_id: str, volume: str) -> str:
    """Return the identity that a good guest prints, with that medium."""
    drive = {"volume": volume} if volume else {"drive": "dd: failed to open '/dev/sr0': No medium found"}
    printed = {
        "boot_id": boot_id,
        "machine_id": str(state.installed),
        "host_keys": "ssh-ed25519 AAAA root@guest",
        "instance": f"{name}-0123",
        "installer_runs": "1",
        "iso_copy": "1768210200",
        "first_boot": "config_users:17",
        **drive,
    }
    return "".join(f"{key}={value}\n" for key, value in (printed | state.identity).items())


def good_answers(
    spec: LabSpec, name: str, seeds: Path, state: FakeGuestState, boot_id: str, who: str = ""
) -> dict[str, tuple[int, str]]:
    """Return a good guest's answers to all commands of the scenarios."""
    machine, markers, guest = spec.machines[name], spec.markers, spec.guest
    sums = payload_digests(seeds / machine.seed)
    count = len(guest.packages)
    copied, nonce = markers.iso_copy, re.sub(r"[ -]", "", state.uuid)
    answers = {
        f"# {NONCE_COMMAND}": f"{state.stale_boot or boot_id}\nVMware-{state.uuid}\n",
        f"# {question(copied)}": who,
        f"# cat {copied}": f'{{"files": 7, "nonce": "{nonce}"}}\n',
        f"# cat {markers.cloud_init}": "done\n",
        f"# cat {markers.packages}": f"installed={count}\nexpected={count}\n",
        f"# cd {markers.payload} && find . -type f -exec sha256sum {{}} +": "".join(
            f"{digest}  ./{path}\n" for path, digest in sums.items()
        ),
        "# cloud-init status --format=json": '{"status": "done", "errors": [], "recoverable_errors": {}}\n',
        f"# {APT_LISTS}": "_usr_local_seed_packages_._Packages\nlock\npartial\n",
        f"# {DPKG}": "".join(f"{package} ii  1.0\n" for package in guest.packages),
        DPKG: "".join(f"{package} ii  1.0\n" for package in guest.packages),
        verify_command(sorted(guest.packages)): "",
        **good_inventory(spec, name, seeds),
    }
    answers |= {f"# {question.shell}": f"{question.name}\n" for question in QUESTIONS}
    answers |= good_guest(spec, name)
    failing = {"command -v k3s || test -x /usr/local/bin/k3s": (1, "")}
    return {**{command: (0, text) for command, text in answers.items()}, **failing, **air_gap(spec, name)}


def good_inventory(spec: LabSpec, name: str, seeds: Path) -> dict[str, str]:
    """Return the inventory of a good guest, and the markers that it still has."""
    address = IPv4Interface(f"{spec.machines[name].address}/24")
    key = paramiko.PKey.from_path(seeds / "ssh" / "id_ed25519")
    blob = f"{key.get_name()} {key.get_base64()}"
    names = list(spec.machines)
    following = names[(names.index(name) + 1) % len(names)]
    neighbour = spec.machines[following].address if following != name else None
    ways = (False, False, False)
    planned = Planned(address, spec.network.gateway, spec.ssh.port, spec.ssh.user, blob, *ways, neighbour)
    text = GOOD_INVENTORY.replace("192.168.6.10", str(address.ip)).replace("ssh-ed25519 AAAAKEY", blob)
    markers = spec.markers
    paths = " ".join((markers.payload, markers.iso_copy, markers.cloud_init, markers.packages))
    there = f'# for path in {paths}; do [ -e "$path" ] || echo $path; done'
    return {f"# {inventory_command(planned)}": text, there: ""}


def air_gap(spec: LabSpec, name: str) -> dict[str, tuple[int, str]]:
    """Return the answers of an isolated guest to the air-gap probes.

    They hold whichever of its neighbours are up.
    """
    others = [other.address for peer, other in spec.machines.items() if peer != name]
    found = {}
    for count in range(len(others) + 1):
        for there in combinations(others, count):
            out = probes.outward_probes(spec.network.dns, {})
            near = probes.peer_probes({str(address): address for address in there}, spec.ssh.port)
            registry = probes.registry_probe(spec.registry.address, spec.registry.port, "", None)
            probed = [(False, "timed out")] * len(out) + [(True, "answered")] * len(near) + [(True, "{}")]
            answers = json.dumps([{"open": answered, "tried": True, "detail": detail} for answered, detail in probed])
            found[f"# {probes.probe_command([*out, *near], registry)}"] = (0, answers)
    return found


def good_guest(spec: LabSpec, name: str) -> dict[str, str]:
    """Return a good guest's answers to the checks of finished guests."""
    machine, guest, user = spec.machines[name], spec.guest, spec.ssh.user
    payload, zone = spec.markers.payload, f"/usr/share/zoneinfo/{guest.timezone}"
    sysctl = {f"/sbin/sysctl -n {' '.join(guest.sysctl)}": "".join(f"{value}\n" for value in guest.sysctl.values())}
    return {
        "hostname": f"{name}\n",
        "ip -o -4 address show scope global": f"2: ens32    inet {machine.address}/24 brd 192.168.6.255 scope global\n",
        "ip -4 route show default": f"default via {spec.network.gateway} dev ens32\n",
        f"realpath -e /etc/localtime /usr/share/zoneinfo/{guest.timezone}": f"{zone}\n{zone}\n",
        "cat /proc/swaps": "Filename Type Size Used Priority\n",
        "ls /sys/module; sed 's|.*/||; s|\\.ko$||' /lib/modules/$(uname -r)/modules.builtin": "".join(
            f"{module}\n" for module in guest.kernel_modules
        ),
        "# /usr/sbin/sshd -T -C user=root,host=localhost,addr=127.0.0.1": (
            "port 22\npasswordauthentication no\npermitrootlogin no\n"
        ),
        f"# stat -Lc %s /home/{user}/.ssh/authorized_keys": "97\n",
        f"# passwd --status {user}": f"{user} L 2026-01-12 0 99999 7 -1\n",
        f"find {payload} -name '*.crt'": f"{payload}/ca.crt\n",
        f"openssl verify -CApath /etc/ssl/certs {payload}/ca.crt": f"{payload}/ca.crt: OK\n",
        "systemctl list-units --state=failed --plain --no-legend": "",
        "uname -s": "Linux\n",
        "uname -m": "x86_64\n",
        "cat /etc/os-release": _DEBIAN,
        "# uname -s": "Linux\n",
        "# uname -m": "x86_64\n",
        "# cat /etc/os-release": _DEBIAN,
        **sysctl,
    }


def build_seed_directory(folder: Path) -> Path:
    """Build a directory with keys and the three seed ISOs.

    They are built as `lab seed` does, from an image of a few bytes.
    """
    specs, image = seed_inputs(folder / "seeds", folder / "image")
    for seed in specs:
        write_seed_iso(seed, image, folder / "seeds" / seed.iso_name)
    return folder / "seeds"


def seed_inputs(seeds: Path, image_directory: Path) -> tuple[list[SeedSpec], GuestImage]:
    """Return what the three seed ISOs are built from, with the keys of that seed directory."""
    spec = load_lab(REPOSITORY / "scenarios" / "lab.yaml", "embedded")
    image = fake_image(image_directory)
    for package in spec.guest.packages:
        (image.packages / f"{package}_1.0_all.deb").write_bytes(b"deb")
    return seeding.seed_specs(spec, ensure_keys(seeds, list(spec.machines)), BUILT), image


MakeLab = Callable[[], FakeLab]
