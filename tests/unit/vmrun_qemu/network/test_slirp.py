"""The gateway's option: what a network opens, and its services."""

from __future__ import annotations

from pathlib import Path

import pytest
from needs import posix_paths

from harness.vmrun_qemu.network import definitions
from harness.vmrun_qemu.network.slirp import gateway_option


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.delenv("VMRUN_QEMU_NETWORKS", raising=False)


def test_a_host_only_network_is_restricted() -> None:
    assert gateway_option(definitions.get("vmnet1")) == (
        "user,id=gateway,net=192.168.6.0/24,host=192.168.6.254,dns=192.168.6.253,"
        "dhcpstart=192.168.6.128,restrict=on,ipv6=off"
    )


def test_a_nat_network_is_open() -> None:
    option = gateway_option(definitions.get("vmnet8"))
    assert "host=192.168.80.2,dns=192.168.80.3," in option
    assert "restrict=off" in option


@posix_paths
def test_a_service_is_one_command_per_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/opt/a, b/python")
    service: definitions.Service = {"address": "192.168.6.1", "port": 5000, "host_port": 40000}
    text = gateway_option(definitions.get("vmnet1"), [service])
    assert "restrict=on" in text
    assert "guestfwd=tcp:192.168.6.1:5000-cmd:'/opt/a,, b/python' -IS " in text
    script, port = text.rpartition(" -IS ")[2].split()
    assert (Path(script).name, Path(script).is_file(), port) == ("guestfwd.py", True, "40000")
