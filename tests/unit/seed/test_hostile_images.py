"""Damaged and hostile ISOs and their texts: facts, findings or a seed error, at once."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import damaged, mutated

from harness.core.errors import SeedError
from harness.seed.foreign import grub, isolinux
from harness.seed.foreign.check import check_seed
from harness.seed.foreign.documents import BrokenDocument, read_document
from harness.seed.inspect import inspect_iso, list_files, payload_digests
from harness.seed.iso9660 import SECTOR, IsoReader
from harness.seed.iso_record import Record

from .foreign.ubuntu_iso import DATA, EXPECTED, GRUB, LINE, NOW, good_files
from .foreign_iso import foreign_iso

pytestmark = pytest.mark.timeout(60)
FUZZ = settings(max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
MENU = b"DEFAULT a\nTIMEOUT 50\nINCLUDE menu.cfg\nLABEL a\n  KERNEL /casper/vmlinuz\n  APPEND autoinstall ---\n"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Sequence[bytes]:
    """Return images with the names of Rock Ridge and of Joliet."""
    folder = tmp_path_factory.mktemp("images")
    files = {**good_files(), "isolinux/isolinux.cfg": MENU}
    paths = [foreign_iso(folder / f"{long}.iso", files, rock_ridge=long) for long in (True, False)]
    return [path.read_bytes() for path in paths]


@FUZZ
@given(data=st.data())
def test_any_image_has_facts_and_findings_or_is_a_seed_error(
    data: st.DataObject, images: Sequence[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "seed.iso"
    path.write_bytes(data.draw(mutated(images, 16 * SECTOR)))
    for read in (inspect_iso, payload_digests, list_files, lambda iso: check_seed(iso, EXPECTED, NOW)):
        with contextlib.suppress(SeedError):
            read(path)


@FUZZ
@given(damaged([(GRUB % LINE).encode(), MENU, DATA.encode()]))
def test_any_text_is_a_menu_and_a_document_or_a_broken_one(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    grub.read_menu("grub.cfg", text)
    isolinux.read_menu("isolinux.cfg", text, lambda _: text)
    with contextlib.suppress(BrokenDocument):
        list(read_document("user-data", text).doubled())


def entry_of(path: Path, name: str) -> tuple[Record, int]:
    """Return a record with the position of its entry in the image."""
    with IsoReader(path) as iso:
        record = iso.find(name)
    assert record is not None
    place = struct.pack("<I", record.sector) + struct.pack(">I", record.sector) + struct.pack("<I", record.size)
    return record, path.read_bytes().index(place) - 2


def resize(path: Path, name: str, size: int) -> None:
    """Write another length into the entry of a file."""
    _, at = entry_of(path, name)
    content = bytearray(path.read_bytes())
    content[at + 10 : at + 14] = struct.pack("<I", size)
    path.write_bytes(content)


def test_a_directory_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", good_files())
    resize(path, "files", 0xFFFFF000)
    with path.open("r+b") as stream:
        stream.truncate(64 << 20)  # zeros without a place on the disk
    with pytest.raises(SeedError, match=r"is damaged: the directory 'files' has 4294963200 bytes"):
        inspect_iso(path)


def test_files_that_are_more_than_the_image_are_not_read(tmp_path: Path) -> None:
    names = [f"files/{number}" for number in range(5)]
    path = foreign_iso(tmp_path / "seed.iso", {name: bytes([number] * 100) for number, name in enumerate(names)})
    for name in names:
        resize(path, name, path.stat().st_size)
    for read in (payload_digests, list_files, inspect_iso):
        with pytest.raises(SeedError, match="more than the image"):
            read(path)


def test_a_file_with_many_names_is_no_damage(tmp_path: Path) -> None:
    names = [f"files/{number}" for number in range(9)]
    path = foreign_iso(tmp_path / "seed.iso", {name: bytes([number] * 9) for number, name in enumerate(names)})
    first, _ = entry_of(path, names[0])
    content = bytearray(path.read_bytes())
    for name in names:
        _, at = entry_of(path, name)
        content[at + 2 : at + 6] = struct.pack("<I", first.sector)
        content[at + 10 : at + 14] = struct.pack("<I", path.stat().st_size // 2)
    path.write_bytes(content)
    assert len(set(payload_digests(path).values())) == 1


def test_a_file_of_thousands_of_extents_is_read_at_once(tmp_path: Path) -> None:
    names = [f"files/{number:06}" for number in range(4000)]
    path = foreign_iso(tmp_path / "seed.iso", dict.fromkeys(names, b""))
    with IsoReader(path) as iso:
        folder = iso.find("files")
        assert folder is not None
        content = bytearray(iso.read(folder))
        at = 0
        while at < len(content):
            if content[at]:
                content[at + 25] |= 0x80
            at = at + content[at] if content[at] else (at // SECTOR + 1) * SECTOR
    image = bytearray(path.read_bytes())
    image[folder.sector * SECTOR : folder.sector * SECTOR + len(content)] = content
    path.write_bytes(image)
    (file,) = inspect_iso(path).payload
    assert file.size == 0


def test_a_menu_that_includes_itself_ends() -> None:
    text = "INCLUDE isolinux.cfg\n" * 50 + "LABEL a\n  KERNEL /vmlinuz\n"
    entry = isolinux.read_menu("isolinux.cfg", text, lambda _: text).entry
    assert entry is not None
    assert entry.title == "a"


@pytest.mark.parametrize("text", ["if " * 100_000, "if a\n" * 50_000, "{ " * 50_000, "else " * 100_000])
def test_a_menu_of_conditions_without_an_end_is_read_at_once(text: str) -> None:
    assert grub.read_menu("grub.cfg", text).entry is None


def test_a_condition_in_a_branch_for_uefi_is_not_taken_by_a_bios() -> None:
    text = """
    if [ "$grub_platform" = "efi" ]; then
      if [ -e /x ]; then
        set default=1
      else
        set default=2
      fi
    else
      set timeout=7
    fi
    menuentry A { linux /a; }
    menuentry B { linux /b; }
    """
    menu = grub.read_menu("grub.cfg", text)
    assert menu.entry is not None
    assert (menu.entry.title, menu.timeout) == ("A", 7)


@pytest.mark.parametrize("digits", ["9" * 5000, "²", "١"])
def test_a_timeout_that_is_no_number_is_none(digits: str) -> None:
    assert grub.read_menu("grub.cfg", f"set timeout={digits}\n").timeout is None
    assert isolinux.read_menu("isolinux.cfg", f"TIMEOUT {digits}\n", lambda _: None).timeout == 0


def bomb(levels: int, value: str) -> str:
    text = f"x0: &x0 {value}\n"
    return text + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, levels))


@pytest.mark.parametrize(
    "text",
    [
        bomb(12, "lol"),
        "x0: &x0 {a: 1}\n" + "".join(f"x{n}: &x{n} {{<<: [{', '.join([f'*x{n - 1}'] * 10)}]}}\n" for n in range(1, 12)),
        "a: &a [*a]\n",
        "a: " + "x" * (2 << 20),
    ],
    ids=["aliases", "merges", "itself", "length"],
)
def test_a_document_that_grows_without_bounds_is_broken(text: str) -> None:
    with pytest.raises(BrokenDocument, match="more than"):
        read_document("user-data", text)


def test_the_doubled_keys_of_a_wide_mapping_are_found_at_once() -> None:
    text = "{" + ", ".join(f"k{number}: 1" for number in range(20_000)) + ", k7: 2}\n"
    assert [name for _, name in read_document("user-data", text).doubled()] == ["k7"]
