"""Programs on Windows: batch files, quoting, code pages, exit codes, process trees."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psutil
import pytest

from harness.core.errors import ProcessError
from harness.core.text import decode
from harness.system.process import run

SHOW = "import json, sys; print(json.dumps(sys.argv[1:]))"
# A path as users have it, with every quoting rule that a C library knows.
WORDS = (
    "-T",
    r"C:\Program Files (x86)\VM ware\a b.vmx",
    "F:\\VMs\\",
    'say "hi"',
    "",
    r"\\host\share\x",
    "100%&^|<>",
)


def program(folder: Path, text: str) -> Path:
    """Write a batch file that runs that Python text.

    A wrapper of `vmrun` would be one.
    """
    script = folder / "stand-in.py"
    script.write_text(text, encoding="utf-8")
    batch = folder / "vmrun.bat"
    batch.write_text(f'@"{sys.executable}" -IS "{script}" %*\n', encoding="utf-8")
    return batch


def test_a_program_gets_its_words_as_they_are() -> None:
    done = run((sys.executable, "-c", SHOW, *WORDS), timeout_s=60)
    assert json.loads(done.stdout) == list(WORDS)


def test_a_batch_file_in_a_folder_with_blanks_gets_its_words(tmp_path: Path) -> None:
    folder = tmp_path / "Program Files (x86)" / "VMware"
    folder.mkdir(parents=True)
    done = run((program(folder, SHOW), "start", r"C:\My VMs\a.vmx", "nogui"), timeout_s=60)
    assert json.loads(done.stdout) == ["start", r"C:\My VMs\a.vmx", "nogui"]


@pytest.mark.parametrize("word", [r"F:\R&D\a.vmx", "100%", 'a"b', "a^b", "a|b"])
def test_a_batch_file_is_not_started_with_words_that_cmd_would_read(tmp_path: Path, word: str) -> None:
    batch = program(tmp_path, "raise SystemExit")
    with pytest.raises(ProcessError, match=r"cmd\.exe would change"):
        run((batch, "start", word), timeout_s=60)


@pytest.mark.parametrize("code", [0, 1, 255, -1, 0xC0000005])
def test_an_exit_code_has_32_bits(code: int) -> None:
    end = f"import ctypes; ctypes.windll.kernel32.ExitProcess({code})"
    assert run((sys.executable, "-c", end), timeout_s=60).returncode == code & 0xFFFFFFFF


def test_lines_end_as_windows_ends_them_and_are_read_as_lines() -> None:
    done = run((sys.executable, "-c", r"import sys; sys.stdout.buffer.write(b'one\r\ntwo\r\n')"), timeout_s=60)
    assert done.stdout == "one\ntwo\n"


def test_a_korean_console_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    write = "import sys; sys.stdout.buffer.write('오류: 파일을 찾을 수 없음\\r\\n'.encode('cp949'))"
    monkeypatch.setattr("locale.getencoding", lambda: "cp949")
    assert run((sys.executable, "-c", write), timeout_s=60).stdout == "오류: 파일을 찾을 수 없음\n"


def test_bytes_of_no_code_page_are_read_without_an_exception() -> None:
    assert decode(bytes(range(256))).count("\n") == 2


def test_a_stand_in_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    hang = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    batch = program(tmp_path, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hang!r}])")
    with pytest.raises(ProcessError, match="did not end within"):
        run((batch, "list"), timeout_s=8)
    pid = int(note.read_text(encoding="utf-8"))
    assert not psutil.pid_exists(pid)


def test_a_program_that_does_not_exist_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="cannot start"):
        run((tmp_path / "vmrun.exe", "list"), timeout_s=60)
