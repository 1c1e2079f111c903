"""The tests of the guests against good and broken guests."""

from __future__ import annotations

import functools
import inspect
import runpy
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from guest_inventory import GOOD_INVENTORY
from testinfra.host import Host

from harness.config import LabSpec, load_lab
from harness.core.verdict import Phase, Verdict
from harness.guest.channel import CommandResult
from harness.guest.inventory import Planned, parse_inventory
from harness.guest.testinfra_backend import lab_host
from harness.lab.verdicts import Verdicts
from harness.results.journal import Journal
from harness.seed.model import PayloadFile

SCENARIOS = Path(__file__).parents[3] / "scenarios"


RECORDED: list[str] = []


def record(_expected: object, seen: object) -> None:
    """Keep what a test saw, in place of the fixture `promised`."""
    RECORDED.append(str(seen))


def _checks() -> dict[str, Callable[..., None]]:
    """Return the tests of the guests."""
    found = {name: one for name, one in runpy.run_path(str(SCENARIOS / "test_80_guests.py")).items() if callable(one)}
    tests = {name: one for name, one in found.items() if name.startswith("test_")}
    return {
        name: functools.partial(one, promised=record) if "promised" in inspect.signature(one).parameters else one
        for name, one in tests.items()
    }


CHECKS = _checks()
CERTIFICATE = "/usr/local/seed/ca.crt"
NAME = "k3s-master1"
ADDRESS, GATEWAY = IPv4Interface("192.168.6.10/24"), IPv4Address("192.168.6.1")


class FakeChannel:
    """Answers a command with the first matching entry.

    An entry matches a command that it is a part of. An answer is exit status, standard output and standard error.
    """

    lab_key = "ssh-ed25519 AAAAKEY"

    def __init__(self, says: Mapping[str, tuple[int, str, str]]) -> None:
        self._says = says
        self.root: tuple[tuple[str, ...], bool] = (("publickey",), False)

    def try_login(self, user: str, timeout_s: float) -> tuple[tuple[str, ...], bool]:
        assert (user, timeout_s) == ("root", 5)
        return self.root

    def run(self, command: str, *, timeout_s: float, as_root: bool = False) -> CommandResult:
        status, stdout, stderr = next((printed for part, printed in self._says.items() if part in command), (1, "", ""))
        return CommandResult(command, status, stdout, stderr, 0.0)


def guest(**says: tuple[int, str, str]) -> Host:
    channel: Any = FakeChannel({**says, "uname": printed("Linux\n")})
    return lab_host(channel, "m", 5)


def lab(**promises: object) -> LabSpec:
    spec = load_lab(SCENARIOS / "lab.yaml")
    return spec.model_copy(update={"guest": spec.guest.model_copy(update=promises)})


def printed(text: str) -> tuple[int, str, str]:
    return 0, text, ""


def look(check: str, answers: Mapping[str, tuple[int, str, str]], **promises: object) -> None:
    """Run a check on a guest with these answers, in a lab with these promises."""
    known = {"host": guest(**answers), "spec": lab(**promises), "machine_name": NAME, "promised": record}
    wanted = inspect.signature(CHECKS[check]).parameters
    CHECKS[check](**{word: known[word] for word in wanted})


SWAPS = "Filename Type Size Used Priority\n"
SWAPPING = f"{SWAPS}/swap.img file 1048572 0 -2\n"


@pytest.mark.parametrize(
    ("check", "promises", "asked", "kept", "broken"),
    [
        ("test_host_name", {}, "hostname", f"{NAME}\n", ("localhost\n", f"{NAME}.local\n", "")),
        (
            "test_address",
            {},
            "ip -o",
            "2: ens32    inet 192.168.6.10/24 brd 192.168.6.255 scope global\n",
            ("2: ens32    inet 192.168.6.100/24 brd x\n", "2: ens32    inet 192.168.6.10/16 brd x\n", ""),
        ),
        (
            "test_default_route_leads_to_the_gateway",
            {},
            "ip -4 route",
            "default via 192.168.6.1 dev ens32\n",
            ("default via 192.168.6.11 dev ens32\n", ""),
        ),
        ("test_swap", {"swap": False}, "swaps", SWAPS, (SWAPPING,)),
        ("test_swap", {"swap": True}, "swaps", SWAPPING, (SWAPS,)),
        (
            "test_packages_survived_the_restart",
            {"packages": ("jq", "htop")},
            "dpkg-query",
            "jq ii  1.6\nhtop ii  3\n",
            ("jq rc  1.6\nhtop ii  3\n", "htop ii  3\n", ""),
        ),
        ("test_no_failed_units", {}, "systemctl", "", ("dev-sdb.swap loaded failed failed Swap\n",)),
    ],
)
def test_a_promise_that_is_not_kept_is_red(
    check: str, promises: dict[str, object], asked: str, kept: str, broken: tuple[str, ...]
) -> None:
    look(check, {asked: printed(kept)}, **promises)
    for answer in (*map(printed, broken), (1, kept, "")):
        with pytest.raises(AssertionError):
            look(check, {asked: answer}, **promises)


