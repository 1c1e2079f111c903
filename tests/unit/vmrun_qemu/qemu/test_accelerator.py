"""The accelerator: probed, cached, and overridden."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.vmrun_qemu.base.messages import PowerOnFailure
from harness.vmrun_qemu.qemu import accelerator
from harness.vmrun_qemu.qemu.locate import Qemu


@dataclass
class FakeHost:
    """A host with a KVM device, and a probe with a fixed result."""

    objection: str = ""
    answers: bool = True
    probes: int = 0

    def probe(self, qemu: Qemu, name: str) -> bool:
        self.probes += 1
        return self.answers

    def choose(self, qemu: Qemu) -> accelerator.Accelerator:
        return accelerator.choose(qemu, accelerator.Checks(lambda: self.objection, self.probe))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    fake = FakeHost()
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.delenv("VMRUN_QEMU_ACCEL", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return fake


def a_qemu(tmp_path: Path) -> Qemu:
    binary = tmp_path / "qemu"
    binary.touch()
    return Qemu(binary)


def test_kvm_is_used_when_the_probe_guest_got_to_its_end(host: FakeHost, tmp_path: Path) -> None:
    assert host.choose(a_qemu(tmp_path)).name == "kvm"


def test_a_kvm_that_hangs_is_not_used_and_the_reason_is_reported(host: FakeHost, tmp_path: Path) -> None:
    host.answers = False
    chosen = host.choose(a_qemu(tmp_path))
    assert chosen.name == "tcg"
    assert "did not get to its end with kvm" in chosen.why


def test_without_the_processors_feature_nothing_is_probed(host: FakeHost, tmp_path: Path) -> None:
    host.objection = "neither vmx nor svm"
    assert host.choose(a_qemu(tmp_path)) == accelerator.Accelerator("tcg", "neither vmx nor svm")
    assert host.probes == 0


def test_the_verdict_is_cached_until_qemu_changes(host: FakeHost, tmp_path: Path) -> None:
    qemu = a_qemu(tmp_path)
    host.choose(qemu)
    host.choose(qemu)
    assert host.probes == 1
    qemu.binary.write_text("newer", encoding="utf-8")
    host.choose(qemu)
    assert host.probes == 2


def test_a_refusal_is_looked_at_again(host: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qemu = a_qemu(tmp_path)
    host.objection = "not accessible to this user"
    assert host.choose(qemu).name == "tcg"
    host.objection, host.answers = "", False
    assert [host.choose(qemu).name, host.choose(qemu).name] == ["tcg", "tcg"]
    assert host.probes == 1, "a probe that hangs takes its time: it is not started at each start of a machine"
    host.answers = True
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    assert host.choose(qemu).name == "kvm"
    monkeypatch.setattr(time, "time", lambda: now + 1e7)
    assert host.choose(qemu).name == "kvm"
    assert host.probes == 2


def test_one_that_there_is_not_is_an_error(host: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_ACCEL", "KVM ")
    with pytest.raises(PowerOnFailure, match="One of the parameters was invalid: VMRUN_QEMU_ACCEL = KVM : expected"):
        host.choose(a_qemu(tmp_path))


def test_the_user_may_name_one(host: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_ACCEL", "tcg")
    assert host.choose(a_qemu(tmp_path)).name == "tcg"
    assert host.probes == 0


def test_tcg_before_8_1_has_one_thread_because_it_races_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VMRUN_QEMU_TCG_THREADS", raising=False)
    tcg = accelerator.Accelerator("tcg", "")
    assert tcg.arguments((7, 2, 22)) == ("-accel", "tcg,thread=single,tb-size=512", "-cpu", "max")
    assert tcg.arguments((8, 1)) == ("-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max")
    monkeypatch.setenv("VMRUN_QEMU_TCG_THREADS", "multi")
    assert "tcg,thread=multi,tb-size=512" in tcg.arguments((7, 2))


def test_linux_trusts_the_time_stamp_counters_of_several_processors_of_intel_only() -> None:
    tcg, kvm = accelerator.Accelerator("tcg", ""), accelerator.Accelerator("kvm", "")
    assert tcg.arguments((8, 1), 1)[-1] == "max"
    assert tcg.arguments((8, 1), 2)[-1] == "max,vendor=GenuineIntel"
    assert kvm.arguments((8, 1), 2)[-1] == "host"


def test_the_probe_guest_reaches_its_end_under_tcg() -> None:
    found = shutil.which("qemu-system-x86_64")
    if found is None or os.name != "posix":
        pytest.skip("qemu-system-x86_64 is not installed")
    assert accelerator.probe(Qemu(Path(found)), "tcg")
