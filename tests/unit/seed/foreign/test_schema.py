"""Autoinstall data against the published schema."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from seed.foreign.ubuntu_iso import DATA, checked, edited, good_files, of_data, remarks


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (edited(("  version: 1\n  identity", "  verison: 1\n  identity")), ":3: there is no `version`, but `verison`"),
        (edited(("  version: 1\n", "")), "there is no `version`: the installer refuses"),
        (edited(("  version: 1\n", "  version: 2\n")), ":3: `version` is '2', not `1`"),
        (edited(("  version: 1\n", '  version: "1"\n')), "`version` is '1', not `1`"),
        (edited(("    username: ops\n", "")), ":4: `identity` lacks `username`"),
        (edited(("    username: ops\n", "    username: ops\n    shell: zsh\n")), "`identity` takes no key `shell`"),
        (edited(("install-server: true", 'install-server: "yes"')), "`ssh.install-server` is 'yes', not true or false"),
        (edited(("authorized-keys:", "authorized_keys:")), "`authorized_keys` is no key of the installer, which reads"),
        (DATA + "  late-comands: [a]\n  packages: jq\n", "`packages` is 'jq', not a list"),
        (DATA + "  early-commands: [[a, b], 3]\n", "`early-commands[]` is '3', not a text or a list"),
        (DATA + "  keyboard: {variant: x}\n", "`keyboard` lacks `layout`"),
        (DATA + "  snaps: [{channel: stable}]\n", "`snaps[]` lacks `name`"),
        (DATA + "  storage:\n", "`storage` is empty, not a mapping"),
        (edited(("fallback: offline-install", "fallback: never")), "`apt.fallback` is 'never', not `abort` or"),
        (DATA + "  shutdown: halt\n", "`shutdown` is 'halt', not `reboot` or `poweroff`"),
    ],
)
def test_what_breaks_the_schema_is_named_with_its_line(tmp_path: Path, data: str, words: str) -> None:
    assert any(words in text and text.startswith("/conf/user-data:") for text in of_data(tmp_path, data))


@pytest.mark.parametrize(
    "further", ["  oem: {install: auto}\n", "  kernel-crash-dumps: {enabled:}\n", "  proxy:\n", "  updates: all\n"]
)
def test_what_the_schema_allows_is_no_mistake(tmp_path: Path, further: str) -> None:
    assert of_data(tmp_path, DATA + further) == []


def test_a_key_that_is_not_known_is_a_remark(tmp_path: Path) -> None:
    info = checked(tmp_path, good_files(data=f"{DATA}  x-note: mine\n"))
    assert any("`x-note` is no key of the installer" in text for text in remarks(info))


def test_the_tables_name_their_sources_and_are_consistent() -> None:
    for name in ("autoinstall.toml", "netplan.toml"):
        text = files("harness.seed.foreign").joinpath(name).read_text(encoding="utf-8")
        assert "# source   canonical/" in text
        assert "# version  " in text
    data = tomllib.loads(files("harness.seed.foreign").joinpath("autoinstall.toml").read_text(encoding="utf-8"))
    for place in [*data["required"], *data["closed"]["mappings"]]:
        assert place == "." or place in data["types"]
