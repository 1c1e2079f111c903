"""A process door behind which a `vmrun` answers from memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.system.process import Completed


class FakeHypervisor:
    """A `vmrun` in memory: list, start, stop, a picture of the screen, and delete a VMX with its disks.

    Attributes:
        running: Paths of VMX files.
        calls: Verb and arguments of each call.
    """

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.calls: list[tuple[str, ...]] = []
        self.before_delete: Callable[[], object] = lambda: None

    def __call__(self, argv: object, *, timeout_s: float, env: object = None, keep_children: bool = False) -> Completed:
        assert isinstance(argv, tuple | list)
        verb, *words = [str(word) for word in argv][3:]
        self.calls.append((verb, *words))
        output, code = "", 0
        if verb in ("stop", "deleteVM") and not Path(words[0]).is_file():
            output, code = f"Error: Cannot open VM: {words[0]}, The virtual machine cannot be found\n", 255
        elif verb == "list":
            output = "\n".join([f"Total running VMs: {len(self.running)}", *sorted(self.running)]) + "\n"
        elif verb == "start":
            self.running.add(words[0])
        elif verb == "stop":
            self.running.discard(words[0])
        elif verb == "captureScreen":
            Path(words[1]).write_bytes(b"\x89PNG\r\n\x1a\n")
        elif verb == "deleteVM":
            self.before_delete()
            if words[0] in self.running:
                output, code = "Error: The virtual machine should not be powered on. It is already running.\n", 255
            else:
                for line in Path(words[0]).read_text().splitlines():
                    if "fileName" in line:
                        (Path(words[0]).parent / line.split('"')[1]).unlink(missing_ok=True)
                Path(words[0]).unlink()
        return Completed(tuple(str(word) for word in argv), code, output, "", 0.0)
