"""Payload, scripts and certificates of an ISO."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.seed.foreign.check import check_seed
from seed.foreign.ubuntu_iso import (
    DATA,
    EXPECTED,
    NOW,
    certificate,
    checked,
    good_files,
    mistakes,
    of_data,
    only,
)
from seed.foreign_iso import foreign_iso

DAMAGED = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("go.sh", b"#!/bin/sh\r\necho\r\n", ":1: the script has Windows line ends"),
        ("tool", b"#!/usr/bin/env bash\r\n", ":1: the script has Windows line ends"),
        (
            "ca.crt",
            certificate(days=-1, begins=-9, authority=True),
            ": the certificate of CN=registry expired on 2026-05-31",
        ),
        ("ca.pem", certificate(begins=2, authority=True), "is valid from 2026-06-03 on only"),
        ("ca.crt", DAMAGED, "it is a damaged certificate"),
        ("registry.crt", certificate(("10.20.0.9",)), "does not name the registry's address 10.20.0.2"),
        ("registry.crt", certificate(), "does not name the registry's address 10.20.0.2"),
        ("registries.yaml", b"mirrors: [\n", "it is no YAML"),
        ("registries.yaml", b"mirrors\n", "it is no mapping"),
    ],
)
def test_files_that_a_guest_cannot_use(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    found = mistakes(checked(tmp_path, good_files() | {f"files/{name}": content}))
    assert only(found, f"/files/{name}", words)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ca.crt", certificate(authority=True)),
        ("registry.crt", certificate(("10.20.0.9", "10.20.0.2"))),
        ("go.sh", b"#!/bin/sh\necho\n"),
        ("notes.txt", b"a\r\nb\r\n"),
        ("go.sh.gz", b"#!/bin/sh\r\n"),
        ("registries.yaml", b"mirrors: {}\n"),
    ],
)
def test_good_files_raise_no_alarm(tmp_path: Path, name: str, content: bytes) -> None:
    assert mistakes(checked(tmp_path, good_files() | {f"files/{name}": content})) == []


def test_without_payload_nothing_can_be_compared(tmp_path: Path) -> None:
    found = mistakes(checked(tmp_path, good_files() | {"files/k3s": None}))
    assert any("/files is missing or empty" in text for text in found)


def test_certificates_in_user_data_are_read(tmp_path: Path) -> None:
    pem = certificate(days=-1, begins=-9, authority=True).decode()
    block = "".join(f"          {line}\n" for line in pem.splitlines())
    data = f"{DATA}  user-data:\n    ca_certs:\n      trusted:\n        - |\n{block}"
    assert only(of_data(tmp_path, data), "/conf/user-data:31: ", "expired")


def test_a_copy_that_was_broken_off_is_seen_by_zeros_and_sums(tmp_path: Path) -> None:
    sums = f"{hashlib.md5(b'initrd', usedforsecurity=False).hexdigest()}  ./casper/initrd\n"
    files = good_files() | {"md5sum.txt": sums.encode()}
    assert mistakes(checked(tmp_path, files)) == []
    broken = files | {"casper/initrd": bytes(6)}
    assert only(mistakes(checked(tmp_path, broken)), "/casper/initrd: it holds zeros only")


def test_zeros_in_the_place_of_the_second_partition_table(tmp_path: Path) -> None:
    """An ISO that boots as a disk has one at each end; the copy that was broken off has the full length."""
    iso = foreign_iso(tmp_path / "seed.iso", good_files())
    last = iso.stat().st_size // 512
    for end, right in ((b"EFI PART".ljust(512, b"\1"), True), (bytes(512), False)):
        with iso.open("r+b") as stream:
            stream.seek(512)
            stream.write(b"EFI PART" + bytes(24) + last.to_bytes(8, "little"))
            stream.seek(last * 512)
            stream.write(end)
        found = mistakes(check_seed(iso, EXPECTED, NOW))
        assert found == [] if right else only(found, "its end holds zeros only")
