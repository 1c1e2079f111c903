"""What the operating system tells of itself and of VMware's parts in it. Each function looks at one thing."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterable, Mapping
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

import psutil

from harness.preflight.facts import Daemon
from harness.system.windows.acl import account_sid
from harness.system.windows.logon_session import Session, is_administrator, session_number
from harness.vmrun.discovery import Kind

AUTHORIZATION_SERVICE = "VMAuthdService"
_MODULES = ("vmmon", "vmnet")  # VMware's modules of the Linux kernel
_MODULE_NAMES = " and ".join(_MODULES)
_PROC_MODULES = Path("/proc/modules")
_INSTALLED = Path("/etc/vmware")  # made by VMware's installer on Linux


def elevated(platform: str) -> bool | None:
    """Return whether this process has an administrator's rights on Windows; None elsewhere."""
    return is_administrator() if platform == "win32" else None


def session(platform: str) -> Session | None:
    """Return the logon session of this process on Windows; None elsewhere."""
    return Session(session_number(), account_sid()) if platform == "win32" else None


def account(platform: str) -> str:
    """Return this process's account as `icacls` or `chown` wants it: on Windows `*S-1-5-…`, in no language."""
    try:
        return f"*{account_sid()}" if platform == "win32" else getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "%USERNAME%" if platform == "win32" else "$USER"


def daemon(kind: Kind, platform: str) -> Daemon:
    """Return whether that runs which VMware's programs need: a service on Windows, modules of the kernel on Linux.

    Raises:
        OSError: It cannot be looked up.
    """
    if kind is Kind.EMBEDDED or platform == "darwin":
        return Daemon()
    if platform == "win32":
        return _service()
    if not _INSTALLED.exists():
        return Daemon(_MODULE_NAMES, running=False, seen=f"no {_INSTALLED.as_posix()}", installed=False)
    return loaded_modules(_PROC_MODULES.read_text(encoding="ascii", errors="replace"))


def _service() -> Daemon:
    look_up = getattr(psutil, "win_service_get", None)
    if look_up is None:
        raise OSError("only Windows has services of this kind")
    try:
        status = str(look_up(AUTHORIZATION_SERVICE).status())
    except psutil.NoSuchProcess:
        return Daemon(AUTHORIZATION_SERVICE, running=False, seen="no such service", installed=False)
    return Daemon(AUTHORIZATION_SERVICE, running=status == "running", seen=status)


def loaded_modules(text: str) -> Daemon:
    """Return whether the modules are in a list as `/proc/modules` has it: a name, a space, and more."""
    there = {line.partition(" ")[0] for line in text.splitlines()}
    missing = [name for name in _MODULES if name not in there]
    seen = f"not loaded: {', '.join(missing)}" if missing else "loaded"
    return Daemon(_MODULE_NAMES, running=not missing, seen=seen)


def adapter_addresses() -> Mapping[str, tuple[IPv4Address, ...]]:
    """Return the IPv4 addresses of this host, by adapter."""
    return {
        adapter: tuple(_ipv4(item.address for item in found if item.family == socket.AF_INET))
        for adapter, found in psutil.net_if_addrs().items()
    }


def _ipv4(texts: Iterable[str]) -> Iterable[IPv4Address]:
    for text in texts:
        try:
            yield IPv4Address(text)
        except AddressValueError:
            continue
