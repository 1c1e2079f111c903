"""checkToolsState and getGuestIPAddress."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_question_to_a_guest_imports_nothing_slow() -> None:
    code = (
        "import sys; import harness.vmrun_qemu.commands.tools;"
        "slow = ('asyncio', 'psutil', 'qemu.qmp', 'filelock', 'subprocess', 'tempfile', 'shutil', 'dataclasses');"
        "print([name for name in slow if name in sys.modules])"
    )
    argv = [sys.executable, "-S", "-c", code]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30, env=env)
    assert done.stdout == "[]\n"
