"""Judge facts of the operating system: rights, session, service, addresses, paths. Pure."""

from __future__ import annotations

from pathlib import Path

from harness.config.plan import LabPlan
from harness.core.verdict import Check, Status, judge
from harness.preflight import remedies
from harness.preflight.facts import HostFacts
from harness.vmrun.discovery import Kind

NOTHING_NEEDED = "a vmrun that is not VMware's does not need VMware's service"
NOT_INSTALLED = "VMware is not installed on this host: vmrun is another vendor's program"
LONGEST_PATH = 259  # MAX_PATH of Windows is 260 with the closing NUL
# The longest path that VMware creates in a machine's directory: the lock of one extent of its disk.
_DEEPEST = "{name}-000001-s001.vmdk.lck\\M00000.lck"


def judge_rights(name: str, _plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether the user is an administrator.

    Only VMware on Windows needs it.
    """
    if facts.platform != "win32" or facts.kind is Kind.EMBEDDED:
        return judge(name, ok=True, expected="an ordinary user is enough here", seen=_user(facts))
    expected = "an administrator's prompt"
    remedy = "VMware's networks and service belong to the administrator; " + remedies.administrator()
    if facts.elevated.value is None:
        seen = facts.elevated.problem or "Windows does not report it"
        return Check(name, Status.NOT_PROVEN, expected, seen, remedy)
    return judge(name, ok=facts.elevated.value, expected=expected, seen=_user(facts), remedy=remedy)


def judge_session(name: str, _plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether a desktop's user, not a service, started this process.

    `vmrun list` of a service lists no machine.
    """
    if facts.platform != "win32" or facts.kind is Kind.EMBEDDED:
        return judge(name, ok=True, expected="any session is sufficient here", seen=facts.account)
    expected = "the logon session of a desktop's user"
    remedy = "`vmrun list` shows a service none of the running machines, so nothing could be proven\n"
    remedy += remedies.desktop_session()
    session = facts.session.value
    if session is None:
        return Check(name, Status.NOT_PROVEN, expected, facts.session.problem or "Windows does not report it", remedy)
    return judge(name, ok=not session.is_service, expected=expected, seen=str(session), remedy=remedy)


def judge_service(name: str, _plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether VMware's service or kernel modules run.

    They are VMAuthdService on Windows, vmmon and vmnet on Linux. A `vmrun` on a host without VMware is assumed to be
    another vendor's program, which needs neither.
    """
    needed = facts.daemon.value
    expected = f"{needed.name} runs" if needed and needed.name else "VMware's service or kernel modules run"
    remedy = "no machine starts without it\n" + remedies.daemon_down(facts.platform)
    if needed is None:
        return Check(name, Status.NOT_PROVEN, expected, facts.daemon.problem, remedy)
    if not needed.installed and not facts.products:
        return judge(name, ok=True, expected=NOTHING_NEEDED, seen=f"{NOT_INSTALLED} ({needed.seen})")
    if not needed.installed:
        remedy = "no machine starts without it\n" + remedies.daemon_missing()
    return judge(name, ok=needed.running, expected=expected, seen=needed.seen or "none is needed", remedy=remedy)


def judge_host_address(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether an adapter of this host is in the lab's subnet.

    Guests behind forwarded ports do not need one.
    """
    wanted = plan.spec.network
    direct = [machine.name for machine in plan.machines if not machine.endpoint.forward]
    if not direct:
        return judge(name, ok=True, expected="the guests are reached through forwarded ports", seen="they are")
    expected = f"an adapter of this host has an address of {wanted.subnet}"
    remedy = f"the guests are reached through {wanted.vmnet}, but the host is not in it\n"
    remedy += remedies.adapter_missing(facts.platform, wanted.vmnet, wanted.subnet)
    if facts.addresses.value is None:
        return Check(name, Status.NOT_PROVEN, expected, facts.addresses.problem, remedy)
    everything = [(adapter, item) for adapter, found in facts.addresses.value.items() for item in found]
    inside = [f"{item} of {adapter}" for adapter, item in everything if item in wanted.subnet]
    taken = [item for _, item in everything if item in {machine.address for machine in plan.machines}]
    if taken:
        seen = f"the host has a machine's address: {taken[0]}"
        remedy = "two hosts with the same address do not reach each other\n"
        remedy += remedies.adapter_missing(facts.platform, wanted.vmnet, wanted.subnet)
        return judge(name, ok=False, expected=expected, seen=seen, remedy=remedy)
    seen = ", ".join(inside) or "none of " + ", ".join(str(item) for _, item in everything)
    return judge(name, ok=bool(inside), expected=expected, seen=seen, remedy=remedy)


def judge_paths(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether the machines' paths are short enough for Windows."""
    if facts.platform != "win32":
        return judge(name, ok=True, expected="any length is allowed here", seen="no relevant limit")
    deepest = max((_deepest(plan.vm_directory, item.name) for item in plan.machines), key=len)
    expected = f"at most {LONGEST_PATH} characters"
    remedy = "VMware cannot create its files there; set vm_directory in the lab file to a shorter path"
    seen = f"{len(deepest)} characters: {deepest}"
    if len(deepest) > LONGEST_PATH and facts.long_paths:
        seen = f"LongPathsEnabled is set, but whether VMware's programs use it is unknown; {seen}"
        return Check(name, Status.NOT_PROVEN, expected, seen, remedy)
    return judge(name, ok=len(deepest) <= LONGEST_PATH, expected=expected, seen=seen, remedy=remedy)


def _deepest(directory: Path, machine: str) -> str:
    return f"{directory / machine}\\{_DEEPEST.format(name=machine)}"


def _user(facts: HostFacts) -> str:
    if facts.elevated.value is None:
        return f"no administrator is needed on {facts.platform}"
    return "an administrator" if facts.elevated.value else "not an administrator"
