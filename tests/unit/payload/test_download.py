from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fake_clock import FakeClock

from harness.core.errors import ConfigError, HostError
from harness.payload.download import Wanted, cached_file, download

CONTENT = bytes(range(256)) * 4000


@dataclass
class Server:
    """What the server answers, and what it was asked.

    Attributes:
        cut_after: Bytes after which it ends a connection, per request; 0: it sends all.
        status: Answered instead of the content, per request; 0: the content.
        ranges: Whether it sends parts.
    """

    port: int = 0
    content: bytes = CONTENT
    cut_after: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[str] = field(default_factory=list)

    def wanted(self, content: bytes | None = None) -> Wanted:
        digest = hashlib.sha256(self.content if content is None else content).hexdigest()
        return Wanted(f"http://127.0.0.1:{self.port}/k3s", digest, "k3s", "lab.yaml: payload.k3s.binary")


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            state.asked.append(wanted)
            status = state.status.pop(0) if state.status else 0
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.ranges else 0
            if status or start >= len(state.content):
                self.send_error(status or 416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
            body = state.content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut = state.cut_after.pop(0) if state.cut_after else 0
            self.wfile.write(body[:cut] if cut else body)

        def log_message(self, *args: object) -> None:
            """Write nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.port = running.server_address[1]
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        running.shutdown()
        thread.join(10)


def test_a_file_is_downloaded_once(server: Server, tmp_path: Path) -> None:
    messages: list[str] = []
    path = download(server.wanted(), tmp_path, messages.append, clock=FakeClock())
    assert path.read_bytes() == CONTENT
    assert path == cached_file(server.wanted(), tmp_path)
    assert messages[-1].startswith("k3s: ")
    assert download(server.wanted(), tmp_path, messages.append, clock=FakeClock()) == path
    assert server.asked == [""]
    assert sorted(one.name for one in path.parent.iterdir()) in ([path.name], [path.name, f"{path.name}.lock"])


def test_a_broken_connection_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.cut_after = [300_000, 200_000]
    messages: list[str] = []
    path = download(server.wanted(), tmp_path, messages.append, clock=FakeClock())
    assert path.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-", "bytes=500000-"]
    assert any("trying again" in line for line in messages)


def test_a_killed_session_leaves_its_part_for_the_next(server: Server, tmp_path: Path) -> None:
    part = cached_file(server.wanted(), tmp_path).with_suffix(".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:1000])
    assert download(server.wanted(), tmp_path, print, clock=FakeClock()).read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]
    assert not part.exists()


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * (len(CONTENT) + 5), CONTENT])
def test_a_part_of_another_file_is_downloaded_anew(server: Server, tmp_path: Path, left: bytes) -> None:
    part = cached_file(server.wanted(), tmp_path).with_suffix(".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    assert download(server.wanted(), tmp_path, print, clock=FakeClock()).read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.cut_after = False, [300_000]
    assert download(server.wanted(), tmp_path, print, clock=FakeClock()).read_bytes() == CONTENT


def test_another_content_is_never_used(server: Server, tmp_path: Path) -> None:
    wanted = server.wanted(b"another file")
    with pytest.raises(ConfigError, match="another content") as caught:
        download(wanted, tmp_path, print, clock=FakeClock())
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)
    assert "payload.k3s.binary" in str(caught.value)
    assert [one.suffix for one in cached_file(wanted, tmp_path).parent.iterdir() if one.suffix != ".lock"] == []


def test_a_file_that_was_changed_in_the_cache_is_replaced(server: Server, tmp_path: Path) -> None:
    path = cached_file(server.wanted(), tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"changed")
    assert download(server.wanted(), tmp_path, print, clock=FakeClock()).read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.status = [503, 429, 500]
    clock = FakeClock()
    assert download(server.wanted(), tmp_path, print, clock=clock).read_bytes() == CONTENT
    assert clock.monotonic() >= 7


def test_a_refusal_is_final_and_names_the_key(server: Server, tmp_path: Path) -> None:
    server.status = [404] * 9
    with pytest.raises(HostError, match="cannot be downloaded") as caught:
        download(server.wanted(), tmp_path, print, clock=FakeClock())
    assert "404" in str(caught.value)
    assert "payload.k3s.binary" in str(caught.value)
    assert len(server.asked) == 1


def test_attempts_without_a_byte_come_to_an_end(server: Server, tmp_path: Path) -> None:
    server.status = [503] * 9
    with pytest.raises(HostError, match="503"):
        download(server.wanted(), tmp_path, print, clock=FakeClock())
    assert len(server.asked) == 5


def test_a_cache_that_cannot_be_written_is_an_error_with_its_place(server: Server, tmp_path: Path) -> None:
    (tmp_path / "payload").write_text("in the way")
    with pytest.raises(HostError, match="cannot be written to the cache") as caught:
        download(server.wanted(), tmp_path, print, clock=FakeClock())
    assert str(tmp_path) in str(caught.value)
