"""Judge whether Ubuntu's installer finds its data and takes them.

What cloud-init takes was asked of its own code: 22.4 and the main branch of 2026-08.
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.core.finding import Finding, remark
from harness.seed.foreign.documents import BrokenDocument, Document, read_document
from harness.seed.foreign.layout import (
    AUTOINSTALL_FILE,
    SeedPlace,
    bios_menu,
    bytes_of,
    data_folders,
    seed_place,
    text_of,
)
from harness.seed.iso9660 import IsoReader

_HEADER = "#cloud-config"
_JINJA = "## template: jinja"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_AUTOINSTALL = "autoinstall"
_PATH_WORD = "subiquity.autoinstallpath="
# Sections that only make sense below `autoinstall`; further keys of user-data are cloud-init's.
_SECTIONS = ("identity", "late-commands", "early-commands", "storage", "interactive-sections")


@dataclass
class SeedData:
    """The autoinstall data of an ISO.

    Attributes:
        document: The file that holds them; None where it cannot be read.
        keys: The keys in it that lead to the autoinstall data.
        network: The network configuration beside it.
        findings: What is wrong with their place and form.
        elsewhere: Why the ISO does not hold them, where that may be intended.
    """

    document: Document | None = None
    keys: tuple[str, ...] = (_AUTOINSTALL,)
    network: Document | None = None
    findings: list[Finding] = field(default_factory=list)
    elsewhere: str = ""


def read_data(iso: IsoReader) -> SeedData:
    """Return the data that the installer of this ISO would use."""
    data = SeedData()
    path = _find(iso, data)
    if path is None:
        return data
    raw = bytes_of(iso, path)
    if raw is None:
        data.findings.append(Finding("it is too long to be read", "make it smaller", f"/{path}"))
        return data
    is_user_data = path.rpartition("/")[2] == "user-data"
    offset = 0
    if is_user_data:
        wrong, offset = _form(path, raw)
        if wrong:
            data.findings.append(wrong)
            return data
    text = "\n".join(raw.decode("utf-8", errors="replace").splitlines()[offset:]) + "\n"
    try:
        document = data.document = read_document(path, text, offset)
    except BrokenDocument as error:
        remedy = "correct it there; a PEM is a literal block (`|`) whose lines are all indented alike"
        data.findings.append(Finding(f"it is no YAML: {error.problem}", remedy, f"/{path}:{error.line}"))
        return data
    data.findings += _keys(data, document, is_user_data=is_user_data)
    data.findings += _doubled(document)
    if is_user_data:
        _beside(iso, path.rpartition("/")[0], data)
    return data


def _find(iso: IsoReader, data: SeedData) -> str | None:
    """Return the path of the data; note what is wrong with the place."""
    menu = bios_menu(iso)
    entry = menu.entry if menu else None
    words = entry.words if entry else ()
    where = entry.where if entry else ""
    given = next((word.removeprefix(_PATH_WORD) for word in words if word.startswith(_PATH_WORD)), "")
    if given.startswith("/cdrom/"):
        path = given.removeprefix("/cdrom/")
        if iso.find(path) is None:
            data.findings.append(Finding(f"{given} is not on the ISO", "correct the path", where))
        return path if iso.find(path) else None
    place = seed_place(words)
    if entry is not None and entry.lost and (place is None or not place.seed):
        return _intended(iso, entry.lost)  # what a bare `;` cut off is its own finding
    if place is not None and place.seed:
        return _from_place(iso, place, where, data)
    return _without_place(iso, where, data)


def _intended(iso: IsoReader, lost: str) -> str | None:
    place = seed_place((f"ds=nocloud{lost.split(maxsplit=1)[0]}",))
    folders = [f"{place.folder}/" if place and place.folder else "", *(f"{name}/" for name in data_folders(iso))]
    return next((f"{name}user-data" for name in folders if _has(iso, f"{name}user-data")), None)


def _from_place(iso: IsoReader, place: SeedPlace, where: str, data: SeedData) -> str | None:
    if re.match(r"(https?|ftp|tftp)://", place.seed):
        data.elsewhere = f"the installer fetches its data from {place.seed}"
        return None
    if place.folder is None:
        remedy = "name a folder of the ISO: the installer mounts it at /cdrom"
        data.findings.append(Finding(f"`{place.word}` names no folder below /cdrom", remedy, where))
        return None
    path = f"{place.folder}/user-data".lstrip("/")
    if not place.seed.endswith("/"):
        remedy = f"write `s={place.seed}/`"
        data.findings.append(Finding(f"`{place.word}` lacks the slash at its end", remedy, where))
    if not _has(iso, path):
        found = [f"/{name}" for name in data_folders(iso)]
        text = f"`{place.word}` names /{place.folder}/, which has no user-data"
        text += f"; it is in {', '.join(found)}" if found else ""
        remedy = f"write `s=/cdrom{found[0]}/`" if found else "put user-data and meta-data there"
        data.findings.append(Finding(text.replace("//", "/"), remedy, where))
        path = f"{found[0]}/user-data".lstrip("/") if found else ""
    return path or None


def _without_place(iso: IsoReader, where: str, data: SeedData) -> str | None:
    if _has(iso, AUTOINSTALL_FILE):
        return AUTOINSTALL_FILE
    folders = data_folders(iso)
    if iso.volume.volume_id.lower() == "cidata" and "" in folders:
        return "user-data"
    if not folders:
        data.elsewhere = "no user-data is on it: a second medium with the label CIDATA has to bring it"
        return None
    remedy = rf"add `ds=nocloud\;s=/cdrom/{folders[0]}/` to the kernel's line"
    text = f"nothing names /{folders[0]}/user-data: the kernel's line has no `ds=nocloud`"
    data.findings.append(Finding(text.replace("//", "/"), remedy, where))
    return f"{folders[0]}/user-data".lstrip("/")


def _has(iso: IsoReader, path: str) -> bool:
    record = iso.find(path)
    return record is not None and not record.is_directory


def _form(path: str, raw: bytes) -> tuple[Finding | None, int]:
    """Return why cloud-init ignores the file, and the lines before the document."""
    where, remedy = f"/{path}:1", f"make `{_HEADER}` its first line, saved as UTF-8 without a byte order mark"
    if not raw.strip():
        return Finding("it is empty", "write the autoinstall data into it", where), 0
    if raw.startswith(_UTF16) or raw[1:2] == b"\0":
        return Finding("it is UTF-16: cloud-init ignores it whole", remedy, where), 0
    if raw.startswith(codecs.BOM_UTF8):
        return Finding("it begins with a byte order mark: cloud-init ignores it whole", remedy, where), 0
    if raw.startswith(b"\x1f\x8b"):
        return Finding("it is compressed", "write it as plain text, so that it can be checked", where), 0
    lines = raw.decode("utf-8", errors="replace").splitlines()
    first = next(number for number, line in enumerate(lines) if line.strip())
    if lines[first].lower().startswith(_JINJA):
        first += 1
    head = lines[first].lstrip() if first < len(lines) else ""
    if re.match(rf"{_HEADER}(\s|$)", head, re.IGNORECASE):
        return None, first + 1
    shown = head[:40]
    return Finding(f"it begins with {shown!r}, not with `{_HEADER}`: cloud-init ignores it whole", remedy, where), 0


def _keys(data: SeedData, document: Document, *, is_user_data: bool) -> Iterator[Finding]:
    """Yield why the installer finds no section; note the keys that lead to it."""
    top = document.data if isinstance(document.data, dict) else {}
    if isinstance(top.get(_AUTOINSTALL), dict):
        yield from (
            Finding(f"`{name}` stands beside `autoinstall`, not below it", "indent it", document.where(name))
            for name in _SECTIONS
            if is_user_data and name in top
        )
        return
    if not is_user_data and "version" in top:
        data.keys = ()
        return
    near = difflib.get_close_matches(_AUTOINSTALL, [str(name) for name in top], n=1, cutoff=0.7)
    near = [name for name in near if name != _AUTOINSTALL]
    text = f"it has no key `autoinstall`{f', but `{near[0]}`' if near else ''}: the installer waits for a person"
    if _AUTOINSTALL in top:
        text = "`autoinstall` is no mapping: the installer fails"
    remedy = f"rename `{near[0]}` to `autoinstall`" if near else "put the installer's settings below `autoinstall:`"
    data.document = None
    yield Finding(text, remedy, document.where(near[0] if near else _AUTOINSTALL))


def _doubled(document: Document) -> Iterator[Finding]:
    for line, name in document.doubled():
        text = f"`{name}` is there twice: YAML keeps the last one"
        yield Finding(text, "join both", f"/{document.path}:{line}")


def _beside(iso: IsoReader, folder: str, data: SeedData) -> None:
    """Note what is wrong with meta-data; read the network configuration beside user-data."""
    prefix = f"{folder}/" if folder else ""
    meta = text_of(iso, f"{prefix}meta-data")
    if meta is None:
        text = "it is missing: cloud-init takes nothing from the folder"
        remedy = "put a meta-data file beside user-data; it may be empty"
        data.findings.append(Finding(text, remedy, f"/{prefix}meta-data"))
    elif not _is_yaml(meta):
        data.findings.append(remark("it is no YAML; it is taken all the same", "correct it", f"/{prefix}meta-data:1"))
    network = text_of(iso, f"{prefix}network-config")
    if network is None:
        return
    try:
        data.network = read_document(f"{prefix}network-config", network)
    except BrokenDocument as error:
        where = f"/{prefix}network-config:{error.line}"
        data.findings.append(Finding(f"it is no YAML: {error.problem}", "correct it", where))


def _is_yaml(text: str) -> bool:
    try:
        read_document("", text)
    except BrokenDocument:
        return False
    return True


def no_long_names(iso: IsoReader) -> Sequence[Finding]:
    """Return that an ISO has names of 8 and 3 letters only."""
    names = [record.name for record in iso.children(iso.volume.root)]
    short = (
        bool(names)
        and not iso.volume.joliet
        and all(re.fullmatch(r"[A-Z0-9_]{0,8}(\.[A-Z0-9_]{0,3})?", name) for name in names)
    )
    if not short:
        return ()
    text = "it has neither Rock Ridge nor Joliet names: user-data is USER_DAT on it, which nobody looks for"
    return (Finding(text, "write the ISO with long names (`-r -J` of xorriso and mkisofs)"),)
