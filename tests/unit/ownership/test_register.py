from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness.config.plan import MachinePlan
from harness.core.errors import HostError
from harness.core.layout import MachineFiles
from harness.ownership.ledger import ForwardingEntry, HomeEntry, Ledger
from harness.ownership.marker import read_marker
from harness.ownership.register import register_directory, register_forwarding, register_home


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.json", "lab")


def plan(tmp_path: Path) -> MachinePlan:
    files = MachineFiles(tmp_path / "vms" / "m1", "m1")
    return cast("MachinePlan", SimpleNamespace(name="m1", files=files, nonce="ab" * 16))


def test_a_new_directory_is_in_the_ledger_and_has_a_marker(tmp_path: Path, ledger: Ledger) -> None:
    register_directory(ledger, plan(tmp_path), "run-1")
    (entry,) = ledger.machines()
    assert (entry.name, entry.run_id, entry.nonce, entry.found) == ("m1", "run-1", "ab" * 16, None)
    assert re.fullmatch(r".+@.+", entry.owner)
    assert read_marker(Path(entry.directory)) == entry.token == "run-1/m1"


def test_the_names_in_an_existing_directory_are_recorded(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "vms" / "m1").mkdir(parents=True)
    for name in ("thesis.docx", "a.txt"):
        (tmp_path / "vms" / "m1" / name).touch()
    register_directory(ledger, plan(tmp_path), "run-1")
    assert ledger.machines()[0].found == ("a.txt", "thesis.docx")


def test_no_directory_is_created_without_an_entry(tmp_path: Path, ledger: Ledger) -> None:
    ledger.path.write_text("damaged")
    with pytest.raises(HostError):
        register_directory(ledger, plan(tmp_path), "run-1")
    assert not (tmp_path / "vms").exists()


def test_only_a_home_that_does_not_exist_is_registered(tmp_path: Path, ledger: Ledger) -> None:
    register_home(ledger, None)
    register_home(ledger, tmp_path)
    assert ledger.read().entries == ()
    register_home(ledger, tmp_path / "home")
    assert ledger.read().entries == (HomeEntry(str(tmp_path / "home")),)


def test_a_damaged_ledger_is_left_as_it_is_by_a_home(tmp_path: Path, ledger: Ledger) -> None:
    ledger.path.write_text("damaged")
    register_home(ledger, tmp_path / "home")
    assert ledger.path.read_text() == "damaged"


def test_a_port_is_registered_under_the_name_of_its_vm(ledger: Ledger) -> None:
    register_forwarding(ledger, "m1", "vmnet1", 2201)
    assert ledger.read().entries == (ForwardingEntry("m1", "vmnet1", 2201),)
