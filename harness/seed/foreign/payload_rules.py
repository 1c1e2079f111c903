"""Judge the payload of an ISO, its scripts and its certificates."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from ipaddress import IPv4Address

from cryptography import x509

from harness.core.finding import Finding
from harness.seed.foreign.data_rules import SeedData
from harness.seed.foreign.documents import BrokenDocument, mapping, read_document, texts
from harness.seed.foreign.expected import Expected
from harness.seed.foreign.layout import text_of
from harness.seed.iso9660 import IsoReader
from harness.seed.iso_record import Record

_FOLDER = "files"
_COPY_AGAIN = "copy the ISO again from where it was built"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_MOST_FILES, _LARGEST_TEXT, _HEAD = 2000, 1 << 20, 2048
_LARGEST_SUMMED, _MOST_SUMMED = 1 << 20, 200
_BINARY = (".deb", ".gz", ".tgz", ".tar", ".xz", ".zst", ".img", ".squashfs", ".zip", ".iso", ".mod")


def payload_findings(iso: IsoReader, data: SeedData, expected: Expected | None, now: dt.datetime) -> Iterator[Finding]:
    """Yield what is wrong with the files that the installation copies."""
    folder = iso.find(_FOLDER)
    files = list(_files(iso, folder)) if folder is not None and folder.is_directory else []
    if not files:
        text = "/files is missing or empty: there is no payload to copy, and none to compare with the guest's"
        yield Finding(text, "put the payload below /files")
    for path, record in files:
        yield from _file(iso, path, record, expected, now)
    document = data.document
    if document is not None:
        for name in ("ca_certs", "ca-certs"):
            keys = (*data.keys, "user-data", name)
            for number, text in enumerate(texts(document.get(*keys, "trusted"))):
                yield from _certificates(text, document.where(*keys, "trusted", number), expected, now)
    yield from _holes(iso)


def _files(iso: IsoReader, folder: Record) -> Iterator[tuple[str, Record]]:
    for number, (path, record) in enumerate(iso.walk(folder)):
        if number >= _MOST_FILES:
            return
        yield f"{_FOLDER}/{path}", record


def _file(iso: IsoReader, path: str, record: Record, expected: Expected | None, now: dt.datetime) -> Iterator[Finding]:
    if record.size > _LARGEST_TEXT or path.lower().endswith(_BINARY):
        return
    head = iso.head(record, _HEAD)
    if head.startswith(b"#!") or path.endswith(".sh"):
        first, _, _ = head.partition(b"\n")
        if first.endswith(b"\r"):
            remedy = "save it with line ends `\\n`, then write the ISO again"
            yield Finding("the script has Windows line ends: the guest cannot run it", remedy, f"/{path}:1")
    elif b"-----BEGIN CERTIFICATE-----" in head:
        yield from _certificates(iso.read(record).decode("utf-8", errors="replace"), f"/{path}", expected, now)
    elif path.rpartition("/")[2] == "registries.yaml":
        yield from _registries(iso, path)


def _registries(iso: IsoReader, path: str) -> Iterator[Finding]:
    try:
        value = read_document(path, text_of(iso, path) or "").data
    except BrokenDocument as error:
        yield Finding(f"it is no YAML: {error.problem}", "correct it: k3s reads it", f"/{path}:{error.line}")
        return
    if not mapping(value):
        yield Finding("it is no mapping: k3s refuses it", "write `mirrors:` and `configs:`", f"/{path}:1")


def _certificates(text: str, where: str, expected: Expected | None, now: dt.datetime) -> Iterator[Finding]:
    found = _PEM.findall(text)
    if not found:
        yield Finding("it is no certificate in PEM", "write the whole file, with its BEGIN and END lines", where)
    for pem in found:
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode("ascii", errors="replace"))
        except ValueError:
            yield Finding("it is a damaged certificate", "copy the file again; the lines are base64", where)
            continue
        yield from _dates(certificate, where, now)
        if expected is not None:
            yield from _names(certificate, where, expected.registry)


def _dates(certificate: x509.Certificate, where: str, now: dt.datetime) -> Iterator[Finding]:
    subject = certificate.subject.rfc4514_string()
    if certificate.not_valid_after_utc < now:
        text = f"the certificate of {subject} expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
        yield Finding(text, "make a new one, then write the ISO again", where)
    elif certificate.not_valid_before_utc > now:
        text = f"the certificate of {subject} is valid from {certificate.not_valid_before_utc:%Y-%m-%d} on only"
        yield Finding(text, "check the clock of the computer that made it", where)


def _names(certificate: x509.Certificate, where: str, registry: IPv4Address) -> Iterator[Finding]:
    """Yield that a server's certificate does not name the registry's address."""
    if certificate.issuer == certificate.subject or _is_authority(certificate):
        return
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    except (x509.ExtensionNotFound, ValueError):
        addresses = []
    if str(registry) not in addresses:
        text = f"the server's certificate does not name the registry's address {registry}"
        remedy = f"make one with `subjectAltName = IP:{registry}`"
        yield Finding(text, remedy, where)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _holes(iso: IsoReader) -> Iterator[Finding]:
    """Yield zeros in the place of the end's partition table, or of small files.

    A copy that was broken off has its full length at once with some programs.
    """
    end = iso.backup_gpt()
    if end is not None and not end.strip(b"\0"):
        yield Finding("its end holds zeros only: it was not copied to its end", _COPY_AGAIN)
    listed = re.findall(r"^([0-9a-f]{32})  \./(.+)$", text_of(iso, "md5sum.txt") or "", re.MULTILINE)
    for digest, path in listed[:_MOST_SUMMED]:
        record = iso.find(path)
        if record is None or not 0 < record.size <= _LARGEST_SUMMED:
            continue
        content = iso.read(record)
        if not content.strip(b"\0") and hashlib.md5(content, usedforsecurity=False).hexdigest() != digest:
            text = "it holds zeros only: the ISO was not copied to its end"
            yield Finding(text, _COPY_AGAIN, f"/{path}")
            return
