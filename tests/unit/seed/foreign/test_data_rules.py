"""Whether the installer finds its data and takes them."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from harness.seed.foreign.data_rules import no_long_names
from harness.seed.iso9660 import IsoReader
from seed.foreign.ubuntu_iso import DATA, LINE, checked, edited, good_files, mistakes, of_data, only, remarks

USER_DATA = "/conf/user-data:1: "


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (codecs.BOM_UTF8 + DATA.encode(), "byte order mark"),
        (DATA.encode("utf-16"), "UTF-16"),
        (DATA.encode("utf-16-le"), "UTF-16"),
        (b" \n", "is empty"),
        (b"\x1f\x8b\x08", "compressed"),
        (DATA.replace("#cloud", "#  cloud").encode(), "'#  cloud-config'"),
        (b"# a comment\n" + DATA.encode(), "'# a comment'"),
        (DATA.partition("\n")[2].encode(), "'autoinstall:'"),
        (b"#cloud-configuration\n", "'#cloud-configuration'"),
    ],
)
def test_data_that_cloud_init_ignores_whole(tmp_path: Path, data: bytes, words: str) -> None:
    assert only(mistakes(checked(tmp_path, good_files() | {"conf/user-data": data})), USER_DATA, words)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            edited(("autoinstall:", "autoinstalll:")),
            "/conf/user-data:2: it has no key `autoinstall`, but `autoinstalll`",
        ),
        ("#cloud-config\nhostname: node-a\n", "it has no key `autoinstall`: the installer waits"),
        ("#cloud-config\nautoinstall: yes\n", "`autoinstall` is no mapping"),
        (edited(("      - ssh", "\t- ssh")), "/conf/user-data:12: it is no YAML"),
        (edited(("identity:", "identity: {a")), "it is no YAML"),
        (DATA + "  ssh: {install-server: true}\n", "/conf/user-data:8: `ssh` is there twice"),
        (DATA + "late-commands: [x]\n", "/conf/user-data:28: `late-commands` stands beside `autoinstall`"),
    ],
)
def test_data_that_the_installer_does_not_take(tmp_path: Path, data: str, words: str) -> None:
    assert any(words in text for text in of_data(tmp_path, data))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("s=/cdrom/elsewhere/", "names /elsewhere/, which has no user-data; it is in /conf"),
        ("s=/cdrom/conf", "lacks the slash at its end"),
        ("s=/conf/", "names no folder below /cdrom"),
    ],
)
def test_words_that_lead_elsewhere(tmp_path: Path, place: str, words: str) -> None:
    files = good_files(LINE.replace("s=/cdrom/conf/", place))
    assert only(mistakes(checked(tmp_path, files)), "/boot/grub/grub.cfg:3: ", words)


def test_data_that_no_word_names(tmp_path: Path) -> None:
    assert only(
        mistakes(checked(tmp_path, good_files("autoinstall console=ttyS0 ---"))), "nothing names /conf/user-data"
    )


def test_data_of_a_web_server_are_elsewhere(tmp_path: Path) -> None:
    info = checked(tmp_path, good_files(LINE.replace("s=/cdrom/conf/", "s=http://192.168.6.1/")))
    assert mistakes(info) == []
    assert "fetches its data from http://192.168.6.1/" in info.elsewhere


@pytest.mark.parametrize(("path", "good"), [("/cdrom/conf/user.yaml", True), ("/cdrom/none.yaml", False)])
def test_a_word_of_the_installer_may_name_the_file(tmp_path: Path, path: str, *, good: bool) -> None:
    files = good_files(f"autoinstall subiquity.autoinstallpath={path} console=ttyS0 ---")
    files["conf/user.yaml"] = DATA.partition("\n")[2].encode()
    found = mistakes(checked(tmp_path, files))
    assert found == [] if good else only(found, "/cdrom/none.yaml is not on the ISO")


def test_meta_data_must_be_there_and_may_be_broken(tmp_path: Path) -> None:
    assert only(mistakes(checked(tmp_path, good_files() | {"conf/meta-data": None})), "/conf/meta-data: it is missing")
    info = checked(tmp_path, good_files() | {"conf/meta-data": b"a: ["})
    assert mistakes(info) == []
    assert any("/conf/meta-data:1" in text for text in remarks(info))


def test_a_broken_network_config_names_its_line(tmp_path: Path) -> None:
    files = good_files() | {"conf/network-config": b"version: 2\na: [\n"}
    assert any("/conf/network-config:3" in text for text in mistakes(checked(tmp_path, files)))


def test_a_template_is_read_behind_its_first_line(tmp_path: Path) -> None:
    assert of_data(tmp_path, f"## template: jinja\n{DATA}") == []


def test_an_iso_with_long_names_has_them(tmp_path: Path) -> None:
    checked(tmp_path, good_files())
    with IsoReader(tmp_path / "seed.iso") as iso:
        assert no_long_names(iso) == ()
