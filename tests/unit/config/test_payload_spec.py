from __future__ import annotations

from pathlib import Path

import pytest
from lab_file import TEXT

from harness.config.loader import build
from harness.config.payload_spec import PayloadSpec, file_name, is_address, sources
from harness.core.errors import ConfigError

SHA = "0123456789abcdef" * 4


def payload(text: str, platform: str = "linux") -> PayloadSpec:
    spec = build(f"{TEXT}\npayload: {text}\n", Path("lab.yaml"), "embedded", platform).payload
    assert spec is not None
    return spec


def problem(text: str, platform: str = "linux") -> str:
    with pytest.raises(ConfigError) as caught:
        payload(text, platform)
    return str(caught.value)


def test_a_file_is_a_text_or_a_mapping() -> None:
    spec = payload(
        "{k3s: {binary: ../k3s, images: [a/base.tar.gz]},"
        f" images: [{{source: 'https://files.example/x/more.tar?y=1', sha256: '{SHA}'}}],"
        " files: [motd, {source: notes.txt}], packages: [curl_8_amd64.deb]}"
    )
    assert spec.k3s is not None
    assert (spec.k3s.binary, spec.k3s.sha256) == ("../k3s", None)
    assert [archive.name for archive in spec.archives] == ["base.tar.gz", "more.tar"]
    assert spec.images[0].sha256 == SHA
    assert [file.source for file in spec.files] == ["motd", "notes.txt"]
    assert [text for _, text in sources(spec)] == [
        "../k3s",
        "a/base.tar.gz",
        "https://files.example/x/more.tar?y=1",
        "motd",
        "notes.txt",
        "curl_8_amd64.deb",
    ]


def test_without_the_key_there_is_no_payload() -> None:
    assert build(TEXT, Path("lab.yaml")).payload is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{k3s: {binary: 'https://files.example/k3s'}}", "payload.k3s: an address needs its `sha256`"),
        ("{files: ['http://files.example/a']}", "payload.files.0: an address needs its `sha256`"),
        (f"{{files: [{{source: 'ftp://files.example/a', sha256: '{SHA}'}}]}}", "begins with https:// or http://"),
        (f"{{files: [{{source: 'http:///a', sha256: '{SHA}'}}]}}", "begins with https:// or http://"),
        (f"{{files: [{{source: 'http://p:word@files.example/a', sha256: '{SHA}'}}]}}", "a password has no place"),
        ("{files: [{source: a, sha256: 'abc'}]}", "payload.files.0.sha256: "),
        ("{files: ['a b']}", "the last part names the file in the guest"),
        ("{files: ['x/']}", "the last part names the file in the guest"),
        ("{files: ['x/..']}", "the last part names the file in the guest"),
        ("{images: [a.zip]}", "payload.images.0: an image archive is named"),
        ("{k3s: {binary: k3s, images: [airgap-images.txt]}}", "payload.k3s.images.0: an image archive is named"),
        ("{packages: [a.rpm]}", "payload.packages.0: a package is a file named *.deb"),
        ("{k3s: {images: [a.tar]}}", "payload.k3s.binary: missing key"),
        ("{k3s: {binary: k3s, image: [a.tar]}}", "payload.k3s.image: unknown key; did you mean images?"),
        (
            "{k3s: {binary: k3s, images: [x/a.tar]}, images: [y/A.tar]}",
            "payload.images.0: A.tar is already the name of",
        ),
        ("{files: ['C:\\x\\k3s']}", "payload.files.0: C:\\x\\k3s is a path of Windows"),
    ],
)
def test_a_wrong_payload_is_an_error_at_its_key(text: str, message: str) -> None:
    found = problem(text)
    assert message in found
    assert "lab.yaml:" in found
    assert "word@" not in found


def test_files_of_different_kinds_may_have_one_name() -> None:
    assert payload("{files: [x.deb], packages: [x.deb]}").files[0].name == "x.deb"


def test_a_path_of_windows_is_no_address() -> None:
    assert not is_address(r"C:\k3s")
    assert not is_address("C://k3s")
    assert is_address("https://files.example/k3s")
    assert file_name(r"C:\downloads\k3s-v1") == "k3s-v1"


def test_a_login_of_the_registry_is_a_reference() -> None:
    text = TEXT.replace("  port: 5000\n", "  port: 5000\n  login: {user: lab, password: PASSWORD}\n")
    spec = build(text.replace("PASSWORD", "env:LAB_REGISTRY"), Path("lab.yaml"))
    assert spec.registry.login is not None
    assert spec.registry.login.user == "lab"
    with pytest.raises(ConfigError, match="expected a reference to a secret") as caught:
        build(text.replace("PASSWORD", "hidden-word"), Path("lab.yaml"))
    assert "hidden-word" not in str(caught.value)
