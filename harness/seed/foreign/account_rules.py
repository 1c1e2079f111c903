"""Judge the machine's name, its account, and the way in by SSH."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.finding import Finding, remark
from harness.seed.foreign.data_rules import SeedData
from harness.seed.foreign.documents import Document, mapping, mappings, texts
from harness.seed.foreign.expected import Expected

_HASH = re.compile(r"\$[0-9a-z]+\$.+|[!*].*", re.DOTALL)  # crypt(5), or locked
_KEY = re.compile(r"(?:^|\s)(?:ssh-\S+|ecdsa-\S+|sk-\S+)\s+(AAAA[\w+/=]+)")
_MAKE_HASH = "write a hash, as `openssl passwd -6` prints it, in quotes"


def account_findings(data: SeedData, expected: Expected | None) -> Iterator[Finding]:
    """Yield what keeps the lab from logging in to the installed machine."""
    if data.document is None:
        return
    document, keys = data.document, data.keys
    yield from _identity(document, keys, expected)
    yield from _ssh(document, keys, expected)
    interactive = texts(document.get(*keys, "interactive-sections"))
    if interactive:
        text = f"the installer asks a person about {', '.join(interactive)}, and waits"
        yield Finding(text, "remove `interactive-sections`", document.where(*keys, "interactive-sections"))
    if document.get(*keys, "shutdown") == "poweroff":
        text = "the installer switches the machine off: the run takes it for a failure"
        yield Finding(text, "remove `shutdown`, or write `reboot`", document.where(*keys, "shutdown"))
    if document.get(*keys, "apt", "fallback") == "abort":
        text = "without a mirror, which an air-gapped lab has none of, the installer gives up"
        yield Finding(text, "write `fallback: offline-install`", document.where(*keys, "apt", "fallback"))
    elif document.get(*keys, "apt", "fallback") is None:
        text = "without `apt.fallback` some installers before 24.04 give up where no mirror answers"
        yield remark(text, "add `apt: {fallback: offline-install}`", document.where(*keys, "apt"))


def _identity(document: Document, keys: tuple[str, ...], expected: Expected | None) -> Iterator[Finding]:
    identity, users = document.below(*keys, "identity"), _users(document, keys)
    if not identity and not document.below(*keys, "user-data"):
        text = "neither `identity` nor `user-data` is there: the installer refuses the data"
        yield Finding(text, "add `identity`", document.where(*keys))
    password = identity.get("password")
    where = document.where(*keys, "identity", "password")
    if isinstance(password, str) and not _HASH.fullmatch(password):
        yield Finding("the password is no hash: nobody can log in with it", _MAKE_HASH, where)
    name = identity.get("username")
    if expected is None:
        return
    names = [str(name)] if name else []
    names += [str(user.get("name")) for user in users if user.get("name")]
    if names and expected.user not in names:
        text = f"it makes the account {names[0]}, and the lab logs in as {expected.user} (ssh.user)"
        yield Finding(text, f"write {expected.user}, or set ssh.user", document.where(*keys, "identity", "username"))
    host = identity.get("hostname") or document.get(*keys, "user-data", "hostname")
    if host is not None and str(host) != expected.machine:
        place = ("identity", "hostname") if identity.get("hostname") else ("user-data", "hostname")
        remedy = f"write {expected.machine}, or give the machine its own ISO"
        yield Finding(f"it installs {host}, not {expected.machine}", remedy, document.where(*keys, *place))


def _users(document: Document, keys: tuple[str, ...]) -> list[dict[str, object]]:
    return [*mappings(document.get(*keys, "user-data", "users")), *mappings(document.get("users"))]


def _ssh(document: Document, keys: tuple[str, ...], expected: Expected | None) -> Iterator[Finding]:
    ssh = document.below(*keys, "ssh")
    packages = [*texts(document.get(*keys, "packages")), *texts(document.get(*keys, "user-data", "packages"))]
    if ssh.get("install-server") is not True and "openssh-server" not in packages:
        text = (
            f"`ssh.install-server` is {'missing' if 'install-server' not in ssh else 'not true'}: no sshd is installed"
        )
        yield Finding(text, "write `install-server: true`", document.where(*keys, "ssh", "install-server"))
    allow = ssh.get("allow-pw")
    if expected is not None and isinstance(allow, bool) and allow is not expected.password_ssh:
        words = ("refuses", "allows") if expected.password_ssh else ("allows", "forbids")
        text = f"`ssh.allow-pw` {words[0]} the password login that the lab file {words[1]} (guest.password_ssh)"
        remedy = f"write `allow-pw: {str(expected.password_ssh).lower()}`"
        yield Finding(text, remedy, document.where(*keys, "ssh", "allow-pw"))
    yield from _keys(document, keys, expected)


def _keys(document: Document, keys: tuple[str, ...], expected: Expected | None) -> Iterator[Finding]:
    where = document.where(*keys, "ssh", "authorized-keys")
    given = texts(document.get(*keys, "ssh", "authorized-keys"))
    sections = (document.below(*keys, "user-data"), mapping(document.data), *_users(document, keys))
    given += [key for section in sections for key in texts(section.get("ssh_authorized_keys"))]
    given += [key for section in sections for key in texts(section.get("ssh-authorized-keys"))]
    for key in given:
        if not _KEY.search(key):
            yield Finding(f"{key[:24]!r}… is no SSH public key", "write the line of the lab's .pub file", where)
    commands = str(document.get(*keys, "late-commands"))
    found = {match[1] for key in (*given, commands) for match in _KEY.finditer(key)}
    if not found and "authorized_keys" not in commands:
        remedy = "add the line of the lab's .pub file to `ssh.authorized-keys`"
        yield Finding("it brings no SSH key: the lab cannot log in", remedy, where)
        return
    lab_key = expected.key.partition(" ")[2] if expected else ""
    if lab_key and lab_key not in found and "authorized_keys" not in commands:
        remedy = f"add `{expected.key[:40] if expected else ''}…`, the public key of ssh.key"
        yield Finding("none of its SSH keys is the lab's: the lab cannot log in", remedy, where)
