"""Download files into the cache: resumable, verified."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from harness.core.deadline import SYSTEM_CLOCK, Clock
from harness.core.errors import ConfigError, HostError
from harness.core.private import make_private_directory

_READ_S = 60.0  # the longest silence of a server
_BLOCK = 1 << 20
_ATTEMPTS = 5  # without a single byte in between
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_REPORT_EVERY = 10  # per cent
_OTHER_SESSION_S = 3600.0


@dataclass(frozen=True)
class Wanted:
    """A file of the network.

    Attributes:
        place: Where the lab file names it, for errors.
    """

    address: str
    sha256: str
    name: str
    place: str


class _TransientError(Exception):
    """Worth another attempt."""


def cached_file(wanted: Wanted, cache: Path) -> Path:
    """Return where the file is, or will be, in the cache."""
    return cache / "payload" / wanted.sha256


def download(
    wanted: Wanted, cache: Path, say: Callable[[str], None], *, clock: Clock = SYSTEM_CLOCK, read_s: float = _READ_S
) -> Path:
    """Return the file in the cache, downloaded where necessary.

    A download that breaks goes on where it was, also in a later session.

    Raises:
        ConfigError: The content is another one than the lab file's digest names.
        HostError: The server or the disk does not do it.
    """
    path = cached_file(wanted, cache)
    try:
        make_private_directory(path.parent)
        with _only_session(path, wanted):
            if not path.is_file() or file_digest(path) != wanted.sha256:
                _complete(wanted, path, say, clock, read_s)
    except OSError as error:
        raise HostError(
            f"{wanted.name} cannot be written to the cache: {error.strerror or error}",
            where=str(path.parent),
            remedy="make room there, or set LAB_CACHE_DIR to a directory on another disk",
        ) from error
    return path


def _complete(wanted: Wanted, path: Path, say: Callable[[str], None], clock: Clock, read_s: float) -> None:
    """Download the file to the cache; go on with what is there."""
    part = path.with_name(f"{path.name}.part")
    resumed = _size(part) > 0
    _fetch(wanted, part, say, clock, read_s)
    if resumed and file_digest(part) != wanted.sha256:
        say(f"{wanted.name}: what was there of it belongs to another file; downloading it anew")
        part.unlink()
        _fetch(wanted, part, say, clock, read_s)
    found = file_digest(part)
    if found != wanted.sha256:
        part.unlink()
        raise ConfigError(
            f"{wanted.name} has another content than the lab file says",
            where=wanted.place,
            detail=f"{wanted.address}\nexpected sha256 {wanted.sha256}\nreceived sha256 {found}",
            remedy="compare the digest with the one that its publisher names, and correct the lab file",
        )
    part.replace(path)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def _only_session(path: Path, wanted: Wanted) -> Iterator[None]:
    """Hold the lock of this file in the cache.

    Raises:
        HostError: Another session holds it for an hour.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=_OTHER_SESSION_S)
    except Timeout as error:
        raise HostError(
            f"another session has been downloading {wanted.name} for an hour",
            where=str(path),
            remedy="stop that session, then run this command again",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _fetch(wanted: Wanted, part: Path, say: Callable[[str], None], clock: Clock, read_s: float) -> None:
    """Complete `part`; try again as long as something arrives.

    Raises:
        HostError: The server refuses, or sends nothing in several attempts.
    """
    failed = 0
    while True:
        before = _size(part)
        try:
            _attempt(wanted, part, say, read_s)
        except _TransientError as error:
            failed = 1 if _size(part) > before else failed + 1
            if failed >= _ATTEMPTS:
                raise _refused(wanted, str(error), "check the network and the address, then run it again") from error
            say(f"{wanted.name}: {error}; trying again")
            clock.sleep(2.0 ** (failed - 1))
        else:
            return


def _attempt(wanted: Wanted, part: Path, say: Callable[[str], None], read_s: float) -> None:
    """Send one request for what is missing, and append the answer."""
    have = _size(part)
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(wanted.address, headers={"Accept-Encoding": "identity", **headers})  # noqa: S310  (the lab file's rules admit http and https alone)
    try:
        with urllib.request.urlopen(request, timeout=read_s) as answer:  # noqa: S310  (as above)
            goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT
            if goes_on and not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
                raise _refused(wanted, "the server sends another part than the one asked for", "download it by hand")
            _append(answer, part, have if goes_on else 0, wanted, say)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is there already; if it is not this file, its digest shows it
        text = f"the server answers {error.code} {error.reason}"
        if error.code in _TRANSIENT:
            raise _TransientError(text) from error
        raise _refused(wanted, text, "correct the address in the lab file, or download the file by hand") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise _TransientError(f"{type(reason).__name__}: {reason}") from error


def _append(
    answer: http.client.HTTPResponse, part: Path, start: int, wanted: Wanted, say: Callable[[str], None]
) -> None:
    length = answer.headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else 0
    done, reported = start, 100 * start // total // _REPORT_EVERY if total else 0
    with part.open("r+b" if start else "wb") as stream:
        stream.seek(start)
        stream.truncate()
        while block := answer.read(_BLOCK):
            stream.write(block)
            done += len(block)
            if total and 100 * done // total // _REPORT_EVERY > reported:
                reported = 100 * done // total // _REPORT_EVERY
                say(f"{wanted.name}: {done >> 20} of {total >> 20} MiB")
    if total and done < total:
        raise _TransientError(f"the connection ended after {done} of {total} bytes")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _refused(wanted: Wanted, reason: str, remedy: str) -> HostError:
    return HostError(
        f"{wanted.name} cannot be downloaded", where=wanted.place, detail=f"{wanted.address}\n{reason}", remedy=remedy
    )
