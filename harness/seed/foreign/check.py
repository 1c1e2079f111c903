"""Judge a seed ISO before anything boots from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.config.plan import LabPlan
from harness.core.finding import Finding
from harness.seed.foreign.account_rules import account_findings
from harness.seed.foreign.boot_rules import boot_findings
from harness.seed.foreign.command_rules import command_findings
from harness.seed.foreign.data_rules import no_long_names, read_data
from harness.seed.foreign.expected import Expected, expected_of
from harness.seed.foreign.layout import text_of
from harness.seed.foreign.network_rules import network_findings
from harness.seed.foreign.payload_rules import payload_findings
from harness.seed.foreign.schema import schema_findings
from harness.seed.inspect import reading
from harness.seed.iso9660 import IsoReader
from harness.seed.model import IsoInfo
from harness.seed.verify import verified_iso


def check_seed(path: Path, expected: Expected | None, now: dt.datetime) -> IsoInfo:
    """Return the facts of a seed ISO with what is wrong with it.

    An ISO of this project is compared with its digests; of other installers than Ubuntu's only the facts are known.
    One with the label CIDATA that does not boot holds the data for an installer on another ISO.

    Args:
        path: The ISO.
        expected: What the lab expects of it; None where that is not known.
        now: The time that certificates are compared with.

    Raises:
        SeedError: As `verified_iso`.
    """
    info = verified_iso(path)
    only_data = info.volume_id.lower() == "cidata" and not info.bios_bootable
    if info.input_hash is not None and not only_data:
        return info
    with reading(path) as iso:
        if not only_data and not _is_ubuntu(iso):
            return info
        findings, elsewhere = _findings(iso, expected, now, only_data=only_data)
    if not info.bios_bootable and not only_data:
        findings.insert(0, Finding("a BIOS cannot boot it", "write it with a boot image for BIOS (El Torito)"))
    return replace(info, findings=tuple(dict.fromkeys(findings)), elsewhere=elsewhere)


def checked_reader(plan: LabPlan, now: Callable[[], dt.datetime]) -> Callable[[Path], IsoInfo]:
    """Return a function that checks the seed ISOs of a lab."""
    machines = {machine.seed: machine.name for machine in plan.machines}
    return lambda path: check_seed(path, expected_of(plan, machines[path]) if path in machines else None, now())


def utc_now() -> dt.datetime:
    """Return the time of this host in UTC."""
    return dt.datetime.now(dt.UTC)


def _is_ubuntu(iso: IsoReader) -> bool:
    return iso.find("casper") is not None or "Ubuntu" in (text_of(iso, ".disk/info") or "")


def _findings(
    iso: IsoReader, expected: Expected | None, now: dt.datetime, *, only_data: bool
) -> tuple[list[Finding], str]:
    short = no_long_names(iso)
    if short:
        return list(short), ""
    data = read_data(iso)
    findings = [*(() if only_data else boot_findings(iso)), *data.findings]
    if data.document is not None:
        findings += schema_findings(data)
        findings += account_findings(data, expected)
        findings += network_findings(data, expected)
        findings += command_findings(iso, data, expected, is_installer=not only_data)
    if not (only_data or data.elsewhere) or iso.find("files") is not None:
        findings += payload_findings(iso, data, expected, now)
    return findings, data.elsewhere
