from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest
from fake_run import FakeRun

from harness.vmrun import errors
from harness.vmrun.parse import (
    ToolsState,
    VmrunVersion,
    parse_about,
    parse_counted,
    parse_guest_address,
    parse_running,
    parse_tools_state,
    parse_version,
)

from .samples import VMX, cmd, windows


@pytest.mark.parametrize(
    "says",
    [
        "Waiting for Command execution Available",
        "Total running VMs: 2\nC:\\a.vmx\n",
        "Total running VMs: 1\nhello\nworld\n",
        "Total running VMs: many\n",
    ],
)
def test_an_unexpected_output_of_list(says: str) -> None:
    with pytest.raises(errors.UnexpectedAnswer, match="Total running VMs"):
        windows(FakeRun().on(*cmd("list"), says=says)).list_running()


def test_list_that_fails_after_its_head() -> None:
    run = FakeRun().on(*cmd("list"), says="Total running VMs: 0\nError: Insufficient permissions in the host\n")
    with pytest.raises(errors.PermissionDenied):
        windows(run).list_running()


def test_list_with_other_lines_around_its_paths() -> None:
    says = f"Waiting for Command execution Available\nTotal running VMs: 1\nnote\n{VMX} (running)\n"
    assert windows(FakeRun().on(*cmd("list"), says=says)).list_running() == (Path(VMX),)


def test_lines_that_are_no_paths_are_skipped_only_where_the_number_fits() -> None:
    assert parse_running("Total running VMs: 0\n") == ()
    assert parse_running("Total running VMs: 1\nnote\n/vms/a.vmx\n") == ("/vms/a.vmx",)
    assert parse_running("Total running VMs: 1\n/vms/no suffix\n") == ("/vms/no suffix",)
    with pytest.raises(ValueError, match="2`, but 1 paths"):
        parse_running("Total running VMs: 2\nnote\n/vms/a.vmx\nother\n")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("running\n", ToolsState.RUNNING),
        ("note\n\nInstalled\n", ToolsState.INSTALLED),
        ("Error: x\n", None),
        ("", None),
    ],
)
def test_the_last_line_is_the_state_of_tools(text: str, state: ToolsState | None) -> None:
    assert parse_tools_state(text) is state


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.168.6.10\n", IPv4Address("192.168.6.10")),
        ("unknown\n", None),
        ("", None),
        ("fe80::1\n", None),
        ("0.0.0.0\n", None),
    ],
)
def test_only_an_ipv4_address_counts(text: str, address: IPv4Address | None) -> None:
    assert parse_guest_address(text) == address


def test_a_known_build_names_the_product() -> None:
    version = parse_version("\nvmrun version 1.17.0 build-24583834\n\nUsage: vmrun\n")
    assert version == VmrunVersion("1.17.0", 24583834)
    assert str(version) == "VMware Workstation 17.6.3 (vmrun 1.17.0 build-24583834)"
    assert str(VmrunVersion("1.17.0", 1)) == "VMware (vmrun 1.17.0 build-1)"
    assert parse_version("Usage: vmrun\n") is None


def test_about_is_one_json_object() -> None:
    assert parse_about('{"accelerator": "kvm"}') == {"accelerator": "kvm"}
    for text in ("[]", "nothing", ""):
        with pytest.raises(ValueError):  # noqa: PT011  (the text is that of the JSON library)
            parse_about(text)


def test_the_lines_after_the_number_are_returned() -> None:
    assert parse_counted("note\nTotal snapshots: 2\na\n b\n", "Total snapshots") == (2, ["a", " b", ""])
    with pytest.raises(ValueError, match="no line `Total snapshots: N`"):
        parse_counted("Total snapshots: many\n", "Total snapshots")
