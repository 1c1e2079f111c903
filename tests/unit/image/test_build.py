from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from filelock import FileLock
from needs import posix_sh

from harness.core.errors import HostError
from harness.image.bootstrap import BuildDirectory, bootstrap, mmdebstrap_argv
from harness.image.build import build_image, image_inputs, image_key, load_image
from harness.image.disk import FILE_SYSTEM
from harness.image.guest_files import GuestFile, guest_files, overlay_tar
from harness.image.initrd import MODULE_GROUPS
from harness.image.package_repository import index_entry
from harness.image.spec import GUEST_PACKAGES, KERNEL_ARGUMENTS, ImageSpec, guest_file_text
from harness.phases.installation_identity import Identity, parse_identity, question
from harness.system.process import Completed

SPEC = ImageSpec("debian", "bookworm", root_gib=39, operations_packages=("jq", "htop"))
SCRIPTS = (
    "init.sh",
    "installer.sh",
    "k8s-ops-packages.sh",
    "lab-boot-complete.sh",
    "lab-event.sh",
    "lab-identity.sh",
    "netplan.sh",
)


def test_the_key_changes_with_each_setting() -> None:
    keys = {
        image_key(SPEC),
        image_key(replace(SPEC, suite="trixie")),
        image_key(replace(SPEC, root_gib=19)),
        image_key(replace(SPEC, operations_packages=("jq",))),
    }
    assert len(keys) == 4


def test_the_inputs_of_the_key_are_complete() -> None:
    inputs = image_inputs(SPEC)
    assert inputs["spec"] == asdict(SPEC)
    assert inputs["files"] == hashlib.sha256(overlay_tar()).hexdigest()
    assert set(GUEST_PACKAGES) <= set(re.split("[=,]", next(word for word in inputs["tree"] if "--include" in word)))  # type: ignore[attr-defined]  # a tuple of words
    assert inputs["initrd"] == [guest_file_text(name) for name in ("init.sh", "installer.sh", "lab-event.sh")]
    assert KERNEL_ARGUMENTS in str(inputs["boot loader"])
    assert inputs["modules"] == MODULE_GROUPS
    assert inputs["file system"] == FILE_SYSTEM


def test_the_overlay_changes_with_each_guest_file() -> None:
    files = guest_files()
    changed = {**files, "etc/cloud/cloud.cfg.d/90_lab.cfg": GuestFile("datasource_list: []\n")}
    assert overlay_tar(files) == overlay_tar()
    assert overlay_tar(changed) != overlay_tar()


def test_an_image_that_is_not_there_is_a_host_error_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        load_image(SPEC, tmp_path)
    assert caught.value.remedy == "run `lab setup`"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_half_written_description_is_no_image(tmp_path: Path, text: str) -> None:
    directory = tmp_path / f"image-{image_key(SPEC)}"
    directory.mkdir()
    (directory / "image.json").write_text(text)
    with pytest.raises(HostError, match="is not built"):
        load_image(SPEC, tmp_path)


class FakeFiles:
    """Creates the files of an image without packages; keeps what it was called for."""

    def __init__(self, cache: Path) -> None:
        self.suites: list[str] = []
        self._cache = cache

    def __call__(
        self, spec: ImageSpec, key: str, _build: BuildDirectory, result: Path, _say: Callable[[str], None]
    ) -> None:
        self.suites.append(spec.suite)
        assert not (self._cache / f"image-{key}").exists()
        (result / "vmlinuz").write_bytes(b"kernel")


def test_an_image_is_built_once_and_appears_complete(tmp_path: Path) -> None:
    files = FakeFiles(tmp_path)
    first = build_image(SPEC, tmp_path, lambda _: None, create_files=files)
    again = build_image(SPEC, tmp_path, lambda _: None, create_files=files)
    assert files.suites == ["bookworm"]
    assert first == again == load_image(SPEC, tmp_path)
    assert json.loads(first.description.read_text())["files"][0]["path"] == "vmlinuz"
    assert [path.name for path in tmp_path.glob("build-*")] == []


def test_a_wait_for_another_build_is_reported(tmp_path: Path) -> None:
    files, messages = FakeFiles(tmp_path), list[str]()
    held = FileLock(tmp_path / f"image-{image_key(SPEC)}.lock")
    with held, pytest.raises(HostError, match="did not end within 0 s"):
        build_image(SPEC, tmp_path, messages.append, create_files=files, other_build_s=0.1)
    assert messages[0].startswith("waiting for another build of the guest image (")
    assert len(messages) == 1
    build_image(SPEC, tmp_path, messages.append, create_files=files)
    assert not any("waiting" in text for text in messages[1:])


