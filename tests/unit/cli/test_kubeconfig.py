"""`lab kubeconfig`: what it writes, prints and refuses."""

from __future__ import annotations

import base64
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from kubeconfig_sample import KEY as PRIVATE
from kubeconfig_sample import TEXT, encoded
from needs import posix_modes

from harness.cluster.kubeconfig import PATH
from harness.system.process import Completed, run

from .command_line import run_lab
from .left_lab import LeftLab

KEY = encoded(PRIVATE)


class Fetch:
    """`lab kubeconfig` with a scripted answer of `ssh`."""

    def __init__(self, left: LeftLab, code: int = 0, stdout: str = TEXT, stderr: str = "") -> None:
        self.left = left
        self.answer = (code, stdout, stderr)
        self.called: list[tuple[str, ...]] = []

    def __call__(self, *words: object) -> Result:
        def fake_ssh(argv: Sequence[str], *, timeout_s: float) -> Completed:
            assert timeout_s > 0
            self.called.append(tuple(argv))
            return Completed(tuple(argv), *self.answer, 0.1)

        return run_lab("kubeconfig", "--reports", self.left.reports, *words, replacements={run: fake_ssh})


def cluster_of(target: Path) -> dict[str, Any]:
    document = yaml.safe_load(target.read_text(encoding="utf-8"))
    assert document["current-context"] == "airgap-lab"
    cluster: dict[str, Any] = document["clusters"][0]["cluster"]
    return cluster


def test_the_real_address_and_the_authority_are_written_and_no_key_is_printed(tmp_path: Path) -> None:
    fetch, target = Fetch(LeftLab(tmp_path)), tmp_path / "kubeconfig"
    result = fetch("--output", target)
    assert result.exit_code == 0, result.output
    assert KEY not in result.output
    assert f"then: kubectl --kubeconfig {target} get nodes" in result.output
    assert "tunnel" not in result.output
    assert cluster_of(target)["server"] == "https://192.168.6.10:6443"
    assert base64.b64decode(cluster_of(target)["certificate-authority-data"]) == b"CA"
    (argv,) = fetch.called
    assert argv[:3] == ("ssh", "-F", str(fetch.left.files.ssh_config))
    assert argv[-2] == "k3s-master1"
    assert argv[-1].endswith(f"sudo -n cat {PATH}")


def test_a_forwarded_lab_gets_a_port_of_the_host_and_the_tunnel(tmp_path: Path) -> None:
    target = tmp_path / "kubeconfig"
    result = Fetch(LeftLab(tmp_path, forwarded=True))("--output", target, "--port", 7443)
    assert "open the tunnel: lab ssh k3s-master1 -N -L 7443:192.168.6.10:6443\n" in result.output
    assert cluster_of(target)["server"] == "https://127.0.0.1:7443"
    assert cluster_of(target)["tls-server-name"] == "192.168.6.10"


@posix_modes
def test_only_its_user_may_read_the_file_also_where_it_was_open_before(tmp_path: Path) -> None:
    fetch, target = Fetch(LeftLab(tmp_path)), tmp_path / "kubeconfig"
    for _ in range(2):
        assert fetch("--output", target).exit_code == 0
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        target.chmod(0o644)


def test_a_file_of_others_is_not_replaced(tmp_path: Path) -> None:
    fetch, target = Fetch(LeftLab(tmp_path)), tmp_path / "config"
    target.write_text("apiVersion: v1\n")
    result = fetch("--output", target)
    assert (result.exit_code, fetch.called) == (4, [])
    assert "give another file with --output" in result.stderr
    assert target.read_text() == "apiVersion: v1\n"


def test_nothing_is_written_among_the_reports(tmp_path: Path) -> None:
    fetch = Fetch(LeftLab(tmp_path))
    target = fetch.left.files.directory / "kubeconfig"
    result = fetch("--output", target)
    assert (result.exit_code, target.exists()) == (4, False)
    assert "reports are published" in result.stderr


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "what", "remedy"),
    [
        (1, "", "", f"no k3s is installed: there is no {PATH}", "name k3s in `payload`"),
        (255, "", "ssh: connect to host: No route", "SSH does not reach the VM", "`lab status` shows which VMs run"),
        (1, "", "sudo: a password is required", "cannot be read", "try it with `lab ssh k3s-master1 sudo -n test -e"),
        (1, KEY, "cat: input/output error", "cannot be read", "try it with"),
        (0, TEXT.replace("client-key-data", "other"), "", "has no client-key-data", "start it with"),
        (0, TEXT.replace("server:", "s:"), "", "names no server", "start it with"),
    ],
)
def test_what_cannot_be_fetched_is_one_error_with_its_remedy(
    tmp_path: Path, code: int, stdout: str, stderr: str, what: str, remedy: str
) -> None:
    target = tmp_path / "kubeconfig"
    result = Fetch(LeftLab(tmp_path), code, stdout, stderr)("--output", target)
    assert result.exit_code == 1
    assert what in result.stderr
    assert remedy in result.stderr
    assert stderr in result.stderr
    assert KEY not in result.output + result.stderr
    assert not target.exists()


def test_a_directory_without_a_run_is_wrong_input(tmp_path: Path) -> None:
    result = run_lab("kubeconfig", "--reports", tmp_path)
    assert result.exit_code == 4
    assert "run `pytest scenarios/`" in result.stderr
