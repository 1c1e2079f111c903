"""Package sources of the guest, from the host's apt configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HostError
from harness.system.process import RunProgram, run

_FORMAT = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(CODENAME)|$(ORIGIN)"
_KEYRINGS = Path("/usr/share/keyrings")


@dataclass(frozen=True)
class Source:
    """One package index of a configured source, see apt-get(8), `indextargets`."""

    uri: str
    release: str
    component: str
    codename: str
    origin: str

    def serves(self, suite: str) -> bool:
        """Return whether it is the suite, its updates or its security fixes."""
        wanted = (suite, f"{suite}-updates", f"{suite}-security")
        return self.codename in wanted or self.release in wanted or self.release == f"{suite}/updates"


def parse_targets(text: str) -> tuple[Source, ...]:
    """Parse the output of `apt-get indextargets --format`; unfilled fields are empty."""
    found = []
    for line in text.splitlines():
        fields = ["" if field.startswith("$(") else field for field in line.split("|")]
        if len(fields) == 5:
            found.append(Source(*fields))
    return tuple(found)


def source_lines(sources: tuple[Source, ...], distribution: str, suite: str, keyring: Path | None = None) -> str:
    """Return a sources.list for the suite with the host's own sources only.

    Sources of other publishers are omitted. Without a keyring, apt's general trust applies.

    Raises:
        HostError: The host's sources do not serve the suite.
    """
    names = {"", distribution.capitalize()}
    matching = [source for source in sources if source.serves(suite) and source.origin in names]
    if not any(suite in (source.codename, source.release) for source in matching):
        served = sorted({source.codename or source.release for source in sources})
        raise HostError(
            f"this host's package sources do not serve {distribution} {suite}",
            where="/etc/apt/sources.list*",
            detail="they serve: " + (", ".join(served) or "nothing"),
            remedy=f"add {distribution} {suite} to the host's package sources, or set the image's distribution and "
            "suite to one that they serve",
        )
    lines: dict[tuple[str, str], list[str]] = {}
    for source in matching:
        lines.setdefault((source.uri, source.release), []).append(source.component)
    signed = f"[signed-by={keyring}] " if keyring is not None else ""
    return "".join(f"deb {signed}{uri} {release} {' '.join(parts)}\n" for (uri, release), parts in lines.items())


def host_sources(distribution: str, suite: str, run: RunProgram = run) -> str:
    """Return the guest's sources.list from the configuration of the host's apt.

    Raises:
        HostError: apt is missing, cannot read its sources, or they do not serve the suite.
    """
    targets = _apt_output(run, "apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages")
    return source_lines(parse_targets(targets), distribution, suite, archive_keyring(distribution))


def _apt_output(run: RunProgram, *argv: str) -> str:
    """Run an apt program and return its output.

    Raises:
        HostError: It cannot read its configuration; its message names the place.
    """
    done = run(argv, timeout_s=60)
    if done.returncode != 0:
        raise HostError(
            f"{argv[0]} {argv[1]} failed (exit {done.returncode})",
            where="/etc/apt",
            detail=done.output.strip(),
            remedy="fix the file that apt names until `apt-get update` succeeds",
        )
    return done.stdout


def archive_keyring(distribution: str, keyrings: Path = _KEYRINGS) -> Path | None:
    """Return the host's file with the distribution's archive keys, or None."""
    path = keyrings / f"{distribution}-archive-keyring.gpg"
    return path if path.is_file() else None


def proxy_options(run: RunProgram = run) -> tuple[str, ...]:
    """Return the proxy settings of the host's apt, as `Acquire::…` configuration lines.

    Raises:
        HostError: apt is missing, or cannot read its configuration.
    """
    return tuple(
        line.rstrip(";")
        for line in _apt_output(run, "apt-config", "dump").splitlines()
        if line.startswith("Acquire::http") and "proxy" in line.partition(" ")[0].lower() and '""' not in line
    )
