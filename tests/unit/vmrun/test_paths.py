from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from fake_run import FakeRun
from hypothesis import given, settings
from hypothesis import strategies as st
from needs import posix_paths

from harness.core.errors import UsageError
from harness.vmrun.driver import Vmrun as Driver
from harness.vmrun.paths import GuestPath, GuestStyle, path_identity, same_vmx

from .samples import VMX

# -- of the host -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    [
        VMX,
        VMX.lower(),
        VMX.replace("\\", "/"),
        "f" + VMX[1:],
        VMX.replace("AirgapLab", r"x\..\AirgapLab"),
        "\\\\?\\" + VMX,
        "\\\\.\\" + VMX,
        "//?/" + VMX.replace("\\", "/"),
    ],
)
def test_windows_paths_are_compared_without_case_slashes_and_long_form(spelling: str) -> None:
    assert same_vmx(VMX, spelling, "win32")
    assert not same_vmx(VMX, spelling.replace("master1", "master2"), "win32")


def test_the_long_form_of_a_share() -> None:
    assert same_vmx(r"\\server\vms\a.vmx", r"\\?\UNC\Server\vms\a.vmx", "win32")
    assert not same_vmx(r"\\server\vms\a.vmx", r"\\?\server\vms\a.vmx", "win32")


def test_letters_that_the_code_page_does_not_have_come_back_as_question_marks() -> None:
    ours = "F:\\실습실\\k3s-master1\\k3s-master1.vmx"
    assert same_vmx(ours, "F:\\???\\k3s-master1\\k3s-master1.vmx", "win32")
    assert same_vmx(ours, "F:\\\ufffd\ufffd\\k3s-master1\\k3s-master1.vmx", "win32")
    assert not same_vmx(ours, "F:\\???\\k3s-worker1\\k3s-worker1.vmx", "win32")
    assert not same_vmx("F:\\lab\\a.vmx", "F:\\???\\a.vmx", "win32"), "letters that every code page has are not lost"
    assert not same_vmx("/실/a.vmx", "/?/a.vmx", "linux"), "a name may have a question mark there"


def test_macos_compares_without_case_and_composition() -> None:
    assert path_identity("/Users/R\u00e9ne/A.vmx", "darwin") == path_identity("/users/Re\u0301ne/a.vmx", "darwin")
    assert path_identity("/a/A.vmx", "linux") != path_identity("/a/a.vmx", "linux")


@settings(deadline=None)
@given(st.text(), st.text(), st.sampled_from(["win32", "darwin", "linux"]))
def test_no_text_of_vmrun_makes_a_comparison_raise(one: str, other: str, platform: str) -> None:
    assert same_vmx(one, other, platform) in (True, False)
    assert same_vmx(one, one, platform)


@posix_paths
def test_linux_paths_differ_by_case_and_links_are_resolved(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.vmx").write_text("")
    (tmp_path / "link").symlink_to(real)
    run = FakeRun().on("vmrun", "-T", "ws", "list", says=f"Total running VMs: 1\n{real / 'a.vmx'}\n")
    driver = Driver(("vmrun",), run=run, platform="linux")
    assert driver.is_running(tmp_path / "link" / "a.vmx")
    assert not driver.is_running(real / "A.vmx")


@posix_paths
def test_a_link_is_resolved_even_when_the_vmx_is_gone(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    run = FakeRun().on("vmrun", "-T", "ws", "list", says=f"Total running VMs: 1\n{tmp_path / 'real' / 'a.vmx'}\n")
    assert Driver(("vmrun",), run=run, platform="linux").is_running(tmp_path / "link" / "a.vmx")


def test_two_names_of_one_file_are_one_machine_as_8_3_names_are(tmp_path: Path) -> None:
    (tmp_path / "machine.vmx").write_text("", encoding="utf-8")
    (tmp_path / "MACHIN~1.VMX").hardlink_to(tmp_path / "machine.vmx")
    run = FakeRun().on("vmrun", "-T", "ws", "list", says=f"Total running VMs: 1\n{tmp_path / 'MACHIN~1.VMX'}\n")
    assert Driver(("vmrun",), run=run, platform="linux").is_running(tmp_path / "machine.vmx")


# -- of the guest ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "style", "name", "parent"),
    [
        ("/usr/bin/id", GuestStyle.POSIX, "id", "/usr/bin"),
        ("/tmp/dir/", GuestStyle.POSIX, "dir", "/tmp"),
        ("/etc", GuestStyle.POSIX, "etc", "/"),
        ("/", GuestStyle.POSIX, "", "/"),
        (r"C:\Windows\System32\cmd.exe", GuestStyle.WINDOWS, "cmd.exe", r"C:\Windows\System32"),
        ("C:/Users/lab", GuestStyle.WINDOWS, "lab", "C:/Users"),
        (r"\\server\share\a.txt", GuestStyle.WINDOWS, "a.txt", "\\\\server\\share\\"),
    ],
)
def test_a_guest_path_has_the_rules_of_its_guest(text: str, style: GuestStyle, name: str, parent: str) -> None:
    path = GuestPath(text)
    assert (path.style, path.name, path.parent.text, str(path)) == (style, name, parent, text)


@pytest.mark.parametrize("text", ["", "id", "./id", "C:", "C:id", "~/a", "/tmp/../etc", r"C:\a\..\b", "/a\nb", "/a\0"])
def test_a_guest_path_is_absolute_and_plain(text: str) -> None:
    with pytest.raises(UsageError, match="not a path in a guest"):
        GuestPath(text)


def test_text_is_joined_by_the_rules_of_the_guest() -> None:
    assert GuestPath("/tmp") / "a b" / "c" == GuestPath("/tmp/a b/c")
    assert GuestPath("C:\\Temp") / "a" == GuestPath("C:\\Temp\\a")
    for part in ("/etc/passwd", "C:\\Windows", "\\Windows", ".."):
        with pytest.raises(UsageError):
            GuestPath("/tmp") / part


@pytest.mark.parametrize("host", [Path("/tmp"), PurePosixPath("/tmp"), PureWindowsPath("C:\\x")])
def test_a_guest_path_is_never_joined_with_a_path_of_the_host(host: Any) -> None:
    guest: Any = GuestPath("/tmp")
    for join in (lambda: host / guest, lambda: guest / host, lambda: Path(guest), lambda: os.fspath(guest)):
        with pytest.raises(TypeError):
            join()
