"""A hypervisor in this process, and the programs that lead to it.

These are `vmrun` and `vmware-vdiskmanager`.
"""

from __future__ import annotations

import contextlib
import marshal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil
from distlib.scripts import ScriptMaker
from fake_listener import FakeListener

USAGE = "\nvmrun version 1.17.0 build-24583834\n\nUsage: vmrun [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]\n"
NETWORKS = (
    "Total host networks: 1\n"
    "INDEX  NAME         TYPE         DHCP         SUBNET           MASK\n"
    "1      vmnet1       hostOnly     true         192.168.6.0      255.255.255.0\n"
)
# A session starts twenty of these: `json` and `socket`, written in Python, would make each take three times as long.
_CLIENT = """\
#!{python} -IS
import _socket, marshal, sys
wire = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
wire.connect(("127.0.0.1", {port}))
wire.sendall(marshal.dumps(["{name}", *sys.argv[1:]]))
wire.shutdown(_socket.SHUT_WR)
answer = b""
while piece := wire.recv(1 << 16):
    answer += piece
output, status = marshal.loads(answer)
sys.stdout.write(output)
sys.exit(status)
"""
SUFFIX = ".exe" if sys.platform == "win32" else ""
_PYTHON = "python" if SUFFIX else sys.executable  # distlib puts the whole path in the place of that word


class PoweredGuest(Protocol):
    """The guest of a machine while it runs."""

    @property
    def port(self) -> int:
        """Where its SSH listens on the loopback."""

    def close(self) -> None:
        """Lose power."""


class FakeForwarding:
    """A loopback port that leads to a running guest."""

    def __init__(self, port: int, guest: Callable[[], PoweredGuest | None]) -> None:
        self._guest = guest
        self._listener = FakeListener(port)
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._spawn(self._accept)

    def close(self) -> None:
        self._listener.close()
        for wire in self._sockets:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)
        for wire in self._sockets:
            wire.close()

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while near := self._listener.accept():
            self._sockets.append(near)
            guest = self._guest()
            if guest is None:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", guest.port))
            self._sockets.append(far)
            for wire in (near, far):
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._spawn(_pump, near, far)
            self._spawn(_pump, far, near)


def _asked(wire: socket.socket) -> list[str]:
    """Return the received program and words.

    Nothing where the client was killed before it sent them.
    """
    with contextlib.suppress(ConnectionError, EOFError), wire.makefile("rb") as stream:
        return [str(word) for word in marshal.loads(stream.read())]
    return []


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class FakeRule:
    """A port forwarding."""

    port: int
    address: str
    description: str
    way: FakeForwarding


