from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

import pytest
from seed_samples import HOST_PUBLIC, LOGIN, spec

from harness.core.errors import SeedError
from harness.image.package_repository import DebPackage
from harness.payload.collect import CollectedFile
from harness.seed.foreign.check import check_seed
from harness.seed.foreign.expected import Expected
from harness.seed.inspect import inspect_iso
from harness.seed.iso9660 import IsoReader
from harness.seed.model import IsoInfo, SeedSpec
from harness.seed.ubuntu.data_iso import build_data_isos, data_hash, data_tree, write_data_iso
from seed.foreign.ubuntu_iso import NOW, certificate

EXPECTED = Expected(
    machine="k3s-master1",
    address=IPv4Interface("192.168.6.10/24"),
    gateway=IPv4Address("192.168.6.1"),
    user="ubuntu",
    key=LOGIN.rpartition(" ")[0],
    mac="",
    password_ssh=False,
    registry=IPv4Address("192.168.6.1"),
    iso_copy="/var/lib/iso-copy-complete",
)
ON_LINUX = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("sha256sum"), reason="a script of the guest, which has Linux's programs"
)


def machine(**changes: Any) -> SeedSpec:
    return spec(ca_certificate=certificate(authority=True).decode(), **changes)


def checked(path: Path, expected: Expected = EXPECTED) -> IsoInfo:
    return check_seed(path, expected, NOW)


def test_the_check_of_foreign_isos_finds_nothing_wrong(tmp_path: Path) -> None:
    iso = tmp_path / "seed.iso"
    write_data_iso(machine(), iso)
    info = checked(iso)
    assert (info.findings, info.damage, info.elsewhere) == ((), (), "")
    assert (info.volume_id, info.bios_bootable, info.events) == ("CIDATA", False, False)
    assert (info.machine, info.address, info.host_key) == ("k3s-master1", "192.168.6.10", HOST_PUBLIC)
    assert info.input_hash == data_hash(machine())
    assert {file.path for file in info.payload} == {"build-timestamp", "ca.crt", "registries.yaml", "manifest.json"}


def test_the_check_is_not_blind(tmp_path: Path) -> None:
    """The same ISO for another machine and at another time has mistakes."""
    iso = tmp_path / "seed.iso"
    write_data_iso(machine(), iso)
    other = replace(EXPECTED, machine="k3s-worker1", key="ssh-ed25519 AAAAother", iso_copy="/srv/other")
    text = "\n".join(str(finding) for finding in checked(iso, other).findings)
    assert "it installs k3s-master1, not k3s-worker1" in text
    assert "none of its SSH keys is the lab's" in text
    assert "nothing leaves the marker /srv/other" in text
    late = check_seed(iso, EXPECTED, NOW + dt.timedelta(days=365))
    assert "expired" in str(late.findings)


@pytest.mark.parametrize("path", ["user-data", "installer/late.sh", "files/ca.crt", "installer/files.sizes"])
def test_damage_is_found_by_file(tmp_path: Path, path: str) -> None:
    iso = tmp_path / "seed.iso"
    write_data_iso(machine(), iso)
    with IsoReader(iso) as reader:
        record = reader.find(path)
    assert record is not None
    with iso.open("r+b") as stream:
        stream.seek(record.sector * 2048 + 12)
        stream.write(b"?")
    assert f"{path} is damaged" in checked(iso).damage


def test_another_build_time_is_another_file_of_the_same_inputs(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("first.iso", "again.iso", "later.iso")]
    for path, time in zip(paths, ("2026-01-12T09:30:00+00:00",) * 2 + ("2027-01-12T09:30:00+00:00",), strict=True):
        write_data_iso(machine(build_timestamp=time), path)
    first, again, later = (path.read_bytes() for path in paths)
    assert first == again != later
    assert inspect_iso(paths[0]).input_hash == inspect_iso(paths[2]).input_hash
    assert data_hash(machine()) != data_hash(machine(timezone="UTC"))


def with_package(folder: Path) -> SeedSpec:
    deb = folder / "jq_1.7_amd64.deb"
    deb.write_bytes(b"deb" * 700)
    brought = CollectedFile(
        path=f"packages/{deb.name}", file=deb, sha256=hashlib.sha256(deb.read_bytes()).hexdigest(), size=2100
    )
    return machine(payload=(brought,), packages=(DebPackage("jq", "Package: jq\nVersion: 1.7\n"),))


