"""Find the directories of the session's lab and of its results.

The command line names the lab.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

LAB_FILE = "lab.yaml"
_SCENARIOS = "scenarios"


def lab_directory(config: pytest.Config) -> Path | None:
    """Return the directory of the lab; None where the session has none.

    That is the first directory with a `lab.yaml` at or above a path of the command line, or `scenarios` in that path.
    With `--lab`, it is the directory of the first path. pytest's rootdir plays no part: a word on the command line
    that is a path, such as the value of `--vmrun`, moves it.
    """
    paths = list(_paths(config))
    for path in paths:
        found = nearest_lab(path)
        if found is None and (path / _SCENARIOS / LAB_FILE).is_file():
            found = path / _SCENARIOS
        if found is not None:
            return found
    if config.option.lab is None or not paths:
        return None
    return paths[0] if paths[0].is_dir() else paths[0].parent


def nearest_lab(path: Path) -> Path | None:
    """Return the nearest directory with a `lab.yaml`, at or above a path."""
    return next((folder for folder in (path, *path.parents) if (folder / LAB_FILE).is_file()), None)


def results_directory(directory: Path) -> Path:
    """Return where runs of a lab leave their results by default.

    That is `reports` beside the directory `scenarios`; in the lab's directory if it has another name.
    """
    return (directory.parent if directory.name == _SCENARIOS else directory) / "reports"


def _paths(config: pytest.Config) -> Iterator[Path]:
    for word in config.args:
        yield (config.invocation_params.dir / word.split("::", 1)[0]).resolve()
