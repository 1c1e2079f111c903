"""Settings that no guest can have."""

from __future__ import annotations

import pytest
from lab_file import LAB_FILE, changed, place

from harness.config import loader
from harness.core.errors import ConfigError


def refused(text: str, overlay: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        loader.build(text, LAB_FILE, overlay)
    return str(caught.value)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Soeul", "Asia/Soeul is no time zone; did you mean Asia/Seoul?"),
        ("Mars/Olympus_Mons", "Mars/Olympus_Mons is no time zone; "),
        ("Asia", "Asia is no time zone"),
    ],
)
def test_a_time_zone_that_does_not_exist(zone: str, words: str) -> None:
    text = changed(("timezone: Asia/Seoul", f"timezone: {zone}"))
    said = refused(text)
    assert words in said
    assert f"{LAB_FILE}:{place(text, zone)}: guest.timezone" in said


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT-9"])
def test_time_zones_that_exist(zone: str) -> None:
    assert loader.build(changed(("timezone: Asia/Seoul", f"timezone: {zone}")), LAB_FILE).guest.timezone == zone


@pytest.mark.parametrize(
    ("path", "emptied"),
    [
        ("/run/seed", "/run"),
        ("/run", "/run"),
        ("/tmp/copied", "/tmp"),
        ("/dev/shm/done", "/dev"),
        ("/var/run/x", "/var/run"),
        ("/srv/../tmp/x", "/tmp"),
    ],
)
@pytest.mark.parametrize("marker", ["payload: /usr/local/seed", "iso_copy: /var/lib/iso-copy-complete"])
def test_a_marker_that_a_restart_removes(path: str, emptied: str, marker: str) -> None:
    key = marker.partition(":")[0]
    said = refused(changed((marker, f"{key}: {path}")))
    assert f"markers.{key}: a restart of the guest empties {emptied}" in said
    assert "write a path such as /var/lib/NAME" in said


@pytest.mark.parametrize("path", ["/runner/x", "/tmpfiles", "/var/tmp/x", "/srv/run/x"])
def test_markers_that_stay(path: str) -> None:
    spec = loader.build(changed(("payload: /usr/local/seed", f"payload: {path}")), LAB_FILE)
    assert spec.markers.payload == path


def test_a_password_login_that_no_account_of_a_built_seed_has() -> None:
    text = changed(("password_ssh: false", "password_ssh: true"))
    assert loader.build(text, LAB_FILE).guest.password_ssh
    assert "guest.password_ssh: no account of a seed that is built has a password" in refused(text, "embedded")


@pytest.mark.parametrize("seed", ["../x.iso", "a/../../x.iso", "/srv/x.iso", "..", "'..\\x.iso'", "'C:\\x.iso'"])
def test_a_seed_outside_of_the_seed_directory(seed: str) -> None:
    text = changed(("seed: seed-worker1.iso", f"seed: {seed}"))
    said = refused(text)
    assert "machines.k3s-worker1.seed" in said
    assert "is not in the seed directory; write the name of a file in it" in said


@pytest.mark.parametrize("seed", ["x.iso", "sub/x.iso", "..x.iso", "a..b.iso"])
def test_a_seed_in_the_seed_directory(seed: str) -> None:
    spec = loader.build(changed(("seed: seed-worker1.iso", f"seed: {seed}")), LAB_FILE)
    assert spec.machines["k3s-worker1"].seed == seed