def test_a_clock_that_is_off_is_red_however_it_is_off() -> None:
    look("test_clock_is_the_hosts", {"date": printed(f"{time.time()}\n")}, max_clock_skew_s=60)
    for skew in (-90, 90):
        with pytest.raises(AssertionError, match="s off"):
            look("test_clock_is_the_hosts", {"date": printed(f"{time.time() + skew}\n")}, max_clock_skew_s=60)


@pytest.mark.parametrize(
    ("password_ssh", "root_ssh", "password", "root", "kept"),
    [
        (False, False, "no", "no", True),
        (True, False, "yes", "no", True),
        (False, True, "no", "yes", True),
        (False, False, "yes", "no", False),
        (False, False, "no", "yes", False),
        (False, False, "no", "prohibit-password", False),
        (True, False, "no", "no", False),
        (False, True, "no", "no", False),
    ],
)
def test_sshd_lets_in_whom_the_lab_file_says(
    password_ssh: bool, root_ssh: bool, password: str, root: str, kept: bool
) -> None:
    answers = {"sshd": printed(f"port 22\npermitrootlogin {root}\npasswordauthentication {password}\n")}
    promises = {"password_ssh": password_ssh, "root_ssh": root_ssh}
    if kept:
        look("test_ssh_hardening", answers, **promises)
        return
    with pytest.raises(AssertionError):
        look("test_ssh_hardening", answers, **promises)
    assert f"passwordauthentication = {password}" in RECORDED[-1]
    assert f"permitrootlogin = {root}" in RECORDED[-1]


@pytest.mark.parametrize(
    ("root", "root_ssh", "password_ssh", "kept"),
    [
        ((("publickey",), False), False, False, True),
        ((("publickey",), True), True, False, True),
        ((("publickey", "password"), False), False, True, True),
        ((("publickey",), True), False, False, False),
        ((("publickey",), False), True, False, False),
        ((("publickey", "password"), False), False, False, False),
        ((("keyboard-interactive",), False), False, False, False),
        ((("none",), True), True, False, False),
    ],
)
def test_a_login_of_root_is_tried(
    root: tuple[tuple[str, ...], bool], root_ssh: bool, password_ssh: bool, kept: bool
) -> None:
    host, spec = guest(), lab(root_ssh=root_ssh, password_ssh=password_ssh)
    host.backend._channel.root = root
    if kept:
        CHECKS["test_root_login_is_as_promised"](host, spec)
        return
    with pytest.raises(AssertionError):
        CHECKS["test_root_login_is_as_promised"](host, spec)


def test_a_promised_program_that_is_gone_is_red() -> None:
    known = {"dpkg-query -W -f='${Package}": printed("jq ii  1.6\n")}
    check = CHECKS["test_files_of_packages_are_undamaged"]
    documents = "missing     /usr/share/man/man1/jq.1.gz\n??5?????? c /etc/jq.conf\n"
    check(guest(**{**known, "dpkg --verify": (1, documents, "")}), lab(packages=("jq",)))
    for line in ("missing     /usr/bin/jq\n", "??5??????   /usr/lib/x86_64-linux-gnu/libjq.so.1\n"):
        with pytest.raises(AssertionError):
            check(guest(**{**known, "dpkg --verify": (1, documents + line, "")}), lab(packages=("jq",)))


