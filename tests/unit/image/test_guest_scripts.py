"""Shell scripts of the guest image, run with files of the test."""

from __future__ import annotations

import os
import random
import shlex
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from needs import posix_sh

from harness.image.disk import MIB
from harness.image.spec import guest_file_text
from harness.phases.installation_identity import Identity, parse_identity, question

SCRIPTS = (
    "disk-crc.py",
    "init.sh",
    "installer.sh",
    "k8s-ops-packages.sh",
    "lab-boot-complete.sh",
    "lab-event.sh",
    "lab-identity.sh",
    "netplan.sh",
)


@pytest.mark.parametrize("name", SCRIPTS)
def test_guest_scripts_have_unix_line_ends(name: str) -> None:
    assert "\r" not in guest_file_text(name)


@posix_sh
@pytest.mark.parametrize("name", [name for name in SCRIPTS if name.endswith(".sh")])
def test_guest_scripts_are_plain_sh(name: str) -> None:
    checked = subprocess.run(["sh", "-n"], input=guest_file_text(name), text=True, capture_output=True, check=False)
    assert checked.stderr == ""


def run_event(tmp_path: Path, serial: str) -> str:
    """Run the real lab-event.sh with files of the test and return its line."""
    (tmp_path / "serial").write_text(serial)
    (tmp_path / "boot_id").write_text("11111111-2222-3333-4444-555555555555\n")
    script = (
        guest_file_text("lab-event.sh")
        .replace("/sys/class/dmi/id/product_serial", str(tmp_path / "serial"))
        .replace("/proc/sys/kernel/random/boot_id", str(tmp_path / "boot_id"))
        .replace("/dev/ttyS0", str(tmp_path / "port"))
    )
    subprocess.run(["sh", "-s", "copied", "files=3", "bytes=12"], input=script, text=True, check=True)
    return (tmp_path / "port").read_text()


@posix_sh
def test_an_event_carries_nonce_boot_and_its_own_length(tmp_path: Path) -> None:
    sent = run_event(tmp_path, "VMware-56 4d 0a 01 02 03 04 05-06 07 08 09 0a 0b 0c 0d\n")
    assert sent.startswith("\n")
    assert sent.endswith("\n")
    line, _, length = sent.strip().rpartition("#")
    boot = "11111111-2222-3333-4444-555555555555"
    assert line == f"@LAB1 564d0a0102030405060708090a0b0c0d {boot} copied files=3 bytes=12 "
    assert int(length) == len(line)


@posix_sh
@pytest.mark.parametrize("serial", ["", "Not Specified\n", "12345\n"])
def test_a_machine_without_such_a_serial_number_sends_a_dash(tmp_path: Path, serial: str) -> None:
    assert run_event(tmp_path, serial).startswith("\n@LAB1 - 1111")


@posix_sh
def test_the_end_of_a_boot_is_reported_after_the_guests_identity(tmp_path: Path) -> None:
    """The real lab-boot-complete.sh reports the output of lab-identity unchanged."""
    printed = "boot_id=1\ndrive=dd: No medium found 100%\nfirst_boot=a\tb:1\r\n"
    settings = tmp_path / "settings"
    settings.write_text("iso_copy_marker='/var/lib/a marker'\n")
    for name, text in {
        "lab-identity": f"printf '%s\\n' \"$1\" > {tmp_path}/asked; cat {tmp_path}/printed",
        "lab-event": f'echo "$*" >> {tmp_path}/events',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "printed").write_text(printed, newline="")
    (tmp_path / "result.json").write_text('{"v1": {"errors": [], "recoverable_errors": {}}}')
    script = guest_file_text("lab-boot-complete.sh").replace(
        "/run/cloud-init/result.json", str(tmp_path / "result.json")
    )
    script = script.replace("/etc/lab-seed.conf", str(settings))
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-s"], input=script, text=True, check=True, env={**os.environ, "PATH": path})
    identity, ended = (tmp_path / "events").read_text().splitlines()
    assert (tmp_path / "asked").read_text() == "/var/lib/a marker\n"
    assert ended.startswith("boot-complete cloud_init=done seconds=")
    assert identity.startswith("identity told=boot_id=1%0A")
    assert identity.count(" ") == 1
    assert unquote(identity.partition("told=")[2]) == printed.removesuffix("\n")


