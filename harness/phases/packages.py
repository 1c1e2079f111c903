"""Packages: the service's marker, what `dpkg` has, and where it came from.

`dpkg` alone decides what is installed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.json_text import parse_json
from harness.core.verdict import Check, Phase
from harness.phases.iso_copy import read_marker

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.PACKAGES
MARKER = CheckSpec(PHASE, "marker", (Claim.PACKAGES,), "every package counted as installed")
INSTALLED = CheckSpec(PHASE, "dpkg", (Claim.PACKAGES,), "every package installed")
SOURCE = CheckSpec(
    PHASE,
    "from the seed",
    (Claim.PACKAGES,),
    "the versions that the seed brings, and no package index but of files in the guest",
)
CHECKS = (MARKER, INSTALLED, SOURCE)

_POLL_S = 2.0
_NONE_PROMISED = "the lab file promises no package"
# Every package that dpkg knows: a name of the lab file may be one that another package provides.
DPKG = "dpkg-query -W -f='${Package} ${db:Status-Abbrev} ${Version} ${Provides}\\n'"
# The package indexes that apt has read, one a line.
APT_LISTS = "ls /var/lib/apt/lists"
_NO_INDEX = ("lock", "partial", "auxfiles")


# Where a package has what it runs: documentation is left out of our image, and configuration may be changed.
_RUNS = re.compile(r"/(usr/)?(s?bin|lib\w*|libexec)/(?!modules/)")


def verify_command(packages: Sequence[str]) -> str:
    """Return the command that compares the files of installed packages.

    Those of packages that they depend on are compared, too.
    """
    names = shlex.join(packages)
    return (
        f"dpkg --verify {names} $(dpkg-query -W -f='${{Depends}},' {names} | tr ',|' '\\n\\n' |"
        " sed 's/(.*//; s/:any//; s/ //g' | sort -u | while read -r name; do"
        ' [ -z "$name" ] || for list in "/var/lib/dpkg/info/$name.list" "/var/lib/dpkg/info/$name":*.list; do'
        ' [ ! -e "$list" ] || echo "$name"; done; done)'
    )


def damaged_files(text: str) -> list[str]:
    """Return the missing and changed programs and libraries that `dpkg --verify` names."""
    lines = (line.rstrip() for line in text.splitlines())
    parts = ((line, line.partition("/")) for line in lines if "/" in line)
    return [
        " ".join(line.split())
        for line, (head, slash, path) in parts
        if _RUNS.match(slash + path) and head.split()[-1:] != ["c"]
    ]


class Known(NamedTuple):
    """What dpkg has under a name.

    `state` is `ii` where it is installed; `package` has that name or provides it.
    """

    state: str
    version: str
    package: str


def run(machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
    """Wait for the marker, then ask `dpkg` and apt."""
    spec = machine.context.plan.spec
    deadline = machine.deadline(limits.packages, "packages")
    marker = machine.wait_for(
        spec.markers.packages,
        lambda: read_marker(machine, spec.markers.packages, deadline),
        deadline,
        interval_s=_POLL_S,
    )
    yield judge_marker(marker, spec.guest.packages)
    known = parse_dpkg(machine.ssh.run(DPKG, as_root=True).stdout)
    yield judge_dpkg(spec.guest.packages, known)
    brought = seed_packages(file.path for file in machine.iso.payload) if machine.iso else set()
    lists = machine.ssh.run(APT_LISTS, as_root=True).stdout.splitlines()
    yield judge_source([known.get(name) for name in spec.guest.packages], brought, lists, ours=machine.sends_events)


def parse_marker(text: str) -> dict[str, str]:
    """Return the fields of a marker: a JSON object, or `key=value` lines."""
    try:
        value = parse_json(text)
    except ValueError:
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}


def judge_marker(text: str, packages: Sequence[str]) -> Check:
    """Return whether the marker counts every package; without counts nothing is proven."""
    counts = parse_marker(text)
    installed, expected = counts.get("installed", ""), counts.get("expected", "")
    promise = f"{len(packages)} of {len(packages)} installed"
    seen = " ".join(text.split()) or "present, empty"
    if not packages:
        return MARKER.not_proven(_NONE_PROMISED, expected=promise)
    if not (installed.isdigit() and expected.isdigit()):
        return MARKER.not_proven(f"no counts in the marker: {seen}", expected=promise, remedy="dpkg decides")
    return MARKER.judge(
        ok=installed == expected and int(expected) >= len(packages),
        expected=promise,
        seen=seen,
        remedy="journalctl -u k8s-ops-packages on the guest says why",
    )


def parse_dpkg(text: str) -> dict[str, Known]:
    """Return what dpkg has, by package name and by provided name."""
    found: dict[str, Known] = {}
    provided: dict[str, Known] = {}
    for line in text.splitlines():
        name, state, version, provides = (*line.split(maxsplit=3), "", "", "", "")[:4]
        if state:
            found[name] = Known(state, version, name)
        if state == "ii":
            names = (re.sub(r"\(.*?\)", "", one).strip() for one in provides.split(","))
            provided |= {other: Known(state, version, name) for other in names if other}
    return provided | {name: entry for name, entry in found.items() if entry.state == "ii" or name not in provided}


def judge_dpkg(packages: Sequence[str], found: Mapping[str, Known]) -> Check:
    """Return whether dpkg says `ii` for every package."""
    promise = f"all of {', '.join(packages)}"
    if not packages:
        return INSTALLED.not_proven(_NONE_PROMISED, expected=promise)
    known = [found.get(name, Known("missing", "", name)) for name in packages]
    shown = [_shown(name, one) for name, one in zip(packages, known, strict=True)]
    wrong = [text for text, one in zip(shown, known, strict=True) if one.state != "ii"]
    return INSTALLED.judge(
        ok=not wrong,
        expected=promise,
        seen="not installed: " + "; ".join(wrong) if wrong else "; ".join(shown),
        remedy="journalctl -u k8s-ops-packages on the guest says why",
    )


def _shown(name: str, known: Known) -> str:
    by = f" (by {known.package})" if known.package != name else ""
    return f"{name} {known.state} {known.version}{by}".strip()


def seed_packages(payload: Iterable[str]) -> set[tuple[str, str]]:
    """Return name and version of every `.deb` of a payload.

    The file name is `name_version_architecture.deb`; apt writes `%3a` for a colon.
    """
    names = (path.rpartition("/")[2].removesuffix(".deb").split("_") for path in payload if path.endswith(".deb"))
    return {(words[0], unquote(words[1])) for words in names if len(words) == 3}


def judge_source(
    wanted: Sequence[Known | None], brought: Collection[tuple[str, str]], lists: Sequence[str], *, ours: bool
) -> Check:
    """Return whether the packages came from the seed.

    They are versions of the seed, and apt has read no index except of files in the guest. With a seed that was built
    elsewhere this may be undecidable, which is not proven.

    Args:
        wanted: What dpkg has for each package of the lab file.
        brought: Name and version of each package that lies on the seed.
        lists: The directory of apt's indexes. The name of one is its URI without scheme, `/` as `_` (apt's
            `URItoFileName`): one of a `file:` URI begins with `_`, any other with a host or a medium.
        ours: Whether the seed was built here.
    """
    indexes = [name for name in lists if name not in _NO_INDEX]
    elsewhere = [f"apt has read {name}" for name in indexes if not name.startswith("_")]
    there = [known for known in wanted if known is not None and known.state == "ii"]
    other = [
        f"{one.package} {one.version} is not on the seed" for one in there if (one.package, one.version) not in brought
    ]
    wrong = "; ".join([*elsewhere, *other])
    unknown = {
        _NONE_PROMISED: not wanted,
        "the seed brings no .deb file to compare with": not brought,
        "none of the packages is installed": not there,
        "apt has read no index: the source of the packages is unknown": not indexes,
        wrong: bool(wrong) and not ours,
    }
    reason = next((text for text, holds in unknown.items() if holds), "")
    if reason:
        return SOURCE.not_proven(reason, remedy="the seeds of `lab seed` can be compared")
    return SOURCE.judge(
        ok=not wrong,
        seen=wrong or f"{len(there)} packages of the seed; apt has read {', '.join(indexes)}",
        remedy="something else than the seed installed packages in this guest: read dpkg.log beside the report",
    )
