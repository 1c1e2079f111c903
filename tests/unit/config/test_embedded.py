"""The overlays of a lab on the embedded hypervisor."""

from __future__ import annotations

from pathlib import Path

from lab_file import TEXT, changed

from harness.config.embedded import embedded_overlay, load_embedded
from harness.config.k3s_size import too_small

PAYLOAD = "payload: {k3s: {binary: ../k3s}}\n"
MASTER = "    role: master\n"


def lab(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_overlay_is_applied_with_k3s_in_the_payload(tmp_path: Path) -> None:
    assert embedded_overlay(lab(tmp_path, TEXT)) == "embedded"
    path = lab(tmp_path, TEXT + PAYLOAD)
    assert embedded_overlay(path) == "embedded,k3s"
    spec = load_embedded(path, None, platform="linux")
    assert (spec.memory_mib("k3s-master1"), spec.cpus("k3s-master1")) == (2048, 2)
    assert (spec.memory_mib("k3s-worker1"), spec.cpus("k3s-worker1")) == (1024, 1)
    assert not too_small(spec)
    assert load_embedded(path, "embedded", platform="linux").cpus("k3s-master1") == 1


def test_a_payload_of_the_embedded_overlay_counts(tmp_path: Path) -> None:
    hardware = "    hardware:\n      memory_mib: 1024\n"
    text = changed((hardware, f"    {PAYLOAD}{hardware}"))
    assert embedded_overlay(lab(tmp_path, text)) == "embedded,k3s"


def test_the_overlay_changes_no_value_of_the_file(tmp_path: Path) -> None:
    path = lab(tmp_path, changed((MASTER, f"{MASTER}    memory_mib: 3072\n")) + PAYLOAD)
    spec = load_embedded(path, None, platform="linux")
    assert (spec.memory_mib("k3s-master1"), spec.cpus("k3s-master1")) == (3072, 2)


def test_machines_that_are_large_enough_need_no_overlay(tmp_path: Path) -> None:
    text = TEXT.replace("memory_mib: 1024\n      cpus: 1", "memory_mib: 4096\n      cpus: 4") + PAYLOAD
    assert embedded_overlay(lab(tmp_path, text)) == "embedded"


def test_a_file_without_overlays_has_none(tmp_path: Path) -> None:
    text = TEXT[: TEXT.index("overlays:\n")] + PAYLOAD
    assert embedded_overlay(lab(tmp_path, text)) is None
