"""Lab files that are no use to anyone: one clear error each, at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab_file import LAB_FILE
from needs import posix_paths

from harness.config.loader import build, load_lab
from harness.core.errors import ConfigError

TEXT = LAB_FILE.read_text(encoding="utf-8")
QUICK_S = 5.0


def aliases(levels: int, width: int) -> str:
    first = f"x0: &x0 [{','.join(['lol'] * width)}]\n"
    return first + "".join(f"x{i}: &x{i} [{','.join([f'*x{i - 1}'] * width)}]\n" for i in range(1, levels))


def indented(text: str) -> str:
    return "  bomb:\n" + "".join(f"    {line}\n" for line in text.splitlines())


def put(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


ADDED = {
    "growing aliases": (aliases(10, 10), "more than 20000 values"),
    "growing aliases in an overlay": (indented(aliases(10, 10)), "more than 20000 values"),
    "aliases of two": (aliases(26, 2), "more than 20000 values"),
    "lists": ("deep: " + "[" * 1000 + "]" * 1000 + "\n", "nested more than 32 levels deep"),
    "very many lists": ("deep: " + "[" * 100_000 + "]" * 100_000 + "\n", "nested more than 32 levels deep"),
    "mappings": ("deep: " + "{a: " * 3000 + "1" + "}" * 3000 + "\n", "nested more than 32 levels deep"),
    "indentation": ("deep:\n" + "".join(f"{' ' * (n + 1)}a:\n" for n in range(500)), "nested more than 32 levels deep"),
    "a list in itself": ("self: &s [*s]\n", "a value refers to itself"),
    "a mapping in itself": ("self: &s {a: *s}\n", "a value refers to itself"),
}
CHANGED = {
    "no claim required": (put("  required: null", "  required: []"), "claims.required: expected at least 1"),
    "clock": (put("max_clock_skew_s: 5", "max_clock_skew_s: 1000000000"), "max_clock_skew_s: expected a value <= 3600"),
    "no time": (put("  power: 120", "  power: 0"), "deadlines_s.power: expected a value >= 1"),
    "infinity": (put("  cpus: 2", "  cpus: !!float inf"), "hardware.cpus: expected an integer"),
    "digits": (put("memory_mib: 4096", "memory_mib: " + "9" * 5000), "memory_mib: expected an integer"),
    "half a character": (put("name: airgap-lab", 'name: "\\ud800"'), "lone surrogate"),
    "a device of Windows": (put("  k3s-worker1:", "  con:"), "'con' is the name of a device on Windows"),
    "NUL in a guest path": (put("iso_copy: /var", 'iso_copy: "/a\\0b" #'), "has a control character"),
    "NUL in vmrun": (put("vmrun: null", 'vmrun: "a\\0b"'), "has a control character"),
    "NUL in the key": (put("  key: ", '  key: "a\\0b" # '), "has a control character"),
    "a shell in a module": (put("[overlay,", "['x;reboot',"), "kernel_modules.0"),
    "a shell in a setting": (put("  sysctl:\n", "  sysctl:\n    '$(id)': '1'\n"), "guest.sysctl.$(id)"),
}


@pytest.mark.parametrize("case", [*ADDED, *CHANGED])
def test_it_is_refused_at_its_place_and_at_once(case: str) -> None:
    text, expected = CHANGED[case] if case in CHANGED else (TEXT + ADDED[case][0], ADDED[case][1])
    begun = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        build(text, Path("lab.yaml"))
    assert time.monotonic() - begun < QUICK_S
    assert expected in str(caught.value)
    assert "lab.yaml:" in str(caught.value)
    assert len(str(caught.value)) < 5000
    assert caught.value.remedy


def fifo(path: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no FIFO in a directory")
    os.mkfifo(path)


def endless(path: Path) -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no such device")
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [fifo, pytest.param(endless, marks=posix_paths), Path.mkdir])
def test_what_is_no_file_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "lab.yaml")
    with pytest.raises(ConfigError, match="cannot read the lab file") as caught:
        load_lab(tmp_path / "lab.yaml")
    assert caught.value.remedy


def test_a_path_with_nul_is_no_file() -> None:
    with pytest.raises(ConfigError, match="cannot read the lab file"):
        load_lab(Path("a\0b"))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(ConfigError, match="larger than"):
        load_lab(tmp_path / "lab.yaml")
