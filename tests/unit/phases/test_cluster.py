"""Judges of the cluster: what kubectl lists becomes a check."""

from __future__ import annotations

import json
import socket
import subprocess
from ipaddress import IPv4Address

import pytest
from needs import posix_paths

from harness.core.verdict import Status
from harness.phases import (
    cluster,
)


class TestCluster:
    NAMES = ("m", "w")

    @staticmethod
    def nodes(**ready: str) -> str:
        items = [
            {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": state}]}}
            for name, state in ready.items()
        ]
        return json.dumps({"items": items})

    def test_every_machine_is_a_ready_node(self) -> None:
        assert cluster.judge_nodes(self.nodes(m="True", w="True"), "", self.NAMES).status is Status.PASS

    @pytest.mark.parametrize("ready", [{"m": "True"}, {"m": "True", "w": "False"}, {"m": "True", "w": "Unknown"}, {}])
    def test_a_missing_or_unready_node_fails(self, ready: dict[str, str]) -> None:
        assert cluster.judge_nodes(self.nodes(**ready), "", self.NAMES).status is Status.FAIL

    @pytest.mark.parametrize("text", ["", "not json", "{}", '{"items": [{}]}'])
    def test_no_list_of_nodes_fails_with_the_output(self, text: str) -> None:
        check = cluster.judge_nodes(text, "connection refused", self.NAMES)
        assert check.status is Status.FAIL
        assert check.seen == "connection refused"

    @posix_paths
    def test_a_port_answers_only_who_connects(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            command = cluster.connect(IPv4Address("127.0.0.1"), server.getsockname()[1])
            assert subprocess.run(["sh", "-c", command], timeout=20, check=False).returncode == 0
        assert subprocess.run(["sh", "-c", command], timeout=20, check=False, stderr=subprocess.PIPE).returncode != 0
