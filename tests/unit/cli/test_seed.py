from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab_file import SOURCE
from seed.ubuntu.live_iso import live_iso

from harness.cli.seed import build, image_spec, seed_specs
from harness.config import load_lab, loader
from harness.core.errors import ConfigError, LabBusyError, UsageError
from harness.guest.cluster_token import read_token
from harness.guest.lab_keys import ensure_keys
from harness.image.package_names import UnknownPackages
from harness.image.release import Release
from harness.image.spec import GuestImage, ImageSpec
from harness.ownership.lab_lock import lab_lock
from harness.seed.cloud_config import user_data
from harness.seed.iso_tree import settings
from harness.seed.model import SeedSpec

from .command_line import CommandLine

LAB = Path(__file__).parents[3] / "scenarios" / "lab.yaml"


def specs(tmp_path: Path, *edits: tuple[str, str]) -> list[SeedSpec]:
    text = LAB.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    lab = loader.build(text, LAB, "embedded")
    return seed_specs(lab, ensure_keys(tmp_path, list(lab.machines)), "2026-01-01T00:00:00+00:00")


def test_seed_isos_are_not_built_under_a_session(lab: CommandLine) -> None:
    lab.edit(
        "directory: ../.lab/seeds\n", "directory: ../.lab/seeds\n      distribution: debian\n      suite: bookworm\n"
    )
    spec = load_lab(lab.file, "embedded")
    vms, seeds = lab.file.parents[1] / ".lab" / "vms", lab.file.parents[1] / ".lab" / "seeds"
    image = GuestImage(Path("image"), "key", "digest")
    made: list[tuple[ImageSpec, GuestImage]] = []

    def build_fake() -> list[Path]:
        images: list[ImageSpec] = []

        def make_image(wanted: ImageSpec, cache: Path, say: Callable[[str], None]) -> GuestImage:
            images.append(wanted)
            return image

        def make_isos(
            specs: list[SeedSpec], built: GuestImage, directory: Path, say: Callable[[str], None]
        ) -> list[Path]:
            made.append((images[-1], built))
            return [directory / spec.iso_name for spec in specs]

        return build(spec, lab.file, lambda _: None, make_image=make_image, make_isos=make_isos)

    with lab_lock(vms, spec.name), pytest.raises(LabBusyError):
        build_fake()
    assert not seeds.exists()
    assert [path.parent for path in build_fake()] == [seeds] * 3
    assert made == [(image_spec(spec, Release("debian", "bookworm")), image)]
    assert not vms.exists()


def test_provided_seed_isos_are_not_built(lab: CommandLine) -> None:
    text = lab.file.read_text(encoding="utf-8")
    lab.file.write_text(text.replace("source: built", "source: provided"), encoding="utf-8")
    result = lab("seed")
    assert result.exit_code == 4
    assert "are provided, not built" in result.stderr


def test_the_command_builds_by_the_overlay_and_needs_no_embedded_one(lab: CommandLine) -> None:
    built: list[tuple[str, int]] = []
    lab.replacements[build] = lambda spec, *_: built.append((spec.seeds.directory, spec.hardware.memory_mib))
    small = "  small: {seeds: {source: built, directory: ../small}, hardware: {memory_mib: 512}}\n"
    lab.edit("\noverlays:\n", f"\noverlays:\n{small}")
    text = lab.file.read_text(encoding="utf-8")
    for words in ((), ("--overlay", "small")):
        assert lab("seed", *words).exit_code == 0
    lab.file.write_text(text[: text.index("\noverlays:\n") + 1], encoding="utf-8")
    assert lab("seed").exit_code == 0
    assert built == [("../.lab/seeds", 1024), ("../small", 512), ("../wsl/out", 4096)]
    result = lab("seed", "--overlay", "small")
    assert (result.exit_code, "no overlay named small" in result.stderr) == (4, True)


def test_each_machine_gets_its_own_address_name_and_iso(tmp_path: Path) -> None:
    found = [(spec.machine, spec.address, spec.iso_name) for spec in specs(tmp_path)]
    assert found[0] == ("k3s-master1", "192.168.6.10/24", "seed-master1.iso")
    assert found[2] == ("k3s-worker2", "192.168.6.12/24", "seed-worker2.iso")


def test_the_lab_file_names_the_iso(tmp_path: Path) -> None:
    assert specs(tmp_path, ("seed-worker1.iso", "other.iso"))[1].iso_name == "other.iso"