@posix_sh
def test_a_machine_prints_its_identity(tmp_path: Path) -> None:
    """The real lab-identity.sh, with a root file system of the test."""
    content = {
        "proc/sys/kernel/random/boot_id": "b-1\n",
        "etc/machine-id": "m-1\n",
        "etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAA",
        "etc/ssh/ssh_host_rsa_key.pub": "ssh-rsa BBBB root@m\n",
        "var/lib/cloud/data/instance-id": "i-1\n",
        "var/lib/lab-installer-runs": "1\n",
        "var/lib/a marker": "files=7\nbytes=9",
        "var/lib/cloud/instance/sem/config_users": "",
        "dev/sr0": "",
    }
    for name, text in content.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (17, 17))
    assert who(tmp_path) == Identity(
        boot_id="b-1",
        machine_id="m-1",
        host_keys="ssh-ed25519 AAAA\nssh-rsa BBBB root@m",
        instance="i-1",
        installer_runs="1",
        iso_copy="17\nfiles=7\nbytes=9",
        first_boot="config_users:17",
        drive="0+0 records in\n0+0 records out",
    )
    (tmp_path / "dev/sr0").write_bytes(b"\0" * (16 * 2048 + 40) + b"SEED_M".ljust(32) + b"\0" * 2048)
    for name in ("var/lib/lab-installer-runs", "var/lib/a marker"):
        (tmp_path / name).unlink()
    assert (who(tmp_path).volume, who(tmp_path).drive) == ("SEED_M", "")
    assert (who(tmp_path).installer_runs, who(tmp_path).iso_copy) == ("", "")


def who(root: Path) -> Identity:
    command = question(f"{root}/var/lib/a marker").replace(" /", f" {root}/").replace("=/dev/sr0", f"={root}/dev/sr0")
    command = command.replace(f"2> {root}/dev/null", "2> /dev/null").replace(f"of={root}/dev/null", "of=/dev/null")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    parsed = parse_identity(done.stdout)
    return replace(parsed, drive="\n".join(line for line in parsed.drive.splitlines() if "records" in line))


@posix_sh
@pytest.mark.parametrize(
    ("words", "called"), [("generate", "fast"), ("get", "real get"), ("generate --root-dir x", "")]
)
def test_only_the_plain_generate_skips_netplans_python(tmp_path: Path, words: str, called: str) -> None:
    for name, text in {"fast": "echo fast", "real": 'echo real "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    script = guest_file_text("netplan.sh").replace("/lib/netplan/generate", str(tmp_path / "fast"))
    script = script.replace("/usr/sbin/netplan", str(tmp_path / "real"))
    done = subprocess.run(["sh", "-s", *words.split()], input=script, text=True, capture_output=True, check=True)
    assert done.stdout.strip() == (called or f"real {words}")


MAP = "0 0 1\n3 1 6\n"
PARTS = ((0, MIB), (3 * MIB, 9 * MIB))  # of the disk, by that map


def written_disk(path: Path) -> bytes:
    data = random.Random(3).randbytes(9 * MIB)
    path.write_bytes(data)
    return b"".join(data[start:end] for start, end in PARTS)


def disk_crc(disk: Path) -> subprocess.CompletedProcess[str]:
    script = guest_file_text("disk-crc.py").replace("os.O_DIRECT", "0")  # tmpfs has none
    command = [sys.executable, "-I", "-S", "-c", script, str(disk)]
    return subprocess.run(command, input=MAP, text=True, capture_output=True, check=False)


@posix_sh
def test_the_sum_of_a_disk_is_that_of_the_chunks_that_were_written(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    chunks = written_disk(disk)
    assert disk_crc(disk).stdout == f"{zlib.crc32(chunks)}\n"
    disk.write_bytes(disk.read_bytes()[:-MIB])
    assert disk_crc(disk).returncode == 1
    assert "the disk ends before byte" in disk_crc(disk).stderr


@posix_sh
@pytest.mark.parametrize("damage", [None, MIB // 2, 9 * MIB - 1])
def test_the_installer_accepts_a_disk_only_if_it_is_the_image(tmp_path: Path, damage: int | None) -> None:
    """The real verify_disk of installer.sh, with a disk of the test and without its mounts."""
    disk, cd = tmp_path / "sda", tmp_path / "cd"
    chunks = written_disk(disk)
    cd.mkdir()
    (cd / "disk.map").write_text(MAP)
    (cd / "disk.crc32").write_text(f"{zlib.crc32(chunks)}\n")
    (tmp_path / "disk-crc.py").write_text(guest_file_text("disk-crc.py").replace("os.O_DIRECT", "0"))
    if damage is not None:
        data = bytearray(disk.read_bytes())
        data[damage] ^= 1
        disk.write_bytes(data)
    text = guest_file_text("installer.sh")
    function = text[text.index("verify_disk() {") : text.index("grow_partition() {")]
    for name, place in {"/cd/installer": cd, "/disk-crc.py": tmp_path / "disk-crc.py", "/dev/$disk": disk}.items():
        function = function.replace(name, str(place))
    stubs = f"""
        wait_for() {{ :; }}; mount() {{ :; }}; umount() {{ :; }}; say() {{ echo "say: $*"; }}
        chroot() {{ shift 2; {shlex.quote(sys.executable)} "$@"; }}; fail() {{ echo "fail: $*"; exit 1; }}
    """
    done = subprocess.run(
        ["sh", "-s"],
        input=f"{stubs}\n{function}\nverify_disk && echo good",
        text=True,
        capture_output=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    if damage is None:
        assert (lines, done.stderr) == (["good"], "")
    else:
        assert lines[-1] == "fail: image-differs"
        assert lines[0].startswith(f"say: the CRC-32 of the disk is {zlib.crc32(chunks)} on the seed ISO, and here: ")
