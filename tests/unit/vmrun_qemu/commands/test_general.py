"""clone, upgradevm, deleteVM."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_vm import fake_vm

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import general
from harness.vmware.vmx import Vmx


@pytest.fixture
def vmx(tmp_path: Path) -> Path:
    """A VM without a disk, in a directory of its own."""
    path = tmp_path / "one" / "one.vmx"
    path.parent.mkdir()
    path.write_text('virtualHW.version = "10"\ndisplayName = "one"\n', encoding="utf-8")
    return path


def test_the_hardware_is_upgraded_once(vmx: Path) -> None:
    assert general.upgrade_vm([str(vmx)], {}) == 0
    assert int(Vmx.read(vmx).get("virtualHW.version") or "0") > 10
    with pytest.raises(Failure, match="already up to date"):
        general.upgrade_vm([str(vmx)], {})


def test_a_vm_is_deleted_with_its_directory_and_its_state(vmx: Path) -> None:
    general.upgrade_vm([str(vmx)], {})
    assert home.vm_dir(vmx).exists()
    assert general.delete_vm([str(vmx)], {}) == 0
    assert not vmx.parent.exists()
    assert not home.vm_dir(vmx).exists()


def test_a_foreign_file_keeps_the_directory(vmx: Path) -> None:
    (vmx.parent / "notes.txt").touch()
    assert general.delete_vm([str(vmx)], {}) == 0
    assert [path.name for path in vmx.parent.iterdir()] == ["notes.txt"]


def test_a_vm_that_is_on_is_neither_deleted_nor_upgraded_nor_cloned(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        for verb, words in (
            (general.delete_vm, []),
            (general.upgrade_vm, []),
            (general.clone, [str(tmp_path / "b.vmx"), "full"]),
        ):
            with pytest.raises(Failure, match="already running"):
                verb([vm.vmx, *words], {})
        assert Path(vm.vmx).exists()


@pytest.mark.parametrize(
    ("target", "kind", "text"),
    [
        ("two.vmx", "half", "One of the parameters was invalid: half"),
        ("two.txt", "full", "One of the parameters was invalid: .*two.txt"),
        ("one.vmx", "full", "The file already exists"),
    ],
)
def test_a_clone_that_makes_no_sense(vmx: Path, target: str, kind: str, text: str) -> None:
    with pytest.raises(Failure, match=text):
        general.clone([str(vmx), str(vmx.with_name(target)), kind], {})


def test_a_full_clone_has_its_own_name(vmx: Path, tmp_path: Path) -> None:
    target = tmp_path / "two" / "two.vmx"
    assert general.clone([str(vmx), str(target), "full", "-cloneName=second"], {}) == 0
    assert Vmx.read(target).get("displayName") == "second"
    assert Vmx.read(vmx).get("displayName") == "one"


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], {}),
        (["-snapshot=a b"], {"-snapshot": "a b"}),
        (["-SNAPSHOT", "a", "-CloneName=x=y"], {"-snapshot": "a", "-clonename": "x=y"}),
        (["-cloneName="], {"-clonename": ""}),
    ],
)
def test_options_have_two_forms_and_no_case(words: list[str], options: dict[str, str]) -> None:
    assert general.clone_options(words) == options


@pytest.mark.parametrize("words", [["-snapshot"], ["snapshot=a"], ["-colour=red"], ["-snapshot=a", "more"]])
def test_another_option_is_refused(words: list[str]) -> None:
    with pytest.raises(Failure, match="One of the parameters was invalid"):
        general.clone_options(words)