def test_mmdebstrap_may_clean_up_and_works_in_the_build_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}
    target = "http://here.example/debian|bookworm|main|bookworm|Debian\n"

    def run(
        argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None, grace_s: float = 0.0
    ) -> Completed:
        if argv[0] == "mmdebstrap":
            asked.update(env or {}, grace_s=grace_s)
        return Completed((), 0, target if argv[0] == "apt-get" else "", "", 1.0)

    for user, place in ((0, tmp_path / "root"), (1000, tmp_path / "user")):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user, raising=False)
        place.mkdir()
        asked.clear()
        bootstrap(SPEC, BuildDirectory(place), lambda _: None, run)
        assert asked["grace_s"] == 30.0
        assert asked.get("TMPDIR") == (str(place) if user == 0 else None)


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def failing(_spec: ImageSpec, _key: str, build: BuildDirectory, _result: Path, _say: object) -> None:
        (build.directory / "half").write_text("x")
        raise HostError("mmdebstrap failed", remedy="-")

    with pytest.raises(HostError, match="mmdebstrap failed"):
        build_image(SPEC, tmp_path, lambda _: None, create_files=failing)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_the_build_uses_the_given_sources_and_names_no_host(tmp_path: Path) -> None:
    place = BuildDirectory(tmp_path)
    argv = mmdebstrap_argv(SPEC, place, ('Acquire::http::Proxy "http://p:1"',))
    assert argv[-3:] == ("bookworm", place.tree_tar.as_posix(), place.sources.as_posix())
    assert '--aptopt=Acquire::http::Proxy "http://p:1"' in argv
    assert "http" not in " ".join(argv).replace('Acquire::http::Proxy "http://p:1"', "")


def test_the_guest_keeps_the_drivers_it_needs_and_drops_the_others() -> None:
    filters = [a.removeprefix("--dpkgopt=") for a in mmdebstrap_argv(SPEC, BuildDirectory(Path("b")), ())]
    everything = filters.index("path-exclude=/lib/modules/*/kernel/drivers/*")
    for kept in ("ata/*", "message/*", "scsi/vmw_*", "net/vmxnet3/*", "net/ethernet/intel/e1000/*", "virtio/*"):
        assert filters.index(f"path-include=/lib/modules/*/kernel/drivers/{kept}") > everything
    assert not any("drivers/gpu" in item for item in filters)


@pytest.mark.parametrize(
    ("spec", "kernel"),
    [
        (SPEC, "linux-image-amd64"),
        (replace(SPEC, distribution="ubuntu", suite="noble"), "linux-image-generic"),
    ],
)
def test_the_kernel_is_the_distributions_generic_one(spec: ImageSpec, kernel: str) -> None:
    include = next(
        word for word in mmdebstrap_argv(spec, BuildDirectory(Path("b")), ()) if word.startswith("--include=")
    )
    assert include.endswith(f",{kernel}")


def test_the_overlay_is_the_same_bytes_each_time_and_owned_by_root() -> None:
    data = overlay_tar()
    assert data == overlay_tar()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {member.name: member for member in tar.getmembers()}
    assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, 0)}
    assert members["usr/local/sbin/lab-event"].mode == 0o755
    assert members["etc/systemd/system/apt-daily.timer"].linkname == "/dev/null"


def test_every_enabled_unit_of_ours_exists() -> None:
    there = guest_files()
    links = {path: file.link for path, file in there.items() if ".wants/" in path and file.link.startswith("/etc")}
    assert len(links) == 3
    assert all(target.removeprefix("/") in there for target in links.values())


def test_no_name_server_host_key_or_machine_id_is_baked_in() -> None:
    there = guest_files()
    assert there["etc/machine-id"].text == ""
    assert there["etc/resolv.conf"].text == ""
    assert not [path for path in there if "ssh_host" in path]


@pytest.mark.parametrize("name", SCRIPTS)
def test_guest_scripts_have_unix_line_ends(name: str) -> None:
    assert "\r" not in guest_file_text(name)


@posix_sh
@pytest.mark.parametrize("name", SCRIPTS)
def test_guest_scripts_are_plain_sh(name: str) -> None:
    checked = subprocess.run(["sh", "-n"], input=guest_file_text(name), text=True, capture_output=True, check=False)
    assert checked.stderr == ""


def run_event(tmp_path: Path, serial: str) -> str:
    """Run the real lab-event.sh against files of the test in place of the machine's; return what it would send."""
    (tmp_path / "serial").write_text(serial)
    (tmp_path / "boot_id").write_text("11111111-2222-3333-4444-555555555555\n")
    script = (
        guest_file_text("lab-event.sh")
        .replace("/sys/class/dmi/id/product_serial", str(tmp_path / "serial"))
        .replace("/proc/sys/kernel/random/boot_id", str(tmp_path / "boot_id"))
        .replace("/dev/ttyS0", str(tmp_path / "port"))
    )
    subprocess.run(["sh", "-s", "copied", "files=3", "bytes=12"], input=script, text=True, check=True)
    return (tmp_path / "port").read_text()


@posix_sh
def test_an_event_carries_nonce_boot_and_its_own_length(tmp_path: Path) -> None:
    sent = run_event(tmp_path, "VMware-56 4d 0a 01 02 03 04 05-06 07 08 09 0a 0b 0c 0d\n")
    assert sent.startswith("\n")
    assert sent.endswith("\n")
    line, _, length = sent.strip().rpartition("#")
    boot = "11111111-2222-3333-4444-555555555555"
    assert line == f"@LAB1 564d0a0102030405060708090a0b0c0d {boot} copied files=3 bytes=12 "
    assert int(length) == len(line)


