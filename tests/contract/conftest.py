"""Options, benches and summary of `pytest tests/contract`.

All of it is in `vmrun_contract/plugin.py`.
"""

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
