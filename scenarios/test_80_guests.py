"""The finished guests are as the lab file promises (testinfra)."""

from __future__ import annotations

import functools
import hashlib
import re
import shlex
import time
from collections.abc import Callable, Mapping
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

import pytest
from testinfra.host import Host

from harness.config import LabSpec
from harness.config.model import SeedSource
from harness.core.verdict import Phase, Status
from harness.guest import inventory
from harness.guest.inventory import Planned
from harness.image.spec import guest_file_text
from harness.phases.iso_copy import compare_payload
from harness.phases.packages import DPKG, damaged_files, parse_dpkg, verify_command

if TYPE_CHECKING:
    from harness.lab.lab import Lab

Seen = dict[str, list[str]]
Promised = Callable[[object, object], None]  # records what is expected and what was seen, for the report

pytestmark = pytest.mark.phase("guests")

# openssl-verification-options(1): no trusted certificate at the chain's end, in the ways that a trust store lacks one.
UNTRUSTED = re.compile(r"\berror (2|18|19|20|21) at \d+ depth lookup")


@pytest.fixture
def planned(host: Host, spec: LabSpec, lab: Lab, machine_name: str) -> Planned:
    """What the lab file plans for this guest."""
    address = IPv4Interface(f"{spec.machines[machine_name].address}/{spec.network.subnet.prefixlen}")
    guest, ssh = spec.guest, spec.ssh
    key = host.backend.lab_key
    ways = (guest.password_ssh, guest.root_ssh)
    elsewhere = not lab.machines[machine_name].sends_events  # the seed was not built here
    names = list(spec.machines)
    following = names[(names.index(machine_name) + 1) % len(names)]
    neighbour = spec.machines[following].address if following != machine_name else None
    return Planned(address, spec.network.gateway, ssh.port, ssh.user, key, *ways, elsewhere, neighbour)


@functools.lru_cache
def _inventory(host: Host, planned: Planned) -> Seen:
    with host.sudo():
        return inventory.parse_inventory(host.run(inventory.inventory_command(planned)).stdout)


@pytest.fixture
def seen(host: Host, planned: Planned) -> Seen:
    """What the guest has; one command for all tests that use it."""
    return _inventory(host, planned)


def _nothing(promised: Promised, expected: str, wrong: list[str]) -> None:
    promised(expected, "; ".join(wrong) or expected)
    assert not wrong, "; ".join(wrong)


def test_host_name(host: Host, machine_name: str, promised: Promised) -> None:
    name = host.check_output("hostname")
    promised(machine_name, name)
    assert name == machine_name


def test_address(host: Host, machine_name: str, spec: LabSpec, promised: Promised) -> None:
    address = f"{spec.machines[machine_name].address}/{spec.network.subnet.prefixlen}"
    seen = host.check_output("ip -o -4 address show scope global")
    promised(address, seen)
    assert f" inet {address} " in seen


def test_default_route_leads_to_the_gateway(host: Host, spec: LabSpec, promised: Promised) -> None:
    seen = host.check_output("ip -4 route show default")
    promised(f"a default route via {spec.network.gateway}", seen)
    assert f"via {spec.network.gateway} " in seen + " "


def test_no_further_device(seen: Seen, spec: LabSpec, promised: Promised) -> None:
    drives = 2 if spec.seeds.source is SeedSource.UBUNTU else 1  # the installer, and the data beside it
    wrong = inventory.further_devices(seen, drives)
    _nothing(promised, f"one disk, at most {drives} CD drive(s), one network card", wrong)


def test_no_further_address_or_route(seen: Seen, planned: Planned, promised: Promised) -> None:
    expected = f"only {planned.address}, one default route via {planned.gateway}, no further rule of routing"
    _nothing(promised, expected, inventory.further_ways(seen, planned))


def test_no_further_listener(seen: Seen, planned: Planned, promised: Promised) -> None:
    _nothing(promised, f"only port {planned.ssh_port} listens", inventory.further_listeners(seen, planned))


def test_time_zone(host: Host, spec: LabSpec, promised: Promised) -> None:
    """Some names are links to others: UTC is Etc/UTC."""
    path = f"/usr/share/zoneinfo/{spec.guest.timezone}"
    set_to, zone = host.check_output("realpath -e /etc/localtime %s", path).splitlines()
    promised(f"{spec.guest.timezone} ({zone})", set_to)
    assert set_to == zone


def test_clock_is_the_hosts(host: Host, spec: LabSpec, promised: Promised) -> None:
    before = time.time()
    guest = float(host.check_output("date +%s.%N"))
    after = time.time()
    skew = max(before - guest, guest - after, 0.0)
    promised(f"at most {spec.guest.max_clock_skew_s} s off", f"{skew:.1f} s off")
    assert skew <= spec.guest.max_clock_skew_s, f"the guest's clock is {skew:.1f} s off: TLS will fail with x509 errors"


