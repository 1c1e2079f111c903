from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from lab_file import LAB_FILE, OF_UBUNTU, SOURCE, TEXT, changed, place
from needs import posix_paths

from harness.config import LabSpec, lab_schema, load_lab
from harness.config.loader import build
from harness.config.model import SeedSource, host_path
from harness.core.errors import ConfigError

FILE = Path("lab.yaml")
MAC = "    mac: "
WORKER2 = "    seed: seed-worker2.iso\n"


def refused(text: str, overlay: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        build(text, FILE, overlay)
    assert caught.value.remedy
    return str(caught.value)


def test_the_shipped_lab_is_the_reference() -> None:
    spec = load_lab(LAB_FILE)
    assert list(spec.machines) == ["k3s-master1", "k3s-worker1", "k3s-worker2"]
    assert spec.machines["k3s-worker2"].address == IPv4Address("192.168.6.12")
    assert spec.vm_directory == r"F:\VMs\AirgapLab"
    assert (spec.hardware.memory_mib, spec.hardware.cpus, spec.hardware.disk_gib) == (4096, 2, 40)
    assert spec.memory_mib("k3s-worker1") == 4096


def test_an_overlay_changes_what_it_names_and_nothing_else() -> None:
    base, small = load_lab(LAB_FILE), load_lab(LAB_FILE, "embedded")
    assert small.hardware.memory_mib == 1024
    assert small.hardware.disk_gib == base.hardware.disk_gib
    assert small.machines == base.machines
    assert (base.ssh.port, small.ssh.port) == (22, 22)


# What is written, in place of what, and: the message, at the place of what (None: not in a place of its own).
ONE_PROBLEM = [
    ("  cpus: 2", "  cpus: 2\n  colour: red", "colour: red", "hardware.colour: unknown key; known here: memory_mib, "),
    ("gateway: 192.168.6.1\n", "gatway: 192.168.6.1\n  gateway: 192.168.6.1\n", "gatway", "did you mean gateway?"),
    ("memory_mib: 4096", 'memory_mib: "4 GB"', '"4 GB"', 'expected an integer, got "4 GB"; write 4096'),
    ("memory_mib: 4096", "memory_mib: 4G", "4G", 'got "4G"; write 4096'),
    ("memory_mib: 4096", "memory_mib: 512MiB", "512MiB", 'got "512MiB"; write 512'),
    ("memory_mib: 4096", "memory_mib: 04096", "04096", 'got "04096"; write 4096'),
    ("memory_mib: 4096", "memory_mib: 4096.5", "4096.5", "expected an integer, got 4096.5"),
    ("memory_mib: 4096", "memory_mib: 4097", "4097", "expected a multiple of 4, got 4097"),
    ("memory_mib: 4096", "memory_mib: 256", "256\n  cpus", "expected a value >= 512, got 256"),
    ("memory_mib: 4096", "memory_mib: true", "true\n  cpus", "expected an integer, got true"),
    ("memory_mib: 4096", "memory_mib:  # MiB", "  # MiB", "expected an integer, got null"),
    ("memory_mib: 4096", "memory_mib: [4096]", "[4096]", "expected an integer, got [4096]"),
    ("disk_gib: 40", "disk_gib: 40 GB", "40 GB", 'got "40 GB"; write 40'),
    ("disk_gib: 40", "disk_gib: 40960 MB", "40960 MB", 'expected an integer, got "40960 MB"'),
    ("port: 5000", "port: 0644", "0644", 'registry.port: expected an integer, got "0644"; write 644'),
    ("port: 5000", "port: 70000", "70000", "expected a value <= 65535"),
    ("swap: false", "swap: no", "no\n  password", 'guest.swap: expected true or false, got "no"'),
    ("ip_forward: '1'", "ip_forward: 1", "1\n    net.bridge", "expected text, got 1; put it in quotes"),
    ("user: ubuntu", "user: 1000", "1000\n  key", "ssh.user: expected text, got 1000"),
    ("name: airgap-lab", "name: Airgap_Lab", "Airgap_Lab", "does not have the form"),
    (
        "subnet: 192.168.6.0/24",
        "subnet: 192.168.6.0/33",
        "192.168.6.0/33",
        "network.subnet: '33' is not a valid netmask",
    ),
    ("subnet: 192.168.6.0/24", "subnet: 192.168.6.7/24", "192.168.6.7/24", "192.168.6.7/24 has host bits set"),
    ("gateway: 192.168.6.1\n", "gateway: 192.168.6\n", "192.168.6\n", "network.gateway: Expected 4 octets"),
    ("gateway: 192.168.6.1\n", "gateway: 192.168.7.1\n", "192.168.7.1", "192.168.7.1 is outside 192.168.6.0/24"),
    ("192.168.6.12", "192.168.6.11 ", "192.168.6.11 ", "192.168.6.11 is already the address of k3s-worker1"),
    ("192.168.6.12", "192.168.6.1  # gateway", "192.168.6.1  #", "is already the address of network.gateway"),
    ("192.168.6.12", "192.168.7.12", "192.168.7.12", "192.168.7.12 is not a host address of 192.168.6.0/24"),
    ("192.168.6.12", "192.168.6.255", "192.168.6.255", "192.168.6.255 is not a host address"),
    (WORKER2, f"{WORKER2}{MAC}52:54:00:12:34\n", "52:54:00:12:34", "machines.k3s-worker2.mac: "),
    ("role: master", "role: boss", "boss", "expected 'master' or 'worker', got \"boss\""),
    ("role: master", "role: worker  #", "k3s-master1:\n", "a lab has exactly one master; here: none"),
    ("[disk, cdrom]", "[cdrom, disk]", "[cdrom, disk]", "the disk must come first"),
    ("[disk, cdrom]", "[disk]", "[disk]", "without cdrom the blank disk can never be installed"),
    ("type: ws", "type: esx", "esx", "expected 'ws', 'player' or 'fusion'"),
    ("  boot: 2700", "  boot: 0", "0                  # with", "expected a value >= 1"),
    ("reach: direct", "reach: direct\n  forward_base_port: 2200", "2200", "has an effect with `reach: forwarded` only"),
]


@pytest.mark.parametrize(
    ("old", "new", "at", "expected"), ONE_PROBLEM, ids=[f"{new.strip()[:40]}" for _, new, _, _ in ONE_PROBLEM]
)
def test_one_problem_is_one_line_with_its_place(old: str, new: str, at: str, expected: str) -> None:
    text = changed((old, new))
    message = refused(text)
    head, problem, *rest = message.splitlines()
    assert head == "the lab file has a problem"
    assert problem.startswith(f"lab.yaml:{place(text, at)}: ")
    assert expected in problem
    assert [line.split(":")[0].strip() for line in rest] == ["remedy"]


@pytest.mark.parametrize(
    "value", ["hunter2", "{user: ubuntu, password: hunter2}", "{user: ubuntu, pasword: hunter2}", "[hunter2]"]
)
def test_a_password_in_the_lab_file_is_refused_without_repeating_it(value: str) -> None:
    message = refused(f"{TEXT}\ntools: {value}\n")
    assert "tools" in message
    assert "hunter2" not in message


def test_a_password_is_a_reference() -> None:
    text = f"{TEXT}\ntools: {{user: ubuntu, password: 'env:LAB_GUEST_PASSWORD'}}\n"
    tools = build(text, FILE).tools
    assert tools is not None
    assert tools.password == "env:LAB_GUEST_PASSWORD"
    message = refused(text.replace("env:", "plain:"))
    assert "tools.password: expected a reference to a secret, not the secret: env:NAME" in message


def test_a_missing_key_is_named_at_its_mapping() -> None:
    text = changed(("  vmnet: VMnet1\n", ""))
    assert f"lab.yaml:{place(text, 'subnet: 192')}: network.vmnet: missing key" in refused(text)


def test_every_problem_is_reported_at_once_in_the_order_of_the_file() -> None:
    text = changed(("port: 5000", "port: x"), ("  cpus: 2\n", ""), ("swap: false", "swap: 0"))
    lines = refused(text).splitlines()
    assert lines[0] == "the lab file has 3 problems"
    numbers = [int(line.split(":")[1]) for line in lines[1:4]]
    assert numbers == sorted(numbers)


def test_a_key_twice_is_reported_with_both_lines() -> None:
    text = changed(("  cpus: 2", "  cpus: 2\n  disk_gib: 20"))
    message = refused(text)
    line, _, column = place(text, "disk_gib: 40").partition(":")
    first = place(text, "disk_gib: 20").partition(":")[0]
    assert f"lab.yaml:{line}:{column}: disk_gib: duplicate key, first on line {first}" in message


@pytest.mark.parametrize("mac", ["52:54:00:12:34:56", "00:50:56:00:00:01", "10:20:30:40:50:59"])
def test_a_mac_address_is_never_a_number(mac: str) -> None:
    """YAML 1.1 reads the first of these as 41135085296."""
    spec = build(changed((WORKER2, f"{WORKER2}{MAC}{mac}\n")), FILE)
    assert spec.machines["k3s-worker2"].mac == mac


def test_one_mac_address_for_two_machines_is_reported_whatever_its_case() -> None:
    worker1 = "    seed: seed-worker1.iso\n"
    text = changed((worker1, f"{worker1}{MAC}00:50:56:0a:0b:0c\n"), (WORKER2, f"{WORKER2}{MAC}00:50:56:0A:0B:0C\n"))
    assert "machines.k3s-worker2.mac: 00:50:56:0a:0b:0c already belongs to k3s-worker1" in refused(text)


def test_one_seed_for_two_machines_is_reported() -> None:
    text = changed(("seed: seed-worker2.iso", "seed: seed-worker1.iso "))
    assert "machines.k3s-worker2.seed: seed-worker1.iso already belongs to k3s-worker1" in refused(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: [airgap", "not YAML"),
        ("name: a\n\tb: c", "not YAML"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("name: \x00", "not YAML"),
        ("", "one mapping of keys"),
        ("- a\n- b\n", "one mapping of keys"),
        ("just text", "one mapping of keys"),
        ("a: &a\n  b: *a\n", "refers to itself"),
        ("? [a, b]\n: c\n", "a key is one word"),
        ("name: !!int abc\n", "network: missing key"),
        ("name: " + "9" * 5000, "name: expected text"),
    ],
)
def test_a_file_that_is_no_lab_file_is_one_clear_error(text: str, expected: str) -> None:
    message = refused(text)
    assert expected in message
    assert message.startswith(("lab.yaml", "the lab file has"))


def test_an_overlay_that_does_not_exist_is_reported_with_those_that_do() -> None:
    message = refused(TEXT, "embeded")
    assert "no overlay named embeded; there are: embedded" in message
    assert message.startswith("lab.yaml:")


def test_a_problem_in_an_overlay_has_the_overlays_place() -> None:
    text = changed(("memory_mib: 1024", "memory_mib: 1 GB"))
    assert f"lab.yaml:{place(text, '1 GB')}: hardware.memory_mib: " in refused(text, "embedded")


def test_no_file_and_no_text_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no lab file here"):
        load_lab(tmp_path / "lab.yaml")
    (tmp_path / "lab.yaml").write_bytes(b"name: \xff")
    with pytest.raises(ConfigError, match="cannot read the lab file"):
        load_lab(tmp_path / "lab.yaml")
    with pytest.raises(ConfigError, match="cannot read the lab file"):
        load_lab(tmp_path)


def test_a_file_written_on_windows_is_the_same_lab_with_the_same_places(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert load_lab(path) == load_lab(LAB_FILE)
    wrong = changed(("port: 5000", "port: x"))
    path.write_bytes(wrong.replace("\n", "\r\n").encode())
    with pytest.raises(ConfigError) as caught:
        load_lab(path)
    assert f"{path}:{place(wrong, 'x' + chr(10))}: " in str(caught.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"'C:\VMs\lab'", r"C:\VMs\lab"),
        (r"C:\VMs\lab", r"C:\VMs\lab"),
        ('"C:/VMs/lab"', "C:/VMs/lab"),
        (r"'\\server\share\lab'", r"\\server\share\lab"),
        (r"'C:\Program Files\näme'", r"C:\Program Files\näme"),
    ],
)
def test_a_windows_path_is_kept_as_it_is_written(written: str, read: str) -> None:
    assert build(changed((r"'F:\VMs\AirgapLab'", written)), FILE).vm_directory == read


def test_a_windows_path_in_double_quotes_is_reported_as_an_escape() -> None:
    message = refused(changed((r"'F:\VMs\AirgapLab'", r'"F:\VMs\AirgapLab"')))
    assert "not YAML" in message
    assert "write Windows paths in single quotes" in message


PATH_KEYS = [
    ("vm_directory", r"'F:\VMs\AirgapLab'"),
    ("seeds.directory", "../wsl/out\n"),
    ("ssh.key", "../wsl/out/ssh/id_rsa"),
    ("machines.k3s-worker1.seed", "seed-worker1.iso"),
]


@pytest.mark.parametrize("platform", ["win32", "linux", None])
@pytest.mark.parametrize(("key", "old"), PATH_KEYS)
@pytest.mark.parametrize(
    "written",
    [
        r'"F:\vms\airgap"',
        r'"vms\nairgap"',
        r"'%USERPROFILE%\VMs'",
        "'%TEMP%/VMs'",
        r"'C:\Users\%USERNAME%\VMs'",
        "'F:VMs'",
        "'F:'",
        r"'F:\Air?gap'",
        r"'F:\a*'",
        r"'F:\<name>'",
        r"'F:\a|b'",
        r"'F:\a:b'",
        r"'\\server\share\a?'",
        r"""'..\"VMs"'""",
    ],
)
def test_a_path_that_yaml_or_windows_changes_is_refused(key: str, old: str, written: str, platform: str | None) -> None:
    text = changed((old, written + "\n" * old.endswith("\n")))
    with pytest.raises(ConfigError, match=rf"lab\.yaml:\d+:\d+: {key}: ") as caught:
        build(text, FILE, None, platform)
    assert "write Windows paths in single quotes" in str(caught.value)


@pytest.mark.parametrize("written", [r"'\\?\C:\VMs\lab'", r"'C:\100% done\lab'", r"'..\VMs\lab'", r"'C:\(a) {b}!'"])
def test_unusual_paths_of_windows_are_taken(written: str) -> None:
    assert build(changed((r"'F:\VMs\AirgapLab'", written)), FILE, None, "win32").vm_directory == written[1:-1]


@pytest.mark.parametrize("written", ["'/srv/a:b?'", "'/srv/%d%/lab'", "'../a|b'"])
def test_a_path_that_another_system_has_is_taken_there(written: str) -> None:
    text = changed((r"'F:\VMs\AirgapLab'", written))
    assert build(text, FILE, None, "linux").vm_directory == written[1:-1]
    with pytest.raises(ConfigError, match="single quotes"):
        build(text, FILE, None, "win32")


@pytest.mark.parametrize(
    ("old", "new", "place_of"),
    [
        (r"'F:\VMs\AirgapLab'", r"'\\server\share\lab'", "vm_directory"),
        ("directory: ../wsl/out\n", "directory: C:/seeds\n", "seeds.directory"),
        ("key: ../wsl/out/ssh/id_rsa", r"key: D:\id_rsa", "ssh.key"),
    ],
)
def test_a_windows_path_is_refused_where_another_system_would_use_it(old: str, new: str, place_of: str) -> None:
    text = changed((old, new)).replace(r"'F:\VMs\AirgapLab'", "vms")
    for platform in ("linux", "darwin"):
        with pytest.raises(ConfigError, match=rf"lab\.yaml:\d+:\d+: {place_of}: .* is a path of Windows"):
            build(text, FILE, None, platform)
    assert build(text, FILE, None, "win32") == build(text, FILE)
    assert build(TEXT, FILE, "embedded", "linux") == build(TEXT, FILE, "embedded")


def test_what_seeds_of_our_own_cannot_be_built_of_is_refused_for_them_alone() -> None:
    big = changed(("disk_gib: 40", "disk_gib: 2049"))
    assert f"lab.yaml:{place(big, '2049')}: hardware.disk_gib: seeds that are built" in refused(big, "embedded")
    assert build(big, FILE).hardware.disk_gib == 2049
    assert build(changed(("disk_gib: 40", "disk_gib: 2048")), FILE, "embedded").hardware.disk_gib == 2048
    none = changed(("[jq, htop, ethtool, iproute2, dnsutils, telnet, psmisc, sysstat]", "[]"))
    assert f"lab.yaml:{place(none, '[]')}: guest.packages: a seed that is built" in refused(none, "embedded")
    assert build(none, FILE).guest.packages == ()


def test_a_path_of_this_host_starts_at_the_lab_file(tmp_path: Path) -> None:
    assert host_path("../vms", tmp_path / "scenarios") == tmp_path / "vms"
    assert host_path(str(tmp_path), Path("/elsewhere")) == tmp_path
    assert host_path("~", tmp_path) == Path.home()


@posix_paths
def test_the_home_of_an_unknown_user_is_an_ordinary_name(tmp_path: Path) -> None:
    assert host_path("~no-such-user-here/vms", tmp_path) == tmp_path / "~no-such-user-here" / "vms"


def test_the_schema_knows_every_key_and_is_stable() -> None:
    schema = json.loads(lab_schema())
    assert set(schema["properties"]) == set(LabSpec.model_fields)
    assert schema["additionalProperties"] is False
    assert lab_schema() == lab_schema()
    assert lab_schema().endswith("}\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((SOURCE, "  source: ubuntu\n"), "needs `iso`"),
        ((SOURCE, "  source: ubuntu\n  iso: live.iso\n"), "needs `sha256`"),
        ((SOURCE, "  source: provided\n  iso: live.iso\n"), "seeds.iso: has an effect with `source: ubuntu` only"),
        ((SOURCE, "  source: ubuntu\n  iso: live.iso\n  sha256: 12\n"), "seeds.sha256: "),
        ((SOURCE, "  source: ubuntu\n  suite: noble\n"), "seeds.suite: has an effect with `source: built` only"),
    ],
)
def test_seeds_of_ubuntus_iso_need_the_iso_and_its_digest(change: tuple[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build(changed(change), LAB_FILE)


def test_no_seed_has_the_name_of_the_installer_iso() -> None:
    with pytest.raises(ConfigError, match="is the name of the installer ISO of all machines"):
        build(changed(OF_UBUNTU, ("seed: seed-worker1.iso", "seed: ubuntu-installer.iso")), LAB_FILE)
    assert build(changed(OF_UBUNTU), LAB_FILE).seeds.source is SeedSource.UBUNTU
