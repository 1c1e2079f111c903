"""about: what this program found on the host, for reports and for people who wonder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from harness.vmrun_qemu import accelerator, home, qemu
from harness.vmrun_qemu.main import VERSION
from harness.vmrun_qemu.texts import say


def about(_parameters: Sequence[str], _flags: Mapping[str, str]) -> int:
    """Print one JSON object: version, home, QEMU with its version, accelerator and why it was chosen.

    Raises:
        Failure: There is no QEMU.
    """
    program = qemu.find()
    version, numbers = program.version()
    chosen = accelerator.choose(program)
    answer = {
        "program": "vmrun-qemu",
        "version": VERSION,
        "home": str(home.root()),
        "qemu": {"path": str(program.binary), "version": version},
        "accelerator": chosen.name,
        "why": chosen.why,
        "arguments": chosen.arguments(numbers),
    }
    say(json.dumps(answer, indent=1))
    return 0
