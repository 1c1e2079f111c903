"""about: describe this program."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Flags, print_line
from harness.vmrun_qemu.faults import catalog, injection
from harness.vmrun_qemu.qemu import accelerator, locate
from harness.vmrun_qemu.verbs import VERBS, VERSION


def about(_parameters: Sequence[str], _flags: Flags) -> int:
    """Print version, home, QEMU, accelerator and faults as one JSON object.

    Raises:
        Failure: There is no QEMU, or the requested faults cannot be parsed.
    """
    print_line(json.dumps(description(locate.find()), indent=1))
    return 0


def description(program: locate.Qemu) -> dict[str, Any]:
    """Return what `about` prints.

    Raises:
        Failure: The requested faults cannot be parsed.
    """
    version, numbers = program.version()
    chosen = accelerator.choose(program)
    requested = injection.parse(os.environ.get(injection.VARIABLE, ""), catalog.FAULTS)
    return {
        "program": "vmrun-qemu",
        "version": VERSION,
        "home": str(home.root()),
        "qemu": {"path": str(program.binary), "version": version},
        "accelerator": chosen.name,
        "why": chosen.why,
        "arguments": chosen.arguments(numbers),
        "faults": {
            "requested": [entry.text for entry in requested],
            "known": {name: _described(fault) for name, fault in catalog.FAULTS.items()},
        },
    }


def _described(fault: injection.Fault) -> str:
    verbs = ", ".join(verb for verb in VERBS if verb in fault.verbs)
    return f"{verbs or 'any command'}: {fault.help}"