@posix_sh
@pytest.mark.parametrize("serial", ["", "Not Specified\n", "12345\n"])
def test_a_machine_without_such_a_serial_number_sends_a_dash(tmp_path: Path, serial: str) -> None:
    assert run_event(tmp_path, serial).startswith("\n@LAB1 - 1111")


@posix_sh
def test_the_end_of_a_boot_is_told_after_the_guests_identity_in_one_line_each(tmp_path: Path) -> None:
    """The real lab-boot-complete.sh: what lab-identity prints comes out of the event as it was."""
    printed = "boot_id=1\ndrive=dd: No medium found 100%\nfirst_boot=a\tb:1\r\n"
    settings = tmp_path / "settings"
    settings.write_text("iso_copy_marker='/var/lib/a marker'\n")
    for name, text in {
        "lab-identity": f"printf '%s\\n' \"$1\" > {tmp_path}/asked; cat {tmp_path}/printed",
        "lab-event": f'echo "$*" >> {tmp_path}/events',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "printed").write_text(printed, newline="")
    (tmp_path / "result.json").write_text('{"v1": {"errors": [], "recoverable_errors": {}}}')
    script = guest_file_text("lab-boot-complete.sh").replace(
        "/run/cloud-init/result.json", str(tmp_path / "result.json")
    )
    script = script.replace("/etc/lab-seed.conf", str(settings))
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-s"], input=script, text=True, check=True, env={**os.environ, "PATH": path})
    identity, ended = (tmp_path / "events").read_text().splitlines()
    assert (tmp_path / "asked").read_text() == "/var/lib/a marker\n"
    assert ended.startswith("boot-complete cloud_init=done seconds=")
    assert identity.startswith("identity told=boot_id=1%0A")
    assert identity.count(" ") == 1
    assert unquote(identity.partition("told=")[2]) == printed.removesuffix("\n")


@posix_sh
def test_a_machine_prints_who_it_is(tmp_path: Path) -> None:
    """The real lab-identity.sh, with the root file system of the test in place of the machine's."""
    content = {
        "proc/sys/kernel/random/boot_id": "b-1\n",
        "etc/machine-id": "m-1\n",
        "etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAA",
        "etc/ssh/ssh_host_rsa_key.pub": "ssh-rsa BBBB root@m\n",
        "var/lib/cloud/data/instance-id": "i-1\n",
        "var/lib/lab-installer-runs": "1\n",
        "var/lib/a marker": "files=7\nbytes=9",
        "var/lib/cloud/instance/sem/config_users": "",
        "dev/sr0": "",
    }
    for name, text in content.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (17, 17))
    assert who(tmp_path) == Identity(
        boot_id="b-1",
        machine_id="m-1",
        host_keys="ssh-ed25519 AAAA\nssh-rsa BBBB root@m",
        instance="i-1",
        installer_runs="1",
        iso_copy="17\nfiles=7\nbytes=9",
        first_boot="config_users:17",
        drive="0+0 records in\n0+0 records out",
    )
    (tmp_path / "dev/sr0").write_bytes(b"\0" * (16 * 2048 + 40) + b"SEED_M".ljust(32) + b"\0" * 2048)
    for name in ("var/lib/lab-installer-runs", "var/lib/a marker"):
        (tmp_path / name).unlink()
    assert (who(tmp_path).volume, who(tmp_path).drive) == ("SEED_M", "")
    assert (who(tmp_path).installer_runs, who(tmp_path).iso_copy) == ("", "")


def who(root: Path) -> Identity:
    command = question(f"{root}/var/lib/a marker").replace(" /", f" {root}/").replace("=/dev/sr0", f"={root}/dev/sr0")
    command = command.replace(f"2> {root}/dev/null", "2> /dev/null").replace(f"of={root}/dev/null", "of=/dev/null")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    said = parse_identity(done.stdout)
    return replace(said, drive="\n".join(line for line in said.drive.splitlines() if "records" in line))


@posix_sh
@pytest.mark.parametrize(
    ("words", "called"), [("generate", "fast"), ("get", "real get"), ("generate --root-dir x", "")]
)
def test_only_the_plain_generate_skips_netplans_python(tmp_path: Path, words: str, called: str) -> None:
    for name, text in {"fast": "echo fast", "real": 'echo real "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    script = guest_file_text("netplan.sh").replace("/lib/netplan/generate", str(tmp_path / "fast"))
    script = script.replace("/usr/sbin/netplan", str(tmp_path / "real"))
    done = subprocess.run(["sh", "-s", *words.split()], input=script, text=True, capture_output=True, check=True)
    assert done.stdout.strip() == (called or f"real {words}")


def test_an_index_entry_is_complete(tmp_path: Path) -> None:
    deb = tmp_path / "jq_1_amd64.deb"
    deb.write_bytes(b"12345")
    entry = index_entry("Package: jq\nVersion: 1\n\n", deb)
    assert entry.splitlines() == [
        "Package: jq",
        "Version: 1",
        "Filename: ./jq_1_amd64.deb",
        "Size: 5",
        "SHA256: 5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5",
    ]
