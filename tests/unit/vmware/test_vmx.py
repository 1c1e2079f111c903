"""VMX text: edits, refusals, and writing to disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from needs import posix_modes

from harness.vmware.vmx import Vmx, VmxError
from harness.vmware.vmx_lines import escape

SAMPLE = (
    "#!/usr/bin/vmware\n"
    '.encoding = "UTF-8"\n'
    "\n"
    "# made by hand\n"
    'displayName = "k3s-master1"\n'
    'SATA0:1.startConnected = "TRUE"\n'
    'some.unknown.key = "kept"\n'
    "memsize = 4096\n"
)


def test_text_is_kept_to_the_byte() -> None:
    assert Vmx.parse(SAMPLE).text() == SAMPLE


def test_keys_compare_without_case_and_keep_their_spelling() -> None:
    vmx = Vmx.parse(SAMPLE)
    assert vmx.get("sata0:1.STARTCONNECTED") == "TRUE"
    vmx.set("sata0:1.startConnected", value=False)
    assert 'SATA0:1.startConnected = "FALSE"\n' in vmx.text()


def test_only_the_line_that_is_set_changes() -> None:
    vmx = Vmx.parse(SAMPLE)
    vmx.set("displayName", "other")
    assert vmx.text() == SAMPLE.replace("k3s-master1", "other")


def test_setting_the_same_value_changes_nothing() -> None:
    vmx = Vmx.parse(SAMPLE)
    vmx.set("memsize", 4096)
    assert vmx.text() == SAMPLE


def test_crlf_stays_and_new_lines_get_it() -> None:
    vmx = Vmx.parse('a = "1"\r\nb = "2"')
    vmx.set("c", "3")
    assert vmx.text() == 'a = "1"\r\nb = "2"\r\nc = "3"\r\n'


def test_of_duplicates_the_last_counts_and_setting_leaves_one() -> None:
    vmx = Vmx.parse('a = "1"\nb = "x"\nA = "2"\n')
    assert vmx.get("a") == "2"
    assert vmx.items() == [("b", "x"), ("A", "2")]
    vmx.set("a", "3")
    assert vmx.text() == 'b = "x"\nA = "3"\n'


def test_remove_takes_every_line_of_the_key_and_no_comment() -> None:
    vmx = Vmx.parse('# a\na = "1"\nA = "2"\n')
    assert vmx.remove("a")
    assert not vmx.remove("a")
    assert vmx.text() == "# a\n"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ('a = "say |22hi|22"', 'say "hi"'),
        ('a = "x|7Cy"', "x|y"),
        ('a = "one|0Atwo"', "one\ntwo"),
        ('a = "|C3|A9t|c3|a9"', "été"),
        ("a = bare  # remark", "bare"),
        ('a = it"s', 'it"s'),
        ('a = "db | web"', "db | web"),
        ('a = "50|"', "50|"),
        ('a = "half |2 and |zz|41"', "half |2 and |zzA"),
        ('a = "cut |00 off"', "cut "),
        ('a="x\ry"', "x\ry"),
        ('a = "x"#remark', "x"),
        ('a = "quoted"   # remark', "quoted"),
        ('a = "with # inside"', "with # inside"),
        ("a =", ""),
        ('a=""', ""),
    ],
)
def test_values_are_read(raw: str, value: str) -> None:
    assert Vmx.parse(raw).get("a") == value


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("no equals sign", "expected"),
        ('= "no key"', "expected"),
        ('a = "open', "expected"),
        ('a = "x" y', "expected"),
        ('a b = "blank in key"', "expected"),
        ("a = bare value", "expected"),
        ('a="x"\rb="y"', "expected"),
        ('a#b = "x"', "expected"),
        ('a = "x\0y"', "expected"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(line: str, part: str) -> None:
    with pytest.raises(VmxError, match=part) as caught:
        Vmx.parse(f'ok = "1"\n# remark\n{line}\n')
    assert caught.value.line == 3
    assert str(caught.value).startswith("line 3: ")


@pytest.mark.parametrize("key", ["", "a b", "a=b", '"', "#a", "a\nb"])
def test_a_key_that_no_vmx_can_hold_is_refused(key: str) -> None:
    with pytest.raises(VmxError, match="not a key"):
        Vmx.parse("").set(key, "x")


def test_a_value_that_no_vmx_can_hold_is_refused() -> None:
    with pytest.raises(VmxError, match="NUL"):
        Vmx.parse("").set("annotation", "a\0b")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_value_survives_write_and_read(value: str) -> None:
    vmx = Vmx.parse("")
    vmx.set("annotation", value)
    assert Vmx.parse(vmx.encode().decode("utf-8")).get("annotation") == value


@settings(deadline=None)
@given(st.text('ab|="# \t\n\r.X0', max_size=40))
def test_any_text_is_refused_or_kept(text: str) -> None:
    try:
        vmx = Vmx.parse(text)
    except VmxError:
        return
    assert vmx.text() == text


def test_escape_leaves_no_quote_bar_or_control_character() -> None:
    assert escape('a"b|c\r\n\x7f') == "a|22b|7Cc|0D|0A|7F"


def test_flags_are_true_in_any_case_and_fall_back_to_the_default() -> None:
    vmx = Vmx.parse('a = "true"\nb = "FALSE"\nc = ""\n')
    assert [vmx.flag("a"), vmx.flag("b", default=True), vmx.flag("c", default=True), vmx.flag("d")] == [
        True,
        False,
        True,
        False,
    ]


def test_a_copy_is_independent() -> None:
    vmx = Vmx.parse(SAMPLE)
    twin = vmx.copy()
    twin.set("displayName", "twin")
    assert vmx.get("displayName") == "k3s-master1"


@pytest.mark.parametrize("charset", [b"UTF-8", b"windows-1252"])
def test_a_byte_order_mark_is_tolerated_and_not_written_back(tmp_path: Path, charset: bytes) -> None:
    path = tmp_path / "a.vmx"
    path.write_bytes(b'\xef\xbb\xbf.encoding = "' + charset + b'"\n')
    vmx = Vmx.read(path)
    vmx.write(path)
    assert path.read_bytes() == b'.encoding = "' + charset + b'"\n'


@pytest.mark.parametrize("charset", ["UTF-8", "windows-1252", "GBK", "Shift_JIS", "ISO-8859-1"])
def test_the_named_charset_is_used_both_ways(tmp_path: Path, charset: str) -> None:
    name = {"GBK": "主机", "Shift_JIS": "日本"}.get(charset, "Größe")
    data = f'.encoding = "{charset}"\r\ndisplayName = "{name}"\r\n'.encode(charset)
    path = tmp_path / "a.vmx"
    path.write_bytes(data)
    vmx = Vmx.read(path)
    assert vmx.get("displayName") == name
    vmx.write(path)
    assert path.read_bytes() == data


def test_a_file_without_a_charset_is_read_as_utf8_or_windows_1252_and_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    path.write_bytes('displayName = "Größe"\n'.encode("windows-1252"))
    vmx = Vmx.read(path)
    assert vmx.get("displayName") == "Größe"
    assert vmx.encode() == path.read_bytes()


def test_an_unknown_charset_and_bytes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    path.write_bytes(b'.encoding = "klingon"\n')
    with pytest.raises(VmxError, match="klingon"):
        Vmx.read(path)
    path.write_bytes(b'.encoding = "UTF-8"\na = "\xff"\n')
    with pytest.raises(VmxError, match="line 2"):
        Vmx.read(path)


def test_a_character_that_the_charset_lacks_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    path.write_bytes(b'.encoding = "ISO-8859-1"\n')
    vmx = Vmx.read(path)
    vmx.set("displayName", "日本")
    with pytest.raises(VmxError, match="ISO-8859-1"):
        vmx.write(path)
    assert path.read_bytes() == b'.encoding = "ISO-8859-1"\n'


def test_writing_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    path.write_text('a = "1"\n', encoding="utf-8")
    vmx = Vmx.read(path)
    vmx.set("a", "2")
    vmx.write(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.vmx"]
    assert path.read_text(encoding="utf-8") == 'a = "2"\n'


@posix_modes
def test_writing_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    path.write_text('a = "1"\n', encoding="utf-8")
    path.chmod(0o640)
    Vmx.read(path).write(path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.vmx"
    path.write_text('a = "1"\n', encoding="utf-8")

    def fake_replace(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fake_replace)
    vmx = Vmx.parse('a = "2"\n')
    with pytest.raises(OSError, match="disk full"):
        vmx.write(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.vmx"]
    assert path.read_text(encoding="utf-8") == 'a = "1"\n'


@pytest.mark.parametrize(
    ("named", "codec", "text"),
    [
        ("windows-949-2000", "cp949", "실험 서버 1 | 시험"),
        ("Shift_JIS", "cp932", "第①研究室㈱髙橋"),
        ("Big5", "cp950", "實驗室裏的機器"),
        ("windows-936-2000", "gbk", "实验服务器"),
        ("ibm-874", "cp874", "เครื่องทดสอบ"),
        ("windows-1252", "cp1252", "Übungsgerät €"),
    ],
)
def test_a_file_in_the_charset_of_a_windows_host_is_read_and_written_back(
    tmp_path: Path, named: str, codec: str, text: str
) -> None:
    path = tmp_path / "a.vmx"
    data = f'.encoding = "{named}"\r\ndisplayName = "{text}"\r\nmemsize = "1024"\r\n'.encode(codec)
    path.write_bytes(data)
    vmx = Vmx.read(path)
    assert vmx.get("displayName") == text
    vmx.write(path)
    assert path.read_bytes() == data
    vmx.set("memsize", 2048)
    vmx.copy().write(path)
    assert path.read_bytes() == data.replace(b"1024", b"2048")


def test_a_line_that_is_not_set_keeps_its_bytes(tmp_path: Path) -> None:
    """Code page 932 has undefined bytes and characters with two codes."""
    path = tmp_path / "a.vmx"
    data = b'.encoding = "Shift_JIS"\nannotation = "\xed\x40 \xfa\x5c \x81\xe6"\nmemsize = "1"\n'
    path.write_bytes(data)
    vmx = Vmx.read(path)
    vmx.set("memsize", 2)
    assert vmx.encode() == data.replace(b'"1"', b'"2"')


def test_another_charset_encodes_every_line_again(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    path.write_bytes('.encoding = "windows-1252"\ndisplayName = "Gerät"\n'.encode("cp1252"))
    vmx = Vmx.read(path)
    vmx.set(".encoding", "UTF-8")
    assert vmx.encode() == '.encoding = "UTF-8"\ndisplayName = "Gerät"\n'.encode()


def test_a_file_that_names_no_charset_is_utf_8_or_windows_1252(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    for text, codec in (("Gerät", "utf-8"), ("Gerät", "cp1252")):
        path.write_bytes(f'displayName = "{text}"\n'.encode(codec))
        assert Vmx.read(path).get("displayName") == text
    path.write_bytes(b'displayName = "\x81"\n')
    assert Vmx.read(path).encode() == b'displayName = "\x81"\n'


@pytest.mark.parametrize("named", ["klingon", "a\0b", "rot13", "utf-16", "undefined", "idna"])
def test_a_charset_that_no_vmx_has_is_an_error(tmp_path: Path, named: str) -> None:
    path = tmp_path / "a.vmx"
    path.write_bytes(f'.encoding = "{named}"\na = "1"\n'.encode())
    with pytest.raises(VmxError, match=r"unknown charset|expected"):
        Vmx.read(path)