class FakeVmrun:
    """Answers both programs as Workstation does; `power_on` makes the guest of a VMX.

    Attributes:
        calls: Every call, as program and words after `-T ws`.
        answers: Verb -> (text, exit status), in place of doing it.
        logs: Verb -> what an answer of `answers` leaves in vmware.log.
        hanging: Verbs, or `vmware-vdiskmanager`, that never end.
        running: VMX -> guest.
        account: User and password of every guest.
        on_call: Called at each call, before it is answered.
    """

    def __init__(self, folder: Path, power_on: Callable[[Path], PoweredGuest]) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.answers: dict[str, tuple[str, int]] = {}
        self.logs: dict[str, str] = {}
        self.soft_stop_fails = False
        self.hanging: set[str] = set()
        self._kept_waiting: list[socket.socket] = []
        self.running: dict[Path, PoweredGuest] = {}
        self.account = ("lab", "correct horse")
        self._login = ("", "")
        self.rules: dict[int, FakeRule] = {}
        self.addresses: dict[str, Path] = {}
        self.on_call: Callable[[], object] = lambda: None
        self._power_on = power_on
        self._lock = threading.RLock()
        self._listener = FakeListener()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        folder.mkdir(parents=True)
        self.program = folder / f"vmrun{SUFFIX}"
        for name in ("vmrun", "vmware-vdiskmanager"):
            text = _CLIENT.format(python=_PYTHON, port=self._listener.port, name=name)
            write_program(folder / name, text)

    def close(self) -> None:
        self._listener.close()
        self._thread.join(5)
        for wire in self._kept_waiting:
            wire.close()
        for guest in self.running.values():
            guest.close()
        for rule in self.rules.values():
            rule.way.close()

    def end(self, vmx: Path, log: str = "") -> None:
        """Switch the machine off without a `stop`.

        As when its guest or its process ended by itself.
        """
        with self._lock:
            guest = self.running.pop(vmx)
            guest.close()
            Path(f"{vmx}.lck").rmdir()
            with (vmx.parent / "vmware.log").open("a", encoding="utf-8") as stream:
                stream.write(f"{log}\n")

    def clients(self) -> list[psutil.Process]:
        """Return the processes of the two programs; a session that is killed leaves some behind."""
        folder = str(self.program.parent)
        running = psutil.process_iter(["cmdline"])
        return [one for one in running if any(word.startswith(folder) for word in one.info["cmdline"] or ())]

    def verbs(self) -> list[str]:
        """Return the verbs that changed something, in order."""
        words = [call[1] for call in self.calls if len(call) > 1 and call[0] == "vmrun"]
        return [word for word in words if not word.startswith("list")]

    def _serve(self) -> None:
        while wire := self._listener.accept():
            program, *words = _asked(wire) or [""]
            if self.hanging & {program, *words[2:3]}:
                self._kept_waiting.append(wire)
                continue
            # A client may be killed at any moment, and what it asked for is done all the same.
            with wire, contextlib.suppress(ConnectionError):
                if program:
                    wire.sendall(marshal.dumps(self._answer(program, words)))

    def _answer(self, program: str, words: Sequence[str]) -> tuple[str, int]:
        flags: dict[str, str] = {}
        while words and words[0] in ("-T", "-gu", "-gp"):
            flags[words[0]], words = words[1], words[2:]
        with self._lock:
            self._login = (flags.get("-gu", ""), flags.get("-gp", ""))
            self.calls.append((program, *words))
            self.on_call()
            if program == "vmware-vdiskmanager":
                return self.answers.get(words[0]) or _create_disk(words)
            if not words:
                return USAGE, 255
            verb, *rest = words
            if verb in self.answers:
                self._leave_log(verb, rest)
                return self.answers[verb]
            method: Callable[..., str | tuple[str, int]] | None = getattr(self, f"_do_{verb}", None)
            assert method is not None, f"unknown command: {words}"
            output = method(*rest)
            return output if isinstance(output, tuple) else (output, 0)

    def _leave_log(self, verb: str, words: Sequence[str]) -> None:
        if verb in self.logs:
            (Path(words[0]).parent / "vmware.log").write_text(self.logs[verb], encoding="utf-8")

    # -- verbs ---------------------------------------------------------------------------------------------------

    def _do_list(self) -> str:
        return "\n".join([f"Total running VMs: {len(self.running)}", *map(str, self.running)]) + "\n"

    def _do_listHostNetworks(self) -> str:
        return NETWORKS

    def _do_listPortForwardings(self, network: str) -> str:
        assert network.lower() == "vmnet1"
        rows = [f"{n}  tcp  {r.port}  {r.address}  22  {r.description}" for n, r in enumerate(self.rules.values())]
        return "\n".join([f"Total port forwardings: {len(rows)}", *rows]) + "\n"

    def _do_setPortForwarding(self, network: str, kind: str, port: str, address: str, guest: str, name: str) -> str:
        assert (network, kind, guest) == ("vmnet1", "tcp", "22")
        if int(port) in self.rules and self.rules[int(port)].address == address:
            return ""
        way = FakeForwarding(int(port), lambda: self._at(address))
        self.rules[int(port)] = FakeRule(int(port), address, name, way)
        return ""

    def _do_deletePortForwarding(self, network: str, kind: str, port: str) -> str:
        self.rules.pop(int(port)).way.close()
        return ""

    def _do_start(self, vmx: str, display: str) -> str | tuple[str, int]:
        path = Path(vmx)
        if not path.is_file():
            return f"Error: Cannot open VM: {vmx}, The virtual machine cannot be found\n", 255
        self.running[path] = self._power_on(path)
        (path.parent / f"{path.name}.lck").mkdir()
        (path.parent / "vmware.log").write_text("vmx| Log for VMware\n", encoding="utf-8")
        return ""

    def _do_stop(self, vmx: str, mode: str) -> str | tuple[str, int]:
        if mode == "soft" and self.soft_stop_fails:
            return f"Error: The VMware Tools are not running in the virtual machine: {vmx}\n", 255
        guest = self.running.pop(Path(vmx), None)
        if guest is None:
            return f"Error: The virtual machine is not powered on: {vmx}\n", 255
        guest.close()
        Path(f"{vmx}.lck").rmdir()
        return ""

    def _do_deleteVM(self, vmx: str) -> str | tuple[str, int]:
        path = Path(vmx)
        if path in self.running:
            return "Error: The virtual machine should not be powered on. It is already running.\n", 255
        for file in (path, path.with_suffix(".vmdk")):
            file.unlink(missing_ok=True)
        return ""

    def _do_checkToolsState(self, vmx: str) -> str | tuple[str, int]:
        return "running\n" if Path(vmx) in self.running else ("unknown\n", 254)

    def _do_getGuestIPAddress(self, vmx: str) -> str | tuple[str, int]:
        if Path(vmx) not in self.running:
            return f"Error: The virtual machine is not powered on: {vmx}\n", 255
        return next(f"{address}\n" for address, path in self.addresses.items() if path == Path(vmx))

    def _do_captureScreen(self, vmx: str, png: str) -> str | tuple[str, int]:
        if self._login != self.account:
            return f"Error: Invalid user name or password for the guest OS: {self._login}\n", 255
        Path(png).write_bytes(b"\x89PNG\r\n\x1a\n...")
        return ""

    def _at(self, address: str) -> PoweredGuest | None:
        return self.running.get(self.addresses[address])


def write_program(path: Path, text: str) -> None:
    """Write a Python script that can be started.

    By its first line, or on Windows as a program file beside it.
    """
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    if SUFFIX:
        maker = ScriptMaker(str(path.parent), str(path.parent))
        maker.force = True  # it compares the script with one of the same name, not with the program file
        maker.make(path.name)


def _create_disk(words: Sequence[str]) -> tuple[str, int]:
    """Write a descriptor whose one extent is zeros.

    The words are as `-c -s 40GB -a lsilogic -t 1 PATH`.
    """
    path, sectors = Path(words[-1]), int(words[words.index("-s") + 1].removesuffix("GB")) << 21
    if not path.parent.is_dir():
        return "Failed to create disk: A file was not found (0x4).\n", 1
    if path.exists():
        return "Failed to create disk: The file already exists (0x270000003e8).\n", 1
    head = '# Disk DescriptorFile\nversion=1\ncreateType="twoGbMaxExtentSparse"\n'
    path.write_text(f'{head}RW {sectors} ZERO\nddb.adapterType = "lsilogic"\n', encoding="utf-8")
    return "Virtual disk creation successful.\n", 0
