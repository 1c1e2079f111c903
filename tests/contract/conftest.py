"""`pytest tests/contract`: its options, benches and summary; all of it is in `vmrun_contract/plugin.py`."""

import pytest
from guest_lab import real_guest  # noqa: F401  (one guest for this suite and for the work-alike's own tests)
from vmrun_contract.plugin import (  # noqa: F401  (pytest finds them here)
    bench,
    guest,
    guest_house,
    hypervisor,
    mould,
    pytest_addoption,
    pytest_cmdline_main,
    pytest_configure,
    pytest_generate_tests,
    pytest_ignore_collect,
    pytest_runtest_makereport,
    pytest_terminal_summary,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of the one real guest together: under `pytest -n auto --dist loadgroup` it boots once."""
    for item in items:
        if "real_guest" in getattr(item, "fixturenames", ()) or item.get_closest_marker("guest"):
            item.add_marker(pytest.mark.xdist_group("real guest"))
