"""The checks of the finished guests, on what guests say in legal labs and in broken ones."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

from harness.config import LabSpec, load_lab
from harness.guest.channel import CommandResult
from harness.guest.testinfra_backend import lab_host

SCENARIOS = Path(__file__).parents[2] / "scenarios"
CHECKS: dict[str, Callable[..., None]] = runpy.run_path(str(SCENARIOS / "test_80_guests.py"))
CERTIFICATE = "/usr/local/seed/ca.crt"


class FakeChannel:
    """Answers a command by the first entry that is a part of it: exit status, standard output, standard error."""

    def __init__(self, says: Mapping[str, tuple[int, str, str]]) -> None:
        self._says = says

    def run(self, command: str, *, timeout_s: float, as_root: bool = False) -> CommandResult:
        status, stdout, stderr = next((said for part, said in self._says.items() if part in command), (1, "", ""))
        return CommandResult(command, status, stdout, stderr, 0.0)


def guest(**says: tuple[int, str, str]) -> Host:
    channel: Any = FakeChannel({**says, "uname": said("Linux\n")})
    return lab_host(channel, "m", 5)


def lab(**promises: object) -> LabSpec:
    spec = load_lab(SCENARIOS / "lab.yaml")
    return spec.model_copy(update={"guest": spec.guest.model_copy(update=promises)})


def said(text: str) -> tuple[int, str, str]:
    return 0, text, ""


def test_a_lab_without_kernel_settings_is_legal() -> None:
    CHECKS["test_sysctl"](guest(), lab(sysctl={}))


def test_a_kernel_setting_that_differs_is_seen() -> None:
    CHECKS["test_sysctl"](guest(sysctl=said("1\n")), lab(sysctl={"a": "1"}))
    with pytest.raises(AssertionError):
        CHECKS["test_sysctl"](guest(sysctl=said("0\n")), lab(sysctl={"a": "1"}))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul"])
def test_a_time_zone_may_be_a_link_to_another(zone: str) -> None:
    both = said("/usr/share/zoneinfo/Etc/UTC\n" * 2)
    CHECKS["test_time_zone"](guest(realpath=both), lab(timezone=zone))


@pytest.mark.parametrize(
    "answer", [said("/usr/share/zoneinfo/Asia/Seoul\n/usr/share/zoneinfo/Etc/UTC\n"), (1, "", "No such file")]
)
def test_another_time_zone_is_seen(answer: tuple[int, str, str]) -> None:
    with pytest.raises(AssertionError):
        CHECKS["test_time_zone"](guest(realpath=answer), lab(timezone="UTC"))


@pytest.mark.parametrize("names", [("br-netfilter", "overlay"), ("br_netfilter",), ()])
def test_modules_are_there_loaded_or_built_in_and_however_spelt(names: tuple[str, ...]) -> None:
    there = said("br_netfilter\nloop\noverlay\n")
    CHECKS["test_kernel_modules"](guest(modules=there), lab(kernel_modules=names))
    with pytest.raises(AssertionError):
        CHECKS["test_kernel_modules"](guest(modules=said("loop\n")), lab(kernel_modules=("br_netfilter",)))


@pytest.mark.parametrize(
    ("password_ssh", "state", "kept"),
    [
        (False, "L", True),
        (False, "P", False),
        (False, "NP", False),
        (True, "L", True),
        (True, "P", True),
        (True, "NP", False),
    ],
)
def test_a_password_is_for_labs_that_allow_it_and_an_empty_one_for_none(
    password_ssh: bool, state: str, kept: bool
) -> None:
    host = guest(passwd=said(f"ubuntu {state} 2026-01-12 0 99999 7 -1\n"), stat=said("97\n"))
    spec = lab(password_ssh=password_ssh)
    if kept:
        CHECKS["test_ssh_user_has_a_key_and_no_password"](host, spec)
        return
    with pytest.raises(AssertionError):
        CHECKS["test_ssh_user_has_a_key_and_no_password"](host, spec)


SELF_SIGNED = (
    2,
    "",
    f"error 18 at 0 depth lookup: self-signed certificate\nerror {CERTIFICATE}: verification failed\n",
)
TRUSTED = said(f"{CERTIFICATE}: OK\n")


@pytest.mark.parametrize(("lab_ca", "openssl"), [(True, TRUSTED), (False, SELF_SIGNED)])
def test_openssl_tells_whether_the_authority_is_trusted(lab_ca: bool, openssl: tuple[int, str, str]) -> None:
    CHECKS["test_lab_ca_is_trusted"](guest(find=said(f"{CERTIFICATE}\n"), openssl=openssl), lab(lab_ca=lab_ca))


@pytest.mark.parametrize(
    ("lab_ca", "openssl"),
    [
        (True, SELF_SIGNED),
        (False, TRUSTED),
        (False, (127, "", "sh: 1: openssl: not found\n")),
        (False, (2, "", f"Can't open {CERTIFICATE} for reading, Permission denied\n")),
        (False, (2, "", "error 10 at 0 depth lookup: certificate has expired\n")),
        (True, said("")),
    ],
)
def test_an_openssl_that_says_nothing_or_the_contrary_is_red(lab_ca: bool, openssl: tuple[int, str, str]) -> None:
    host = guest(find=said(f"{CERTIFICATE}\n"), openssl=openssl)
    with pytest.raises(AssertionError):
        CHECKS["test_lab_ca_is_trusted"](host, lab(lab_ca=lab_ca))