def test_swap(host: Host, spec: LabSpec, promised: Promised) -> None:
    areas = host.check_output("cat /proc/swaps").splitlines()[1:]
    promised("swap" if spec.guest.swap else "no swap", "; ".join(areas) or "no swap")
    assert bool(areas) is spec.guest.swap


def test_sysctl(host: Host, spec: LabSpec, promised: Promised) -> None:
    keys = " ".join(spec.guest.sysctl)
    reply = host.check_output(f"/sbin/sysctl -n {keys}").split("\n") if keys else []
    seen = dict(zip(spec.guest.sysctl, reply, strict=True))
    promised(_settings(spec.guest.sysctl), _settings(seen))
    assert seen == spec.guest.sysctl


def test_kernel_modules(host: Host, spec: LabSpec, promised: Promised) -> None:
    """Built-in modules have no directory in /sys; `-` equals `_`."""
    reply = host.check_output(r"ls /sys/module; sed 's|.*/||; s|\.ko$||' /lib/modules/$(uname -r)/modules.builtin")
    there = {line.replace("-", "_") for line in reply.splitlines()}
    missing = [name for name in spec.guest.kernel_modules if name.replace("-", "_") not in there]
    promised(
        f"loaded: {', '.join(spec.guest.kernel_modules)}",
        f"missing: {', '.join(missing)}" if missing else "all of them",
    )
    assert not missing, f"kernel modules are not loaded: {', '.join(missing)}"


def test_ssh_hardening(host: Host, spec: LabSpec, promised: Promised) -> None:
    """Ask the running configuration, not the file: a drop-in may say otherwise."""
    with host.sudo():
        effective = host.check_output("/usr/sbin/sshd -T -C user=root,host=localhost,addr=127.0.0.1").lower()
    values = dict(line.split(maxsplit=1) for line in effective.splitlines() if " " in line)
    seen = {setting: values[setting] for setting in ("passwordauthentication", "permitrootlogin")}
    allowed = {setting: value != "no" for setting, value in seen.items()}
    wanted = {"passwordauthentication": spec.guest.password_ssh, "permitrootlogin": spec.guest.root_ssh}
    promised(_settings(_words(wanted)), _settings(seen))
    assert allowed == wanted


def test_no_further_login(seen: Seen, planned: Planned, promised: Promised) -> None:
    """From the guest's own address on the lab's network: by configuration, and tried."""
    _nothing(promised, "only the promised ways to log in", inventory.open_logins(seen, planned))


def test_no_further_login_from_a_neighbour(seen: Seen, planned: Planned, promised: Promised) -> None:
    """Try it at the guest that follows in the lab file: its sshd may trust the lab's other addresses."""
    if planned.neighbour is None:
        promised("no other guest in this lab", "none")
        return
    if inventory.neighbour_is_silent(seen):
        pytest.skip(f"not proven: {planned.neighbour} did not answer")
    expected = f"{planned.neighbour} refuses logins without a key"
    _nothing(promised, expected, inventory.neighbour_logins(seen, planned))


def test_root_login_is_as_promised(host: Host, spec: LabSpec, promised: Promised) -> None:
    """Try it from this computer: without a key, then with the lab's."""
    offered, accepted = host.backend.try_login("root")
    allowed = {"publickey", "password", "keyboard-interactive"} if spec.guest.password_ssh else {"publickey"}
    words = {True: "root logs in with the lab's key", False: "root is refused with the lab's key"}
    expected = f"{words[spec.guest.root_ssh]}; offered at most: {', '.join(sorted(allowed))}"
    promised(expected, f"{words[accepted]}; offered: {', '.join(offered)}")
    assert set(offered) <= allowed, f"sshd offers root {', '.join(offered)}"
    assert accepted is spec.guest.root_ssh, words[accepted]


def test_no_further_account_password_or_key(seen: Seen, planned: Planned, promised: Promised) -> None:
    expected = f"the accounts root and {planned.user}, and the lab's key"
    _nothing(promised, expected, inventory.further_accounts(seen, planned))


def test_the_next_boot_finds_its_settings(seen: Seen, planned: Planned, spec: LabSpec, promised: Promised) -> None:
    if spec.seeds.source is not SeedSource.BUILT:
        pytest.skip("not proven: the files of a seed that was built elsewhere are not known")
    wrong = inventory.breaks_at_next_boot(seen, planned, spec.guest.sysctl, spec.guest.kernel_modules)
    _nothing(promised, "units enabled; sysctl, modules and network in files", wrong)


