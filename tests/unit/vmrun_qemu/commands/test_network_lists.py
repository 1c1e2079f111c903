"""listHostNetworks and listPortForwardings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.vmrun_qemu.main import main
from harness.vmrun_qemu.network import definitions


def test_networks_are_listed_by_number(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["defineNetwork", "vmnet2", "10.2.0.0/24"]) == 0
    assert main(["listHostNetworks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Total host networks: 3"
    assert [line.split() for line in lines[2:]] == [
        ["1", "vmnet1", "hostOnly", "true", "192.168.6.0", "255.255.255.0"],
        ["2", "vmnet2", "hostOnly", "true", "10.2.0.0", "255.255.255.0"],
        ["8", "vmnet8", "nat", "true", "192.168.80.0", "255.255.255.0"],
    ]


def test_forwardings_are_listed_of_a_network_that_is_down(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listPortForwardings", "VMnet1"]) == 0
    assert capsys.readouterr().out == "Total port forwardings: 0\n"
    rule: definitions.Forward = {
        "protocol": "tcp",
        "host_port": 40022,
        "guest_ip": "192.168.6.10",
        "guest_port": 22,
        "description": "ssh",
    }
    definitions.save_forwards("vmnet1", [rule])
    assert main(["listPortForwardings", "VMnet1"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split() == ["0", "tcp", "40022", "192.168.6.10", "22", "ssh"]


@pytest.mark.parametrize("words", [["list"], ["listHostNetworks"], ["listPortForwardings", "vmnet1"]], ids=" ".join)
def test_a_question_loads_nothing_that_only_a_change_needs(own_home: Path, words: list[str]) -> None:
    slow = ("dataclasses", "filelock", "hashlib", "logging", "secrets", "socket", "subprocess")
    code = (
        "import sys; from harness.vmrun_qemu.main import main; status = main(sys.argv[1:])\n"
        f"sys.exit(status or ', '.join(name for name in {slow} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