def test_a_marker_that_is_gone_is_red() -> None:
    check = CHECKS["test_markers_and_payload_are_still_there"]
    check(guest(**{"for path": printed("")}), lab())
    with pytest.raises(AssertionError):
        check(guest(**{"for path": printed("/usr/local/seed\n")}), lab())


def test_a_neighbour_that_lets_in_is_red_and_one_that_is_silent_proves_nothing() -> None:
    check, good = CHECKS["test_no_further_login_from_a_neighbour"], parse_inventory(GOOD_INVENTORY)
    alone = Planned(ADDRESS, GATEWAY, 22, "ubuntu", "ssh-ed25519 AAAAKEY", False, False)
    planned = replace(alone, neighbour=IPv4Address("192.168.6.11"))
    check(good, planned)
    check({**good, "neighbour": []}, alone)
    for answer in ("Permission denied (publickey,password).", ""):
        with pytest.raises(AssertionError):
            check({**good, "neighbour": [f"root root@192.168.6.11: {answer}" if answer else "root "]}, planned)
    with pytest.raises(AssertionError):
        check({**good, "neighbour": []}, planned)
    with pytest.raises(pytest.skip.Exception, match="did not answer"):
        check({**good, "neighbour": ["root ssh: connect to host 192.168.6.11 port 22: No route to host"]}, planned)


class FakeMachine:
    """A machine whose payload on the ISO is one file; it answers with a digest."""

    def __init__(self, digest: str) -> None:
        self.iso = SimpleNamespace(payload=(PayloadFile("k3s", 3, "aa"),))
        self.context = SimpleNamespace(plan=SimpleNamespace(spec=lab()))
        self.asked = 0
        self._digest = digest
        self.ssh = self

    def run(self, command: str, *_: object, **__: object) -> CommandResult:
        assert "sha256sum" in command
        self.asked += 1
        return CommandResult(command, 0, f"{self._digest}  ./k3s\n", "", 0.1)


@pytest.mark.parametrize("carried", ["", "run-1"])
@pytest.mark.parametrize("digest", ["aa", "ab"])
def test_the_payload_of_a_machine_of_an_earlier_run_is_compared_again(carried: str, digest: str) -> None:
    machine = FakeMachine(digest)
    verdicts = Verdicts(cast(Journal, SimpleNamespace()))
    verdicts.publish(Verdict(Phase.ISO_COPY, NAME, (), 0, 1, carried_from=carried))
    here = SimpleNamespace(verdicts=verdicts, machines={NAME: machine})

    def look_at_it() -> None:
        CHECKS["test_payload_is_that_of_the_iso"](lab(), here, NAME)

    if carried and digest != "aa":
        with pytest.raises(AssertionError, match="damaged: k3s"):
            look_at_it()
    else:
        look_at_it()
    assert machine.asked == (1 if carried else 0)


def test_a_user_without_a_key_is_red() -> None:
    planned = Planned(ADDRESS, GATEWAY, 22, "ubuntu", "ssh-ed25519 AAAAKEY", False, False)
    host = guest(passwd=printed("ubuntu L 2026-01-12 0 99999 7 -1\n"), stat=printed("0\n"))
    with pytest.raises(AssertionError):
        CHECKS["test_ssh_user_has_a_key_and_no_password_login"](host, parse_inventory(GOOD_INVENTORY), planned, lab())


def test_a_payload_without_an_authority_proves_nothing() -> None:
    with pytest.raises(pytest.skip.Exception, match="not proven"):
        look("test_lab_ca_is_trusted", {"find": printed("")})


def test_a_lab_without_kernel_settings_is_legal() -> None:
    CHECKS["test_sysctl"](guest(), lab(sysctl={}))


def test_a_kernel_setting_that_differs_is_seen() -> None:
    CHECKS["test_sysctl"](guest(sysctl=printed("1\n")), lab(sysctl={"a": "1"}))
    with pytest.raises(AssertionError):
        CHECKS["test_sysctl"](guest(sysctl=printed("0\n")), lab(sysctl={"a": "1"}))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul"])
def test_a_time_zone_may_be_a_link_to_another(zone: str) -> None:
    both = printed("/usr/share/zoneinfo/Etc/UTC\n" * 2)
    CHECKS["test_time_zone"](guest(realpath=both), lab(timezone=zone))


