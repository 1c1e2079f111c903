"""Two labs at the same time on one host, with real guests.

Both are proven, they share nothing, and one outlives the other.

One machine of each, on the embedded hypervisor. It takes minutes and the guest image: LAB_E2E=1 asks for it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from leftovers import processes
from whole_lab import LIMIT_S, MACHINE, asked_for, command, decoy, left, make_lab, output_tail, run

from harness.system.process_tree import end_tree
from harness.vmware.vmx import Vmx

pytestmark = asked_for

# Without the air gap: a machine that is asked alone has no neighbours to answer it.
PROVEN = ("creation", "boot", "iso-copy", "cloud-init", "packages", "iso-detached", "restarts", "guests")


def verdicts(lab: Path) -> dict[str, str]:
    """Return the phases' statuses of the machine in the newest run."""
    result = json.loads((lab / "reports" / "latest" / "run.json").read_text(encoding="utf-8"))
    return {item["phase"]: item["status"] for item in result["verdicts"] if item["machine"] == MACHINE}


def marks(lab: Path) -> dict[str, set[str]]:
    """Return the resources that two labs must not share, by kind."""
    vmx = Vmx.read(lab / ".lab" / "vms" / MACHINE / f"{MACHINE}.vmx")
    ssh_config = (lab / "reports" / "latest" / "ssh_config").read_text(encoding="utf-8")
    sockets = {word for line in processes(lab) for word in re.findall(r"/[^ ,=]*/vq-[^/ ,]+", line)}
    return {
        "port": set(re.findall(r"Port (\d+)", ssh_config)),
        "MAC address": {vmx.get("ethernet0.generatedAddress") or vmx.get("ethernet0.address") or ""},
        "nonce": {vmx.get("uuid.bios") or ""},
        "key": {(lab / ".lab" / "seeds" / "ssh" / "id_ed25519.pub").read_text(encoding="utf-8")},
        "socket": sockets,
    }


def test_two_labs_are_both_proven_and_share_nothing(tmp_path: Path) -> None:
    labs = [tmp_path / "one", tmp_path / "two"]
    for lab in labs:
        make_lab(lab)
    children = [run(lab) for lab in labs]
    try:
        codes = [child.wait(LIMIT_S) for child in children]
        assert codes == [0, 0], "\n".join(map(output_tail, labs))
        for lab in labs:
            assert {phase: verdicts(lab).get(phase) for phase in PROVEN} == dict.fromkeys(PROVEN, "pass"), output_tail(
                lab
            )
        one, other = map(marks, labs)
        for what, values in one.items():
            assert values, what
            assert "" not in values | other[what], what
            assert not values & other[what], what
        assert command(labs[0], "down").returncode == 0
        assert left(labs[0]) == []
        assert command(labs[1], "ssh", MACHINE, "hostname").stdout.strip() == MACHINE
    finally:
        for lab, child in zip(labs, children, strict=True):
            end_tree(child.pid)
            command(lab, "down")
    for lab in labs:
        assert left(lab) == []
        assert decoy(lab).read_text() == "not this lab's"
