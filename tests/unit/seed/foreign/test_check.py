"""Seed ISOs made from Ubuntu's, healthy and broken, as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_lab
from harness.config.plan import make_plan
from harness.seed.foreign.check import check_seed, checked_reader, utc_now
from seed.foreign.ubuntu_iso import DATA, EXPECTED, KEY, LINE, NOW, checked, good_files, mistakes, only, remarks
from seed.foreign_iso import foreign_iso

LAB = Path(__file__).parents[4] / "scenarios" / "lab.yaml"
PLAIN = DATA.partition("\n")[2]
DIRECT = "\n".join(line.removeprefix("  ") for line in PLAIN.splitlines()[1:]) + "\n"
NO_SOURCE = "autoinstall console=ttyS0 ---"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"conf/user-data": b"\n" + DATA.encode()},
        {"conf/user-data": DATA.replace("\n", "\r\n").encode()},
        {"conf/user-data": DATA.replace("#cloud-config", "#Cloud-Config of node-a").encode()},
        {"conf/meta-data": b""},
        {"boot/grub/grub.cfg": good_files(LINE.replace(r"\;", "';'"))["boot/grub/grub.cfg"]},
        {"boot/grub/grub.cfg": good_files(f"{LINE} console=tty0")["boot/grub/grub.cfg"]},
        {"boot/grub/grub.cfg": good_files(NO_SOURCE)["boot/grub/grub.cfg"], "autoinstall.yaml": PLAIN.encode()},
        {"boot/grub/grub.cfg": good_files(NO_SOURCE)["boot/grub/grub.cfg"], "autoinstall.yaml": DIRECT.encode()},
    ],
)
def test_healthy_isos_raise_no_alarm(tmp_path: Path, changes: dict[str, bytes]) -> None:
    info = checked(tmp_path, good_files() | changes)
    assert mistakes(info) == []
    assert remarks(info) == []
    assert (info.machine, info.address, info.elsewhere) == ("node-a", "10.20.0.5", "")


def test_data_on_a_second_medium_are_not_proven_and_no_mistake(tmp_path: Path) -> None:
    files = good_files(NO_SOURCE) | {"conf/user-data": None, "conf/meta-data": None}
    info = checked(tmp_path, files)
    assert mistakes(info) == []
    assert info.machine is None
    assert "label CIDATA" in info.elsewhere


def test_an_iso_that_no_bios_boots(tmp_path: Path) -> None:
    assert only(mistakes(checked(tmp_path, good_files(), bootable=False)), "a BIOS cannot boot it")


def test_without_a_lab_only_what_no_lab_can_want_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(checked(tmp_path, good_files(data=DATA.replace("node-a", "other")), None)) == []


def test_other_installers_are_not_judged(tmp_path: Path) -> None:
    info = checked(tmp_path, {"isolinux/isolinux.cfg": b"default x\n", "autoinstall/user-data": b"hostname: a\n"})
    assert (info.findings, info.machine) == ((), "a")


def test_the_reader_of_a_lab_knows_the_machine_of_each_iso(tmp_path: Path) -> None:
    text = LAB.read_text(encoding="utf-8").replace("../wsl/out", ".")
    (tmp_path / "lab.yaml").write_text(text, encoding="utf-8")
    plan = make_plan(load_lab(tmp_path / "lab.yaml"), tmp_path / "lab.yaml", overlay=None, run_id="r")
    seed = plan.machine("k3s-worker1").seed
    foreign_iso(seed, good_files())
    found = mistakes(checked_reader(plan, lambda: NOW)(seed))
    assert any("it installs node-a, not k3s-worker1" in text for text in found)
    assert not any(KEY in text for text in found)
    assert utc_now().utcoffset() is not None


def data_iso(folder: Path, files: dict[str, bytes], label: str) -> list[str]:
    """Return the mistakes of a second CD with these files."""
    iso = foreign_iso(folder / "data.iso", files, bootable=False)
    with iso.open("r+b") as stream:
        stream.seek(16 * 2048 + 40)
        stream.write(label.encode().ljust(32))
    return mistakes(check_seed(iso, EXPECTED, NOW))


def test_a_second_cd_with_the_label_cidata_is_judged_by_its_data(tmp_path: Path) -> None:
    """It needs no boot menu, and the payload may lie on the installer's ISO."""
    files = {"user-data": DATA.encode(), "meta-data": b""}
    assert data_iso(tmp_path, files, "CIDATA") == []
    assert only(data_iso(tmp_path, {"user-data": DATA.encode()}, "cidata"), "/meta-data: it is missing")
    wrong = {**files, "user-data": DATA.replace("hostname: node-a", "hostname: node-b").encode()}
    assert only(data_iso(tmp_path, wrong, "CIDATA"), "it installs node-b, not node-a")
