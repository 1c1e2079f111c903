"""The files for `ssh -F`, checked with OpenSSH's parser if it is installed."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path, PurePosixPath, PureWindowsPath

import paramiko
import pytest

from harness.guest.ssh_config import SshHost, known_hosts_text, read_ssh_config, ssh_config
from harness.system.process import run

BLOB = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32)).decode()
MASTER = SshHost("k3s-master1", "127.0.0.1", 2222, "ubuntu", PurePosixPath("/a b/100%/id"), f"ssh-ed25519 {BLOB} c")
WORKER = SshHost("k3s-worker1", "192.168.6.11", 22, "ubuntu", PureWindowsPath(r"F:\my lab\id_ed25519"), None)


def test_each_machine_has_a_block_with_its_own_key_and_checked_host_key() -> None:
    text = ssh_config([MASTER, WORKER], PureWindowsPath(r"F:\reports\known hosts"))
    config = paramiko.SSHConfig.from_text(text)
    master, worker = config.lookup("k3s-master1"), config.lookup("k3s-worker1")
    assert (master["hostname"], master["port"], master["user"]) == ("127.0.0.1", "2222", "ubuntu")
    assert list(worker["identityfile"]) == ["F:/my lab/id_ed25519"]
    for entry in (master, worker):
        assert entry["identitiesonly"] == "yes"
        assert entry["stricthostkeychecking"] == "yes"
        assert entry["userknownhostsfile"] == "F:/reports/known hosts"
    assert master["hostkeyalias"] == "k3s-master1"
    assert text.count("Host ") == 2
    assert ssh_config([], PurePosixPath("/k")) == ""


def test_the_text_is_read_back() -> None:
    host = SshHost("k3s-master1", "127.0.0.1", 2222, "ubuntu", Path("/a b/100%/id"), None)
    assert read_ssh_config(ssh_config([host, host], PurePosixPath("/k"))) == (host, host)
    assert read_ssh_config("") == ()
    with pytest.raises(ValueError, match="x has no 'IdentityFile'"):
        read_ssh_config("Host x\n    HostName y\n")


def test_known_hosts_has_name_and_address_of_known_keys() -> None:
    text = known_hosts_text([MASTER, WORKER])
    assert text == f"k3s-master1,[127.0.0.1]:2222 ssh-ed25519 {BLOB}\n"
    at_22 = SshHost("w", "192.168.6.11", 22, "u", PurePosixPath("/k"), f"ssh-ed25519 {BLOB}")
    assert known_hosts_text([at_22]) == f"w,192.168.6.11 ssh-ed25519 {BLOB}\n"


@pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client is not installed")
def test_openssh_reads_the_same(tmp_path: Path) -> None:
    directory = tmp_path / "100% a b"
    directory.mkdir()
    config, known = directory / "ssh_config", directory / "known_hosts"
    config.write_text(ssh_config([MASTER, WORKER], known))
    known.write_text(known_hosts_text([MASTER, WORKER]))
    answer = run(["ssh", "-G", "-F", config, "k3s-master1"], timeout_s=20)
    settings = dict(line.split(" ", 1) for line in answer.stdout.splitlines() if " " in line)
    assert answer.returncode == 0, answer.output
    assert (settings["hostname"], settings["port"], settings["user"]) == ("127.0.0.1", "2222", "ubuntu")
    assert settings["identityfile"].replace("%%", "%") == "/a b/100%/id"
    assert settings["identitiesonly"] == settings["stricthostkeychecking"].replace("true", "yes") == "yes"
    assert settings["hostkeyalias"] == "k3s-master1"
    for name in ("k3s-master1", "[127.0.0.1]:2222"):
        assert run(["ssh-keygen", "-F", name, "-f", known], timeout_s=20).returncode == 0
