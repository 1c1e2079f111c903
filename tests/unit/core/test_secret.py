from __future__ import annotations

import html
import json
import re
import shlex
from urllib import parse
from xml.sax import saxutils

import markupsafe
import pytest

from harness.core.secret import MASK, LineRedactor, Secret, redact, redact_argv, redact_tree

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAA==\n-----END OPENSSH PRIVATE KEY-----"


def test_a_secret_shows_itself_in_no_text() -> None:
    secret = Secret("hunter2")
    shown = f"{secret} {secret!r} {[secret]} {secret!s:>20} %s" % secret
    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


@pytest.mark.parametrize("kind", ["OPENSSH", "RSA", "EC", "ENCRYPTED", ""])
def test_a_private_key_leaves_its_kind(kind: str) -> None:
    name = f"{kind} PRIVATE KEY".strip()
    text = redact(f"before\n-----BEGIN {name}-----\nsecret\n-----END {name}-----\nafter")
    assert text == f"before\n-----BEGIN {name}----- {MASK}\nafter"


def test_two_keys_do_not_take_what_is_between_them() -> None:
    text = redact(f"{KEY}\nbetween\n{KEY}")
    assert "between" in text
    assert "b3Blb" not in text


def test_a_public_key_and_a_certificate_stay() -> None:
    text = "ssh-ed25519 AAAAC3 lab\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("vmrun -gu ubuntu -gp hunter2 start", f"vmrun -gu ubuntu -gp {MASK} start"),
        ("-vp hunter2", f"-vp {MASK}"),
        ('-gp "two words" list', f"-gp {MASK} list"),
        ("-gp 'two words' list", f"-gp {MASK} list"),
        ("['vmrun', '-gp', 'hunter2']", f"['vmrun', '-gp', '{MASK}"),
    ],
)
def test_a_password_of_a_command_line(text: str, shown: str) -> None:
    assert redact(text).startswith(shown)
    assert "hunter2" not in redact(text)


@pytest.mark.parametrize("text", ["    client-key-data: {}\n", '{{"client-key-data": "{}"}}', "client-key-data:{}"])
def test_the_key_of_a_kubeconfig_is_masked(text: str) -> None:
    assert redact(text.format("TFMwdExTMUNSVWRKVGlC+/==")) == text.format(MASK)


@pytest.mark.parametrize("text", ["a-gp b", "--gp b", "-gpu host", "mkdir -p /x"])
def test_words_that_only_look_like_it_stay(text: str) -> None:
    assert redact(text) == text


def test_the_words_of_a_command() -> None:
    assert redact_argv(("vmrun", "-gp", "a", "-vp", "b", "list")) == ("vmrun", "-gp", MASK, "-vp", MASK, "list")
    assert redact_argv(("-gp",)) == ("-gp",)


def test_a_tree_stays_json_and_has_no_secret_at_any_depth() -> None:
    tree = {"argv": ["vmrun", "-gp", "hunter2"], "output": {"text": KEY}, "rows": [{"a": f"x {KEY}"}, 1, None, True]}
    shown = json.dumps(redact_tree(tree))
    assert "hunter2" not in shown
    assert "b3Blb" not in shown
    assert json.loads(shown)["rows"][1:] == [1, None, True]


def test_a_key_that_comes_line_by_line() -> None:
    masked = LineRedactor()
    lines = [masked(line) for line in ["a -gp hunter2 b", *KEY.splitlines(), "after"]]
    assert lines == [f"a -gp {MASK} b", "-----BEGIN OPENSSH PRIVATE KEY-----", MASK, MASK, MASK, "after"]


HARD = "p&ss \"w'rd<\\>/ü"
FORMS = {
    "json": json.dumps({"a": HARD}),
    "json, not ascii": json.dumps({"a": HARD}, ensure_ascii=False),
    "json in json": json.dumps(json.dumps([HARD])),
    "html": f"<p>{html.escape(HARD)}</p>",
    "html text": f"<p>{html.escape(HARD, quote=False)}</p>",
    "markupsafe": f"<p>{markupsafe.escape(HARD)}</p>",
    "xml": f"<p a={saxutils.quoteattr(HARD, {chr(34): '&quot;', chr(39): '&apos;'})}/>",
    "json in html": html.escape(json.dumps([HARD])),
    "url": f"https://lab.example/?a={parse.quote(HARD, safe='')}",
    "url path": f"https://lab.example/{parse.quote(HARD)}",
    "url form": parse.urlencode({"a": HARD}),
    "url, lower case": parse.quote(HARD, safe="").replace("%C3%BC", "%c3%bc").lower(),
    "repr": repr([HARD]),
    "shell": shlex.quote(HARD),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    Secret(HARD)
    shown = redact(FORMS[form])
    assert MASK in shown
    assert not re.search(r"p(&|%26)|ss|w('|%27|&)|rd", shown.removeprefix("https"))


def test_a_secret_that_is_a_key_is_masked() -> None:
    Secret("hunter2-key")
    assert redact_tree({"hunter2-key": {"hunter2-key": 1}, 3: "a"}) == {MASK: {MASK: 1}, 3: "a"}
