"""Collect facts of the operating system and of VMware's parts in it."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterable, Mapping
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

import psutil

from harness.preflight.facts import Daemon
from harness.system.windows.acl import account_sid
from harness.system.windows.drives import Drive, drives
from harness.system.windows.logon_session import Session, is_administrator, session_number
from harness.vmrun.discovery import Kind

AUTHORIZATION_SERVICE = "VMAuthdService"
_MODULES = ("vmmon", "vmnet")  # VMware's modules of the Linux kernel
_MODULE_NAMES = " and ".join(_MODULES)
_PROC_MODULES = Path("/proc/modules")
_INSTALLED = Path("/etc/vmware")  # made by VMware's installer on Linux


def elevated(platform: str) -> bool | None:
    """Return whether this process has administrator rights on Windows; None elsewhere."""
    return is_administrator() if platform == "win32" else None


def present_drives(platform: str) -> tuple[Drive, ...]:
    """Return the drives of a Windows host; none elsewhere."""
    return drives() if platform == "win32" else ()


def session(platform: str) -> Session | None:
    """Return the logon session of this process on Windows; None elsewhere."""
    return Session(session_number(), account_sid()) if platform == "win32" else None


def account(platform: str) -> str:
    """Return the account of this process for `icacls` or `chown`.

    On Windows it is `*S-1-5-…`, which does not depend on the language.
    """
    try:
        return f"*{account_sid()}" if platform == "win32" else getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "%USERNAME%" if platform == "win32" else "$USER"


def daemon(kind: Kind, platform: str, service: str = AUTHORIZATION_SERVICE) -> Daemon:
    """Return the state of VMware's service (Windows) or kernel modules (Linux).

    Raises:
        OSError: The state cannot be read.
    """
    if kind is Kind.EMBEDDED or platform == "darwin":
        return Daemon()
    if platform == "win32":
        return _service(service)
    if not _INSTALLED.exists():
        return Daemon(_MODULE_NAMES, running=False, seen=f"no {_INSTALLED.as_posix()}", installed=False)
    return loaded_modules(_PROC_MODULES.read_text(encoding="ascii", errors="replace"))


def _service(name: str) -> Daemon:
    look_up = getattr(psutil, "win_service_get", None)
    if look_up is None:
        raise OSError("only Windows has such services")
    try:
        status = str(look_up(name).status())
    except psutil.NoSuchProcess:
        return Daemon(name, running=False, seen="no such service", installed=False)
    return Daemon(name, running=status == "running", seen=status)


def loaded_modules(text: str) -> Daemon:
    """Parse the text of `/proc/modules`: name, space, and further fields."""
    loaded = {line.partition(" ")[0] for line in text.splitlines()}
    missing = [name for name in _MODULES if name not in loaded]
    seen = f"not loaded: {', '.join(missing)}" if missing else "loaded"
    return Daemon(_MODULE_NAMES, running=not missing, seen=seen)


def adapter_addresses() -> Mapping[str, tuple[IPv4Address, ...]]:
    """Return the IPv4 addresses of this host by adapter."""
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
