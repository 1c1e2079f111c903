"""The files that the guest image adds to its packages."""

from __future__ import annotations

import io
import tarfile

from harness.image.guest_files import GuestFile, guest_files, overlay_tar


def test_the_overlay_changes_with_each_guest_file() -> None:
    files = guest_files()
    changed = {**files, "etc/cloud/cloud.cfg.d/90_lab.cfg": GuestFile("datasource_list: []\n")}
    assert overlay_tar(files) == overlay_tar()
    assert overlay_tar(changed) != overlay_tar()


def test_the_overlay_is_the_same_bytes_each_time_and_owned_by_root() -> None:
    data = overlay_tar()
    assert data == overlay_tar()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {member.name: member for member in tar.getmembers()}
    assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, 0)}
    assert members["usr/local/sbin/lab-event"].mode == 0o755
    assert members["etc/systemd/system/apt-daily.timer"].linkname == "/dev/null"


def test_every_enabled_unit_of_ours_exists() -> None:
    there = guest_files()
    links = {path: file.link for path, file in there.items() if ".wants/" in path and file.link.startswith("/etc")}
    assert len(links) == 3
    assert all(target.removeprefix("/") in there for target in links.values())


def test_no_name_server_host_key_or_machine_id_is_baked_in() -> None:
    there = guest_files()
    assert there["etc/machine-id"].text == ""
    assert there["etc/resolv.conf"].text == ""
    assert not [path for path in there if "ssh_host" in path]
