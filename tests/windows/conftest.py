"""Tests of what only Windows has.

`.ci/windows_tests.py` runs them under wine.
"""

from __future__ import annotations

import sys
from pathlib import Path

for _shared in ("", "report"):
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / _shared))

collect_ignore_glob = [] if sys.platform == "win32" else ["test_*.py"]
