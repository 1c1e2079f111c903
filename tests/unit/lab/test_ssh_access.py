from __future__ import annotations

from dataclasses import replace

from run_samples import MASTER, WORKER

from harness.lab.lab import Lab
from harness.lab.ssh_access import write_ssh_config


def test_each_machine_has_its_address_and_the_key_that_was_seen(lab: Lab) -> None:
    worker, master = lab.machines[WORKER], lab.machines[MASTER]
    worker.learn(replace(worker.facts, host_key="ssh-ed25519 AAAAseen"))
    write_ssh_config([worker, master], lab.run)
    text = lab.run.ssh_config.read_text(encoding="utf-8")
    assert text.index(f"Host {WORKER}") < text.index(f"Host {MASTER}")
    assert f"HostName {worker.plan.endpoint.host}" in text
    known = lab.run.known_hosts.read_text(encoding="utf-8")
    assert "AAAAseen" in known
    assert len(known.splitlines()) == 1, "the master was never logged into"


def test_a_run_without_machines_has_empty_files(lab: Lab) -> None:
    write_ssh_config([], lab.run)
    assert "Host " not in lab.run.ssh_config.read_text(encoding="utf-8")
    assert lab.run.known_hosts.read_text(encoding="utf-8") == ""