def test_what_the_lab_file_promises_of_the_kernel_is_what_the_seed_sets(tmp_path: Path) -> None:
    edits = (
        ("[overlay, br_netfilter]", "[overlay, nf_conntrack]"),
        ("    net.ipv4.ip_forward: '1'\n", "    vm.swappiness: '7'\n"),
    )
    text = user_data(specs(tmp_path, *edits)[0])
    assert "nf_conntrack" in text
    assert "vm.swappiness = 7" in text
    assert "net.ipv4.ip_forward" not in text


def test_the_image_holds_the_packages_of_the_lab_file_and_fits_its_disk() -> None:
    lab = load_lab(LAB, "embedded")
    image = image_spec(lab, Release("debian", "trixie"))
    assert (image.distribution, image.suite) == ("debian", "trixie")
    assert image.operations_packages == lab.guest.packages
    assert image.root_gib < lab.hardware.disk_gib


def test_what_the_lab_file_promises_of_ssh_swap_and_markers_is_what_the_seed_sets(tmp_path: Path) -> None:
    edits = (
        ("root_ssh: false", "root_ssh: true"),
        ("swap: false", "swap: true"),
        ("lab_ca: true", "lab_ca: false"),
        ("  port: 22\n", "  port: 2222\n"),
        ("payload: /usr/local/seed", "payload: /srv/seed"),
        ("/var/lib/iso-copy-complete", "/srv/copied"),
        ("/var/lib/cloud-init-complete", "/srv/ready"),
        ("/var/lib/k8s-ops-packages-installed", "/srv/packages"),
    )
    spec = specs(tmp_path, *edits)[0]
    assert (spec.password_ssh, spec.root_ssh, spec.swap, spec.lab_ca, spec.ssh_port) == (False, True, True, False, 2222)
    assert tuple(spec.paths.model_dump().values()) == ("/srv/seed", "/srv/copied", "/srv/ready", "/srv/packages")
    assert settings(spec) == "payload=/srv/seed\niso_copy_marker=/srv/copied\npackages_marker=/srv/packages\n"
    assert "/srv/ready" in user_data(spec)


def built_with(lab: CommandLine, payload: str) -> tuple[list[SeedSpec], list[ImageSpec]]:
    """Return the inputs of seeds and image of a lab with that payload."""
    lab.edit(
        "directory: ../.lab/seeds\n", "directory: ../.lab/seeds\n      distribution: debian\n      suite: bookworm\n"
    )
    lab.edit("\nmarkers:\n", f"\npayload: {payload}\nmarkers:\n")
    specs: list[SeedSpec] = []
    images: list[ImageSpec] = []

    def make_image(wanted: ImageSpec, cache: Path, say: Callable[[str], None]) -> GuestImage:
        images.append(wanted)
        return GuestImage(Path("image"), "key", "digest")

    def make_isos(made: list[SeedSpec], built: GuestImage, directory: Path, say: Callable[[str], None]) -> list[Path]:
        specs.extend(made)
        return []

    try:
        build(load_lab(lab.file, "embedded"), lab.file, lambda _: None, make_image=make_image, make_isos=make_isos)
    except UsageError:
        assert images == [], "the payload is looked at before anything is built"
        raise
    return specs, images


def test_a_payload_with_k3s_makes_a_node_of_each_machine(lab: CommandLine) -> None:
    (lab.file.parent / "k3s-v1").write_bytes(b"#!/bin/sh\n")
    (lab.file.parent / "motd").write_bytes(b"hello")
    specs, (image,) = built_with(lab, "{k3s: {binary: k3s-v1, disable: [traefik]}, files: [motd]}")
    assert image.operations_packages[-2:] == ("iptables", "apparmor")
    assert [[file.path for file in spec.payload] for spec in specs] == [["k3s/k3s", "extra/motd"]] * 3
    clusters = [spec.k3s for spec in specs if spec.k3s]
    assert [(one.server, one.disable) for one in clusters] == [("192.168.6.10", ("traefik",))] * 3
    token = read_token(lab.file.parents[1] / ".lab" / "seeds")
    assert token is not None
    assert {one.token.reveal() for one in clusters} == {token.reveal()}


def test_a_payload_without_k3s_makes_no_cluster(lab: CommandLine) -> None:
    (lab.file.parent / "motd").write_bytes(b"hello")
    specs, (image,) = built_with(lab, "{files: [motd]}")
    assert "iptables" not in image.operations_packages
    assert [spec.k3s for spec in specs] == [None] * 3
    assert read_token(lab.file.parents[1] / ".lab" / "seeds") is None


