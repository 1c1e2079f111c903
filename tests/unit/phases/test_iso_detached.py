"""ISO detached: identities before and after a restart become checks."""

from __future__ import annotations

import pytest

from harness.core.errors import GuestError
from harness.core.verdict import Check, Status
from harness.guest.serial import GuestEvent
from harness.machine.context import RunContext
from harness.machine.facts import GuestFacts
from harness.phases import iso_detached
from harness.phases.installation_identity import EVENT, FIELD

from .fake_machine import FakeMachine, vmx_of


def reported(boot_id: str, **changes: str) -> list[GuestEvent]:
    """Return the events at the end of a boot."""
    identity = {
        "boot_id": boot_id,
        "machine_id": "m",
        "host_keys": "ssh-ed25519 AAAA",
        "instance": "i",
        "installer_runs": "1",
        "iso_copy": "17",
        "first_boot": "a:1",
        "drive": "dd: failed to open '/dev/sr0': No medium found",
        **changes,
    }
    text = "".join(f"{name}={value}\n" for name, value in identity.items())
    return [GuestEvent(EVENT, "n", boot_id, {FIELD: text}), GuestEvent("boot-complete", "n", boot_id)]


def detach(context: RunContext, **changes: str) -> tuple[FakeMachine, dict[str, Check]]:
    """Run the phase; the machine reports these changes after its restart."""
    fake = FakeMachine(
        context, events=reported("boot-1"), reboots=lambda one: one.events.extend(reported("boot-2", **changes))
    )
    fake.facts = GuestFacts(("boot-1",))
    vmx_of(fake.plan.files.vmx, **{"sata0:1.startConnected": "TRUE"})
    found = list(iso_detached.run(fake.machine, context.plan.spec.deadlines_s))
    assert [check.name for check in found] == [spec.name for spec in iso_detached.CHECKS]
    return fake, {check.name: check for check in found}


def test_the_same_machine_restarts_without_a_login(context: RunContext) -> None:
    fake, found = detach(context)
    assert {check.status for check in found.values()} == {Status.PASS}
    assert fake.calls == ["off", "on 2"]
    assert fake.facts.boot_ids == ("boot-1", "boot-2")
    mark = fake.facts.installation["installation mark"]
    assert fake.facts.installation == {"machine id": "m", "installer runs": "1", "installation mark": mark}


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"machine_id": "other"}, {"same machine"}),
        ({"installer_runs": "2"}, {"installer did not run again"}),
        ({"first_boot": "a:2"}, {"no second first boot"}),
        ({"drive": "", "volume": "SEED"}, {"no medium in the guest"}),
    ],
)
def test_one_difference_is_one_failed_check(context: RunContext, changes: dict[str, str], failed: set[str]) -> None:
    _, found = detach(context, **changes)
    assert {name for name, check in found.items() if check.status is Status.FAIL} == failed


def test_half_an_identity_is_an_error_of_the_guest(context: RunContext) -> None:
    with pytest.raises(GuestError, match="does not report its machine_id on the serial line"):
        detach(context, machine_id="")
