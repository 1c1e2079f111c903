from __future__ import annotations

from pathlib import Path

import pytest

from harness.payload.k3s_binary import binary_problem, k3s_version

HEAD = b"\x7fELF\x02\x01" + bytes(12) + b"\x3e\x00"
ARM = b"\x7fELF\x02\x01" + bytes(12) + b"\xb7\x00"


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (HEAD + bytes(50), ""),
        (b"#!/bin/sh\n", ""),
        (ARM + bytes(50), "is a program for another processor than x86-64"),
        (b"<!DOCTYPE html>", "is no program of Linux"),
        (b"MZ", "is no program of Linux"),
        (b"", "is no program of Linux"),
    ],
)
def test_a_program_for_the_guests(tmp_path: Path, content: bytes, problem: str) -> None:
    assert binary_problem(written(tmp_path / "k3s", content)) == problem


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (HEAD + b"\0v1.21.2+k3s1 v1.21.2+k3s1\0go1.16", "v1.21.2+k3s1"),
        (HEAD + b"xv1.33.4-rc1+k3s1v1.33.4", "v1.33.4-rc1+k3s1"),
        (b"#!/bin/sh\nVERSION=v0.0.0+k3s0-stand-in\n", "v0.0.0+k3s0-stand-in"),
        (HEAD + b"v1.21.2+k3s1 v1.33.4+k3s1", ""),
        (HEAD + b"v1.21.2", ""),
        (b"", ""),
    ],
)
def test_the_release_of_a_binary(tmp_path: Path, content: bytes, version: str) -> None:
    assert k3s_version(written(tmp_path / "k3s", content)) == version