def test_no_program_hides_a_packaged_one(seen: Seen, promised: Promised) -> None:
    ours = hashlib.sha256(guest_file_text("netplan.sh").encode()).hexdigest()
    _nothing(promised, "no further program in /usr/local", inventory.shadowing_programs(seen, [ours]))


def test_ssh_user_has_a_key_and_no_password_login(
    host: Host, seen: Seen, planned: Planned, spec: LabSpec, promised: Promised
) -> None:
    """Ubuntu's installer gives the account a password in any case: what counts is that no login takes it."""
    user = spec.ssh.user
    with host.sudo():
        assert host.file(f"/home/{user}/.ssh/authorized_keys").size > 0
        state = host.check_output("passwd --status %s", user).split()[1]
    has_one = ("P", "PS") if spec.guest.password_ssh or planned.installer_password else ()
    allowed = ("L", "LK", *has_one)
    wrong = inventory.open_logins(seen, planned) if state in has_one else []
    expected = f"a key; `passwd --status` is one of {', '.join(allowed)}; no password login that is not promised"
    promised(expected, "; ".join([f"a key; `passwd --status` is {state}", *wrong]))
    assert state in allowed
    assert not wrong, "; ".join(wrong)


def test_lab_ca_is_trusted(host: Host, spec: LabSpec, promised: Promised) -> None:
    certificates = host.check_output("find %s -name '*.crt'", spec.markers.payload).split()
    if not certificates:
        pytest.skip(f"not proven: the payload in {spec.markers.payload} brings no certificate authority")
    for certificate in certificates:
        reply = host.run("openssl verify -CApath /etc/ssl/certs %s", certificate)
        trusted = reply.rc == 0 and f"{certificate}: OK" in reply.stdout
        assert trusted or UNTRUSTED.search(reply.stdout + reply.stderr), f"no answer of openssl: {reply.stderr.strip()}"
        promised(_trust(certificate, trusted=spec.guest.lab_ca), _trust(certificate, trusted=trusted))
        assert trusted is spec.guest.lab_ca, reply.stderr


def test_packages_survived_the_restart(host: Host, spec: LabSpec, promised: Promised) -> None:
    found = parse_dpkg(host.check_output(DPKG))
    missing = [name for name in spec.guest.packages if found.get(name, ("", ""))[0] != "ii"]
    promised(f"{len(spec.guest.packages)} packages installed", f"{len(spec.guest.packages) - len(missing)} installed")
    assert not missing, f"not installed: {', '.join(missing)}"


def test_files_of_packages_are_undamaged(host: Host, spec: LabSpec, promised: Promised) -> None:
    found = parse_dpkg(host.check_output(DPKG))
    names = sorted({found[name].package for name in spec.guest.packages if name in found})
    wrong = damaged_files(host.run(verify_command(names)).stdout) if names else []
    _nothing(promised, "every program and library as in its package", wrong)


def test_markers_and_payload_are_still_there(host: Host, spec: LabSpec, promised: Promised) -> None:
    markers = spec.markers
    paths = [markers.payload, markers.iso_copy, markers.cloud_init, *[markers.packages] * bool(spec.guest.packages)]
    with host.sudo():
        reply = host.run(f'for path in {" ".join(map(shlex.quote, paths))}; do [ -e "$path" ] || echo $path; done')
    assert reply.rc == 0, reply.stderr
    _nothing(promised, "every marker, and the payload", [f"{path} is missing" for path in reply.stdout.split()])


def test_payload_is_that_of_the_iso(spec: LabSpec, lab: Lab, machine_name: str, promised: Promised) -> None:
    copied = lab.verdicts.known(machine_name, Phase.ISO_COPY)
    if copied is not None and not copied.carried_from:
        promised("compared with the ISO in this run", "phase iso-copy has done so")
        return
    check = compare_payload(lab.machines[machine_name], spec.deadlines_s)
    if check.status is Status.NOT_PROVEN:
        pytest.skip(f"not proven: {check.seen}")
    promised(check.expected, check.seen)
    assert check.status is Status.PASS, check.seen


def test_no_failed_units(host: Host, promised: Promised) -> None:
    listed = host.check_output("systemctl list-units --state=failed --plain --no-legend").splitlines()
    failed = [line.split()[0] for line in listed if line.strip()]
    promised("no failed unit", f"failed: {', '.join(failed)}" if failed else "none")
    assert not failed, f"failed units: {', '.join(failed)}"


def _settings(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in values.items()) or "none"


def _words(values: Mapping[str, bool]) -> dict[str, str]:
    return {key: "yes" if value else "no" for key, value in values.items()}


def _trust(certificate: str, *, trusted: bool) -> str:
    return f"{certificate} is {'trusted' if trusted else 'not trusted'}"
