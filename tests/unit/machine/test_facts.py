from __future__ import annotations

from dataclasses import replace

from harness.machine.facts import GuestFacts

NOTHING = GuestFacts()


def test_nothing_is_known_before_the_first_boot() -> None:
    assert NOTHING.boot_id == ""
    assert NOTHING.changes_since(NOTHING) == {}


def test_a_login_adds_its_boot() -> None:
    facts = NOTHING.booted("a").logged_in("b", logins=1, host_key="ssh-ed25519 AAAA")
    assert facts.boot_ids == ("a", "b")
    assert facts.boot_id == "b"
    assert facts.changes_since(NOTHING) == {
        "boot_ids": ["a", "b"],
        "ssh_logins": 1,
        "host_key": "ssh-ed25519 AAAA",
    }


def test_only_changes_are_journalled() -> None:
    first = NOTHING.logged_in("a", logins=1, host_key="key")
    assert first.booted("b").changes_since(first) == {"boot_ids": ["a", "b"]}
    installed = replace(first, installation={"machine_id": "0123", "installer runs": "1"})
    assert installed.changes_since(first) == {"machine_id": "0123", "installer runs": "1"}


def test_a_channel_without_a_host_key_has_none_in_the_facts() -> None:
    assert NOTHING.logged_in("a", logins=1, host_key=None).host_key == ""