def test_packages_of_the_lab_file_become_an_offline_repository(tmp_path: Path) -> None:
    tree = data_tree(with_package(tmp_path))
    assert tree["files/packages/Packages"].text() == "Package: jq\nVersion: 1.7\n"
    assert tree["files/packages/expected"].text() == "jq\n"
    assert tree["files/packages/jq_1.7_amd64.deb"].size == 2100
    with tarfile.open(fileobj=io.BytesIO(tree["installer/guest.tar"].data)) as tar:
        names = set(tar.getnames())
    assert {"usr/local/sbin/k8s-ops-packages", "etc/lab-seed.conf"} < names


def run_late(folder: Path, iso: Path, *, break_file: str = "") -> tuple[int, Path]:
    """Run the script of a data ISO with a directory in the place of /target."""
    seed, target = folder / "seed", folder / "target"
    with IsoReader(iso) as reader:
        for name, record in reader.walk(reader.volume.root):
            (seed / name).parent.mkdir(parents=True, exist_ok=True)
            (seed / name).write_bytes(reader.read(record) + (b"?" if name == break_file else b""))
    target.mkdir()
    script = (seed / "installer/late.sh").read_text().replace("-C /target", f"-C '{target}'")
    (seed / "installer/late.sh").write_text(script)
    event = (seed / "installer/lab-event.sh").read_text().replace("/dev/ttyS0", str(folder / "serial"))
    (seed / "installer/lab-event.sh").write_text(event)
    (folder / "bin").mkdir()
    curtin = folder / "bin" / "curtin"
    curtin.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/curtin"\ncase $* in *ssh.socket*) exit 1;; esac\n')
    curtin.chmod(0o755)
    paths = (seed / "installer/late.sh", seed, target / "usr/local/seed", target / "var/lib/iso-copy-complete")
    argv = ["sh", *map(str, paths)]
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(argv, env=environment, timeout=30, check=False).returncode, target


@ON_LINUX
def test_the_installers_script_copies_the_payload_and_leaves_the_marker(tmp_path: Path) -> None:
    iso = tmp_path / "seed.iso"
    write_data_iso(with_package(tmp_path), iso)
    code, target = run_late(tmp_path, iso)
    assert code == 0
    names = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert {"usr/local/seed/packages/jq_1.7_amd64.deb", "etc/lab-seed.conf", "usr/local/sbin/lab-event"} < names
    marker = (target / "var/lib/iso-copy-complete").read_text()
    assert f'"files": {len(inspect_iso(iso).payload)}, ' in marker
    assert " copied files=" in (tmp_path / "serial").read_text()
    assert "enable ssh.service" in (tmp_path / "curtin").read_text()


@ON_LINUX
def test_a_payload_that_was_not_copied_whole_leaves_no_marker(tmp_path: Path) -> None:
    iso = tmp_path / "seed.iso"
    write_data_iso(machine(), iso)
    code, target = run_late(tmp_path, iso, break_file="files/ca.crt")
    assert code != 0
    assert not (target / "var/lib/iso-copy-complete").exists()


def test_data_isos_are_kept_where_nothing_changed(tmp_path: Path) -> None:
    specs = [machine(), machine(machine="k3s-worker1", iso_name="seed-worker1.iso", address="192.168.6.11/24")]
    said: list[str] = []
    first, second = build_data_isos(specs, tmp_path, said.append)
    assert ["for k3s-master1 at" in said[0], "for k3s-worker1 at" in said[1]] == [True, True]
    second.write_bytes(second.read_bytes().replace(b"hostname: k3s-worker1", b"hostname: k3s-worker2"))
    times = [path.stat().st_mtime_ns for path in (first, second)]
    said.clear()
    build_data_isos(specs, tmp_path, said.append)
    assert said[0] == "seed-master1.iso is up to date"
    assert "for k3s-worker1 at" in said[1]
    assert first.stat().st_mtime_ns == times[0]
    first.write_bytes(b"of others")
    with pytest.raises(SeedError, match="is not a seed ISO that this project built"):
        build_data_isos(specs, tmp_path, said.append)
    assert first.read_bytes() == b"of others"
