"""`lab inventory`, as Ansible and OpenSSH read it."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from report_samples import MACHINES

from harness.system.process import run

from .command_line import run_lab
from .left_lab import LeftLab


def test_every_vm_is_in_the_group_of_its_role(tmp_path: Path) -> None:
    left, target = LeftLab(tmp_path, forwarded=True), tmp_path / "lab.yaml"
    result = run_lab("inventory", "--reports", left.reports, "--output", target)
    assert (result.exit_code, result.output) == (0, f"{target}\n")
    groups = yaml.safe_load(target.read_text(encoding="utf-8"))["all"]["children"]
    assert {name: list(group["hosts"]) for name, group in groups.items()} == {
        "master": [MACHINES[0]],
        "workers": list(MACHINES[1:]),
    }
    master = groups["master"]["hosts"][MACHINES[0]]
    assert (master["ansible_host"], master["ansible_port"], master["ansible_user"]) == ("127.0.0.1", 2200, "ubuntu")
    printed = run_lab("inventory", "--reports", left.reports).output
    assert yaml.safe_load(printed) == yaml.safe_load(target.read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client is not installed")
def test_ssh_takes_the_same_settings_from_the_inventory_as_from_lab_ssh(tmp_path: Path) -> None:
    left = LeftLab(tmp_path, forwarded=True)
    document = yaml.safe_load(run_lab("inventory", "--reports", left.reports).output)
    hosts = {name: values for group in document["all"]["children"].values() for name, values in group["hosts"].items()}
    for name in MACHINES:
        of_lab = run(["ssh", "-G", "-F", left.files.ssh_config, name], timeout_s=20)
        values = hosts[name]
        words = [  # as Ansible's connection plugin `ssh` builds them
            *shlex.split(values["ansible_ssh_common_args"]),
            f"-oPort={values['ansible_port']}",
            f'-oIdentityFile="{values["ansible_ssh_private_key_file"]}"',
            f'-oUser="{values["ansible_user"]}"',
            values["ansible_host"],
        ]
        of_ansible = run(["ssh", "-G", "-F", "none", *words], timeout_s=20)
        assert (of_lab.returncode, of_ansible.returncode) == (0, 0), of_lab.output + of_ansible.output
        assert settings(of_ansible.stdout) == settings(of_lab.stdout)
        assert f"userknownhostsfile {left.files.known_hosts.as_posix()}" in of_ansible.stdout


def settings(text: str) -> list[str]:
    """Return what `ssh -G` printed but for the name that was asked for."""
    return [line for line in text.splitlines() if not line.startswith(("host ", "originalhost "))]


def test_wrong_input_writes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "hosts.yaml"
    nothing = run_lab("inventory", "--reports", tmp_path, "--output", target)
    assert nothing.exit_code == 4
    assert "run `pytest scenarios/`" in nothing.stderr
    suffix = run_lab("inventory", "--reports", LeftLab(tmp_path).reports, "--output", tmp_path / "hosts")
    assert suffix.exit_code == 4
    assert "ends in .yaml or .yml" in suffix.stderr
    assert not list(tmp_path.glob("hosts*"))
