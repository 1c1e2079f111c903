from __future__ import annotations

from harness.core.verdict import Phase
from harness.guest.serial import GuestEvent
from harness.machine.journal import MachineJournal
from harness.results.journal import Journal, read_journal


def test_a_state_is_written_once_per_change(run_journal: Journal) -> None:
    journal = MachineJournal(run_journal, "m1")
    assert journal.last_state == "nothing yet"
    for text in ("switched on", "switched on", "powered off"):
        journal.state(text)
    assert journal.last_state == "powered off"
    events = [(event["kind"], event["machine"], event["text"]) for event in read_journal(run_journal.path)]
    assert events == [("state", "m1", "switched on"), ("state", "m1", "powered off")]


def test_a_state_may_be_of_a_phase_of_the_lab(run_journal: Journal) -> None:
    MachineJournal(run_journal, "m1").state("k3s.service is activating", phase=Phase.CLUSTER)
    (event,) = read_journal(run_journal.path)
    assert (event["kind"], event["machine"], event["phase"]) == ("state", "m1", "cluster")


def test_an_event_of_the_guest_is_its_state_as_well(run_journal: Journal) -> None:
    journal = MachineJournal(run_journal, "m1")
    journal.guest_event(GuestEvent("ssh-ready", "n", "boot-1", {"port": "22"}))
    event, state = read_journal(run_journal.path)
    assert (event["kind"], event["event"], event["boot_id"]) == ("guest-event", "ssh-ready", "boot-1")
    assert event["fields"] == {"port": "22"}
    assert (state["kind"], state["text"]) == ("state", "ssh-ready port=22")


def test_notes_facts_and_evidence_belong_to_the_machine(run_journal: Journal) -> None:
    journal = MachineJournal(run_journal, "m1")
    journal.note("no screen")
    journal.facts({"ssh_logins": 2})
    journal.evidence("m1/vmware.log")
    note, facts, evidence = read_journal(run_journal.path)
    assert (note["kind"], note["text"]) == ("note", "no screen")
    assert (facts["kind"], facts["facts"]) == ("machine-facts", {"ssh_logins": 2})
    assert (evidence["kind"], evidence["path"]) == ("evidence", "m1/vmware.log")
    assert {event["machine"] for event in (note, facts, evidence)} == {"m1"}
