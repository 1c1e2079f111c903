"""The three-machine lab with a real k3s: from blank disks to every claim, and through two accidents.

`LAB_K3S=<binary> LAB_K3S_IMAGES=<archive> pytest tests/e2e/test_k3s.py`. The archive needs the pause
image and a busybox.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whole_lab import command, copy_scenarios, output_tail, run

from harness.payload.image_archive import image_names

BINARY, IMAGES = os.environ.get("LAB_K3S", ""), os.environ.get("LAB_K3S_IMAGES", "")
LIMIT_S = 7200  # without hardware virtualisation; the deadlines of the lab file end each wait before
DISABLED = ["traefik", "servicelb", "metrics-server", "local-storage"]
pytestmark = pytest.mark.skipif(
    not (BINARY and IMAGES), reason="needs a k3s: LAB_K3S=<its binary> LAB_K3S_IMAGES=<the archive of its images>"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The lab after its run."""
    folder = tmp_path_factory.mktemp("k3s") / "lab"
    copy_scenarios(folder)
    binary, images = Path(BINARY).resolve(), Path(IMAGES).resolve()
    edit(folder / "scenarios" / "lab.yaml", binary, images)
    try:
        done = command(folder, "setup")
        assert done.returncode == 0, done.stderr
        session = run(folder, machine=None)
        try:
            session.wait(LIMIT_S)
        finally:
            if session.poll() is None:
                session.terminate()
                session.wait(300)
        yield folder
    finally:
        command(folder, "down")


def edit(lab_file: Path, binary: Path, images: Path) -> None:
    """Add the payload, and ask for the recovery of the cluster."""
    text = lab_file.read_text(encoding="utf-8")
    assert text.count("  recovery: false ") == 1
    text = text.replace("  recovery: false ", "  recovery: true ")
    without_dns = not any("coredns" in name for name in image_names(images) or ())
    k3s = {"binary": str(binary), "images": [str(images)], "disable": DISABLED + ["coredns"] * without_dns}
    lab_file.write_text(f"{text}\npayload: {json.dumps({'k3s': k3s})}\n", encoding="utf-8")


def result(lab: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((lab / "reports/latest/run.json").read_text(encoding="utf-8"))
    return found


def test_every_claim_is_proven(lab: Path) -> None:
    claims = {one["claim"]: one["standing"] for one in result(lab)["claims"]}
    assert set(claims.values()) == {"proven"}, f"{claims}\n{output_tail(lab)}"


def test_no_check_of_the_cluster_is_left_open(lab: Path) -> None:
    (cluster,) = (one for one in result(lab)["verdicts"] if one["phase"] == "cluster")
    bad = [(one["name"], one["seen"]) for one in cluster["checks"] if one["status"] not in ("pass", "not-asked")]
    assert bad == []


@pytest.mark.parametrize(
    "name",
    [
        "a lost worker is noticed",
        "a lost worker comes back",
        "whole with that worker",
        "the master restarts",
        "whole after the restart",
    ],
)
def test_the_cluster_survives_both_accidents(lab: Path, name: str) -> None:
    (cluster,) = (one for one in result(lab)["verdicts"] if one["phase"] == "cluster")
    (check,) = (one for one in cluster["checks"] if one["name"] == name)
    assert check["status"] == "pass", check["seen"]