@pytest.mark.parametrize(
    "answer", [printed("/usr/share/zoneinfo/Asia/Seoul\n/usr/share/zoneinfo/Etc/UTC\n"), (1, "", "No such file")]
)
def test_another_time_zone_is_seen(answer: tuple[int, str, str]) -> None:
    with pytest.raises(AssertionError):
        CHECKS["test_time_zone"](guest(realpath=answer), lab(timezone="UTC"))


@pytest.mark.parametrize("names", [("br-netfilter", "overlay"), ("br_netfilter",), ()])
def test_modules_are_there_loaded_or_built_in_and_however_spelt(names: tuple[str, ...]) -> None:
    there = printed("br_netfilter\nloop\noverlay\n")
    CHECKS["test_kernel_modules"](guest(modules=there), lab(kernel_modules=names))
    with pytest.raises(AssertionError):
        CHECKS["test_kernel_modules"](guest(modules=printed("loop\n")), lab(kernel_modules=("br_netfilter",)))


LOCKED_OUT = ["root passwordauthentication no", "ubuntu passwordauthentication no"]
OPEN = ["root passwordauthentication yes", "ubuntu passwordauthentication yes"]


@pytest.mark.parametrize(
    ("password_ssh", "installer", "sshd", "state", "kept"),
    [
        (False, False, LOCKED_OUT, "L", True),
        (False, False, LOCKED_OUT, "P", False),
        (False, False, LOCKED_OUT, "NP", False),
        (True, False, OPEN, "L", True),
        (True, False, OPEN, "P", True),
        (True, False, OPEN, "NP", False),
        (False, True, LOCKED_OUT, "P", True),
        (False, True, OPEN, "P", False),
        (False, True, LOCKED_OUT, "NP", False),
    ],
)
def test_a_password_is_for_labs_that_allow_it_or_for_no_login_and_an_empty_one_for_none(
    password_ssh: bool, installer: bool, sshd: list[str], state: str, kept: bool
) -> None:
    """Ubuntu's installer gives the account a password; whether sshd takes it is what counts."""
    key = "ssh-ed25519 AAAAKEY"
    planned = Planned(ADDRESS, GATEWAY, 22, "ubuntu", key, password_ssh, False, installer_password=installer)
    seen = {**parse_inventory(GOOD_INVENTORY), "sshd": sshd}
    host = guest(passwd=printed(f"ubuntu {state} 2026-01-12 0 99999 7 -1\n"), stat=printed("97\n"))
    check = CHECKS["test_ssh_user_has_a_key_and_no_password_login"]
    if kept:
        check(host, seen, planned, lab(password_ssh=password_ssh))
        return
    with pytest.raises(AssertionError):
        check(host, seen, planned, lab(password_ssh=password_ssh))


SELF_SIGNED = (
    2,
    "",
    f"error 18 at 0 depth lookup: self-signed certificate\nerror {CERTIFICATE}: verification failed\n",
)
TRUSTED = printed(f"{CERTIFICATE}: OK\n")


@pytest.mark.parametrize(("lab_ca", "openssl"), [(True, TRUSTED), (False, SELF_SIGNED)])
def test_openssl_decides_whether_the_authority_is_trusted(lab_ca: bool, openssl: tuple[int, str, str]) -> None:
    CHECKS["test_lab_ca_is_trusted"](guest(find=printed(f"{CERTIFICATE}\n"), openssl=openssl), lab(lab_ca=lab_ca))


@pytest.mark.parametrize(
    ("lab_ca", "openssl"),
    [
        (True, SELF_SIGNED),
        (False, TRUSTED),
        (False, (127, "", "sh: 1: openssl: not found\n")),
        (False, (2, "", f"Can't open {CERTIFICATE} for reading, Permission denied\n")),
        (False, (2, "", "error 10 at 0 depth lookup: certificate has expired\n")),
        (True, printed("")),
    ],
)
def test_an_openssl_that_says_nothing_or_the_contrary_is_red(lab_ca: bool, openssl: tuple[int, str, str]) -> None:
    host = guest(find=printed(f"{CERTIFICATE}\n"), openssl=openssl)
    with pytest.raises(AssertionError):
        CHECKS["test_lab_ca_is_trusted"](host, lab(lab_ca=lab_ca))
