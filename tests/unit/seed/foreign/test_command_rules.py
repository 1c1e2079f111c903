"""Late-commands: what they need, where they write, what they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from seed.foreign.ubuntu_iso import DATA, checked, edited, good_files, mistakes, of_data, only, remarks


def with_commands(*commands: str) -> str:
    return DATA + "".join(f"    - {command}\n" for command in commands)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("cp /cdrom/files/nothing /target/x", "/cdrom/files/nothing is not on the ISO"),
        ("[bash, /cdrom/scripts/go.sh]", "/cdrom/scripts/go.sh is not on the ISO"),
        ("cp /cdrom/none/*.deb /target/x", "/cdrom/none/*.deb is not on the ISO"),
        ("cp /cdrom/files/k3s /usr/local/bin/", "/usr/local/bin/ is written into the installer's memory"),
        ("echo a > /etc/hosts", "/etc/hosts is written into"),
        ("mkdir -p /opt/x && true", "/opt/x is written into"),
        ("sh -c 'touch /srv/x'", "/srv/x is written into"),
        ('[sh, -c, "echo a >> /etc/motd"]', "/etc/motd is written into"),
        ("echo a | tee -a /etc/motd", "/etc/motd is written into"),
        ("sed -i s/a/b/ /etc/ssh/sshd_config", "/etc/ssh/sshd_config is written into"),
        ("curtin in-target -- echo a > /etc/motd", "/etc/motd is written into"),
        ("|\n      true\n      ln -s /a /etc/b", "/etc/b is written into"),
    ],
)
def test_commands_that_fail_or_are_lost(tmp_path: Path, command: str, words: str) -> None:
    assert only(of_data(tmp_path, with_commands(command)), "/conf/user-data:28: ", words)


@pytest.mark.parametrize(
    "command",
    [
        "curtin in-target --target=/target -- mkdir -p /opt/x",
        "chroot /target sh -c 'echo a > /etc/b'",
        "cp -t /target/srv /cdrom/files/k3s",
        "cp /cdrom/files/k* /target/srv/",
        "mount /dev/sr0 /mnt && mkdir -p /mnt/x",
        "echo a > /dev/ttyS0 2>&1",
        "touch $HOME/x",
        "date > /target/srv/a#b",
        "|\n      cat > /target/usr/local/bin/go <<'END'\n      mkdir /opt/x\n      END",
        "echo 'unfinished",
    ],
)
def test_commands_that_are_right_or_unknown_are_no_mistake(tmp_path: Path, command: str) -> None:
    quoted = command if command.startswith("|") else '"' + command.replace('"', '\\"') + '"'
    assert of_data(tmp_path, with_commands(quoted)) == []


def test_a_file_that_may_be_missing_is_a_remark(tmp_path: Path) -> None:
    info = checked(tmp_path, good_files(data=with_commands("cp /cdrom/files/none /target/ || true")))
    assert mistakes(info) == []
    assert any("/cdrom/files/none is not on the ISO" in text for text in remarks(info))


NO_MARKER = edited(("    - date > /target/srv/copied\n", ""))


def test_a_marker_that_nothing_leaves(tmp_path: Path) -> None:
    assert only(of_data(tmp_path, NO_MARKER), "/conf/user-data:25: ", "nothing leaves the marker /srv/copied")


@pytest.mark.parametrize(
    ("further", "script"),
    [
        ("    - bash /cdrom/files/finish.sh\n", b"#!/bin/sh\ndate > /target/srv/copied\n"),
        ("  user-data:\n    runcmd: [[touch, /srv/copied]]\n", b""),
        ("    - curtin in-target -- sh -c 'date > /srv/copied'\n", b""),
    ],
)
def test_a_marker_may_be_left_by_a_script_or_at_the_first_boot(tmp_path: Path, further: str, script: bytes) -> None:
    files = good_files(data=NO_MARKER + further) | {"files/finish.sh": script}
    assert mistakes(checked(tmp_path, files)) == []


def test_commands_that_are_no_list_are_no_crash(tmp_path: Path) -> None:
    data = DATA.partition("  late-commands:")[0] + "  late-commands: date > /target/srv/copied\n"
    assert any("`late-commands` is" in text for text in of_data(tmp_path, data))