def test_a_payload_that_is_not_there_ends_before_anything_is_built(lab: CommandLine) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        built_with(lab, "{k3s: {binary: k3s-v1}}")
    assert "payload.k3s.binary" in str(caught.value)


def test_the_login_of_the_registry_is_resolved(lab: CommandLine) -> None:
    (lab.file.parent / "word").write_text("hidden-word\n")
    lab.edit("  port: 5000\n", "  port: 5000\n  login: {user: lab, password: 'file:word'}\n")
    specs, _ = built_with(lab, "{}")
    logins = [spec.registry_login for spec in specs if spec.registry_login]
    assert [(one.user, one.password.reveal()) for one in logins] == [("lab", "hidden-word")] * 3


def test_a_package_that_does_not_exist_is_named_with_its_line(lab: CommandLine) -> None:
    lab.edit("packages: [jq, htop,", "packages: [jq, htopp,")
    lab.edit(
        "directory: ../.lab/seeds\n", "directory: ../.lab/seeds\n      distribution: debian\n      suite: bookworm\n"
    )
    line = lab.file.read_text(encoding="utf-8")[: lab.file.read_text(encoding="utf-8").index("htopp")].count("\n") + 1

    def make_image(*_: object) -> GuestImage:
        raise UnknownPackages(("htopp", "nothing"), "debian bookworm")

    with pytest.raises(UnknownPackages, match="has no package htopp, nothing") as caught:
        build(load_lab(lab.file, "embedded"), lab.file, lambda _: None, make_image=make_image)
    assert caught.value.where == f"{lab.file}:{line}"


def of_ubuntu(lab: CommandLine, *edits: tuple[str, str]) -> Path:
    """Edit the lab file so that its seeds are made of an ISO beside it; return the seed directory."""
    _, digest = live_iso(lab.file.parent / "live.iso")
    lab.edit(SOURCE, f"  source: ubuntu\n  iso: live.iso\n  sha256: {digest}\n")
    lab.edit("  directory: ../wsl/out\n", "  directory: ../seeds\n")
    lab.edit("  key: ../wsl/out/ssh/id_rsa\n", "  key: ../seeds/ssh/id_ed25519\n")
    for old, new in edits:
        lab.edit(old, new)
    return lab.file.parents[1] / "seeds"


PACKAGES = "packages: [jq, htop, ethtool, iproute2, dnsutils, telnet, psmisc, sysstat]"


def test_seeds_of_ubuntus_iso_are_one_installer_and_data_that_the_check_takes(lab: CommandLine) -> None:
    seeds = of_ubuntu(lab, (PACKAGES, "packages: []"))
    result = lab("seed")
    assert result.exit_code == 0, result.stderr
    isos = ("seed-master1.iso", "seed-worker1.iso", "seed-worker2.iso", "ubuntu-installer.iso")
    assert sorted(path.name for path in seeds.glob("*.iso")) == sorted(isos)
    for name in isos:
        checked = lab("seed", "--check", seeds / name)
        assert checked.exit_code == 0, checked.stdout
        assert not [word for word in ("FAIL", "note") if word in checked.stdout]
    times = {path: path.stat().st_mtime_ns for path in seeds.glob("*.iso")}
    again = lab("seed")
    assert all(f"{name} is up to date" in again.stdout for name in isos)
    assert times == {path: path.stat().st_mtime_ns for path in times}


def test_a_package_without_its_file_is_named_with_its_line(lab: CommandLine) -> None:
    seeds = of_ubuntu(lab)
    result = lab("seed")
    assert result.exit_code == 4
    assert "no file of payload.packages is the package jq, htop" in result.stderr
    line = lab.file.read_text(encoding="utf-8")[: lab.file.read_text(encoding="utf-8").index(PACKAGES)].count("\n") + 1
    assert f"lab.yaml:{line}" in result.stderr
    assert not seeds.exists()


def test_an_iso_with_another_digest_makes_no_seeds(lab: CommandLine) -> None:
    seeds = of_ubuntu(lab, (PACKAGES, "packages: []"))
    with (lab.file.parent / "live.iso").open("ab") as stream:
        stream.write(b"more")
    result = lab("seed")
    assert result.exit_code == 4
    assert "and the lab file says" in result.stderr
    assert not list(seeds.glob("*.iso"))
