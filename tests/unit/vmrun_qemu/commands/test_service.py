"""setService, listServices, deleteService."""

from __future__ import annotations

import json
import sys

import pytest

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import service
from harness.vmrun_qemu.commands.network import define_network

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="QEMU on Windows has no such services")


@pytest.fixture(autouse=True)
def network() -> None:
    define_network(["vmnet1", "192.168.6.0/24"], {})


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    service.list_services(["vmnet1"], {})
    return list(json.loads(capsys.readouterr().out))


def test_a_service_is_set_replaced_and_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys) == []
    service.set_service(["vmnet1", "192.168.6.5", "5000", "40000"], {})
    service.set_service(["vmnet1", "192.168.6.5", "5000", "40001"], {})
    service.set_service(["vmnet1", "192.168.6.5", "5001", "40002"], {})
    assert listed(capsys) == [
        {"address": "192.168.6.5", "port": 5000, "host_port": 40001},
        {"address": "192.168.6.5", "port": 5001, "host_port": 40002},
    ]
    for _ in range(2):
        service.delete_service(["vmnet1", "192.168.6.5", "5000"], {})
    assert [one["port"] for one in listed(capsys)] == [5001]


@pytest.mark.parametrize(
    ("address", "port"), [("192.168.7.5", "5000"), ("192.168.6.254", "5000"), ("none", "5000"), ("192.168.6.5", "0")]
)
def test_an_address_has_to_be_a_free_one_of_the_network(address: str, port: str) -> None:
    with pytest.raises(Failure, match="One of the parameters was invalid"):
        service.set_service(["vmnet1", address, port, "40000"], {})
