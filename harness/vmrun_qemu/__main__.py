"""`python -m harness.vmrun_qemu` is `vmrun-qemu`."""

import sys

from harness.vmrun_qemu.main import main

sys.exit(main())
