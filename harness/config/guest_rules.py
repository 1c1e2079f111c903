"""Settings of a lab file that no guest can have.

Pure, but for the host's database of time zones.
"""

from __future__ import annotations

import difflib
import posixpath
import zoneinfo
from collections.abc import Iterator

from harness.config.model import LabSpec, SeedSource
from harness.config.path_rules import Broken

# Directories of a guest that a restart empties, or that are no files.
_EMPTIED = ("/run", "/var/run", "/tmp", "/dev", "/var/lock", "/proc", "/sys")  # noqa: S108  (of a guest)


def guest_problems(spec: LabSpec) -> Iterator[Broken]:
    """Yield the settings that no guest can have."""
    zone = spec.guest.timezone
    if not _is_known(zone):
        near = difflib.get_close_matches(zone, sorted(zoneinfo.available_timezones()), n=1)
        hint = f"; did you mean {near[0]}?" if near else "; write one as Asia/Seoul or UTC"
        yield ("guest", "timezone"), f"{zone} is no time zone{hint}"
    for name, path in spec.markers.model_dump().items():
        place = f"{posixpath.normpath(path)}/"
        emptied = next((folder for folder in _EMPTIED if place.startswith(f"{folder}/")), None)
        if emptied:
            text = f"a restart of the guest empties {emptied}, and the run looks for {path} afterwards"
            yield ("markers", name), f"{text}; write a path such as /var/lib/NAME"
    if spec.seeds.source is not SeedSource.PROVIDED and spec.guest.password_ssh:
        text = "no account of a seed that is built has a password to log in with; write false"
        yield ("guest", "password_ssh"), text


def _is_known(zone: str) -> bool:
    """Return whether the time zone exists; a host without a database knows none."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
        return not zoneinfo.available_timezones()
    return True
