"""`vdiskmanager-qemu`: a work-alike of `vmware-vdiskmanager` on `qemu-img`.

One operation per call, with VMware's options: `-c` create, `-r` convert, `-x` expand, `-n` rename, `-e` and `-R` check,
`-U` delete; `-d` defragment, `-k` shrink, `-p` prepare for shrinking and `-D` make deletable have nothing to do here,
and report that. Failures are one line on standard output and the status 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.vmrun_qemu.base.messages import Failure, of_os_error, print_line
from harness.vmrun_qemu.disks import chains, images
from harness.vmrun_qemu.disks.qemu_img import INVALID, NOT_FOUND, DiskError
from harness.vmware.vmdk_descriptor import VmdkError

EXIT_FAILURE = 1
_OPERATIONS = "crxndkeUpRD"
_ADAPTERS = {"ide": "ide", "buslogic": "buslogic", "lsilogic": "lsilogic", "nvme": "lsilogic"}
_UNITS = {"": 512, "b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40}
# Packer passes `40960M`; the letter alone is the unit, too.
_UNITS |= {unit[0]: size for unit, size in _UNITS.items() if len(unit) == 2}
_SIZE = re.compile(r"^(\d+)([a-z]*)$", re.IGNORECASE)
_MIB, _GIB = 1 << 20, 1 << 30

USAGE = """\
VMware Virtual Disk Manager, work-alike on qemu-img.
Usage: vmware-vdiskmanager OPTIONS <disk-name> | <mount-point>
Offline disk manipulation utility
  Operations, only one may be specified at a time:
     -c                   : create disk.  Additional creation options must
                            be specified.  Only local virtual disks can be
                            created.
     -d                   : defragment the specified virtual disk (nothing to do).
     -k                   : shrink the specified virtual disk (nothing to do).
     -n <source-disk>     : rename the specified virtual disk; need to
                            specify destination disk-name.
     -r <source-disk>     : convert the specified disk; need to specify
                            destination disk-type.
     -x <new-capacity>    : expand the disk to the specified capacity.
     -R                   : check a sparse virtual disk for consistency.
     -e                   : check for disk chain consistency.
     -p <mount-point>     : prepare the mounted virtual disk for shrink (nothing to do).
     -D                   : make disk deletable (nothing to do).
     -U                   : delete the disk with all its files.

  Other Options:
     -q                   : do not log messages

  Additional options for create and convert:
     -a <adapter>         : (for use with -c only) adapter type (ide, buslogic, lsilogic).
     -s <size>            : capacity of the virtual disk: sectors, or with K, M, G, KB, MB, GB
     -t <disk-type>       : disk type id

  Disk types:
      0                   : single growable virtual disk
      1                   : growable virtual disk split into multiple files
      2                   : preallocated virtual disk
      3                   : preallocated virtual disk split into multiple files
      5                   : compressed disk optimized for streaming
"""


class UsageProblem(Exception):
    """The command line is invalid; the usage text is printed."""


@dataclass
class CommandLine:
    """A parsed command line."""

    operation: str = ""
    argument: str = ""
    size: str = ""
    adapter: str = "lsilogic"
    kind: str = ""
    quiet: bool = False
    names: list[str] = field(default_factory=list)

    def report(self, text: str) -> None:
        """Print a message, unless `-q` is given."""
        if not self.quiet:
            print_line(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 1 on failure."""
    try:
        line = parse(list(sys.argv[1:] if argv is None else argv))
        return _ACTIONS[line.operation](line)
    except UsageProblem as problem:
        if str(problem):
            print_line(str(problem))
        print_line(USAGE)
    except (DiskError, Failure, VmdkError) as error:
        print_line(str(error))
    except OSError as error:
        print_line(of_os_error(error))
    return EXIT_FAILURE


def parse(arguments: list[str]) -> CommandLine:
    """Parse a command line.

    Raises:
        UsageProblem: It is invalid.
    """
    line = CommandLine()
    takes = {"-s": "size", "-a": "adapter", "-t": "kind", "-x": "argument", "-r": "argument", "-n": "argument"}
    while arguments:
        argument = arguments.pop(0)
        if argument == "-q":
            line.quiet = True
        elif argument in takes:
            if not arguments:
                raise UsageProblem(f"Option {argument} needs a value.")
            setattr(line, takes[argument], arguments.pop(0))
        elif argument.startswith("-") and argument[1:] not in _OPERATIONS:
            raise UsageProblem(f"Invalid option {argument}.")
        elif not argument.startswith("-"):
            line.names.append(argument)
        if argument.startswith("-") and argument[1:] in _OPERATIONS:
            if line.operation:
                raise UsageProblem("Only one operation may be specified at a time.")
            line.operation = argument[1:]
    if line.operation not in _ACTIONS or len(line.names) != 1:
        raise UsageProblem
    return line


def parse_size(text: str) -> int:
    """Parse a size such as `40GB`, or sectors; return bytes.

    Return -1 for text that is no size, and for a size that no disk can have.
    """
    match = _SIZE.match(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        return -1
    size = int(match[1]) * unit
    return size if _MIB <= size <= 8192 * _GIB else -1


def _create(line: CommandLine) -> int:
    size, adapter = parse_size(line.size), _ADAPTERS.get(line.adapter.lower(), "")
    failure = "Failed to create disk: "
    if line.kind not in images.SUBFORMATS or not adapter or size < 0:
        raise DiskError(failure + INVALID)
    if adapter == "buslogic" and size > 2040 * _GIB:
        raise DiskError(failure + INVALID)
    target = Path(line.names[0])
    images.require_place(target, failure)
    line.report(f"Creating disk '{target}'")
    images.create(target, size, images.SUBFORMATS[line.kind], adapter, failure)
    line.report("Virtual disk creation successful.")
    return 0


def _convert(line: CommandLine) -> int:
    source, target = Path(line.argument), Path(line.names[0])
    failure = "Failed to convert disk: "
    if line.kind not in images.SUBFORMATS:
        raise DiskError(failure + INVALID)
    images.require_disk(source, failure)
    images.require_place(target, failure)
    line.report(f"Creating disk '{target}'")
    images.convert(source, target, images.SUBFORMATS[line.kind], failure)
    line.report("  Convert: 100% done.")
    line.report("Virtual disk conversion successful.")
    return 0


def _expand(line: CommandLine) -> int:
    disk = Path(line.names[0])
    images.expand(disk, parse_size(line.argument), f"Failed to expand the disk '{disk}': ")
    line.report("  Grow: 100% done.")
    line.report("Disk expansion completed successfully.")
    line.report("")
    line.report("WARNING: If the virtual disk is partitioned, you must use a third-party")
    line.report("         utility in the virtual machine to expand the size of the")
    line.report("         partitions. For more information, see:")
    line.report("         http://www.vmware.com/support/kb/enduser/std_adp.php?p_faqid=1647")
    return 0


def _rename(line: CommandLine) -> int:
    images.rename(Path(line.argument), Path(line.names[0]), "Failed to rename disk: ")
    line.report("  Rename: 100% done.")
    line.report("Disk rename completed successfully.")
    return 0


def _check(line: CommandLine) -> int:
    failure = "Failed to check disk chain: "
    disk = Path(line.names[0])
    images.require_disk(disk, failure)
    chains.check_chain(disk, failure)
    images.check(disk, failure)
    line.report("Disk chain is consistent.")
    return 0


def _repair(line: CommandLine) -> int:
    disk = Path(line.names[0])
    failure = "Failed to repair disk: "
    images.require_free(disk, failure)
    images.check(disk, f"{failure}The virtual disk, '{disk}', is corrupted and cannot be repaired: ")
    line.report(f"No errors were found on the virtual disk, '{disk}'.")
    return 0


def _nothing(verb: str, done: str, *, on_disk: bool = True) -> Callable[[CommandLine], int]:
    def act(line: CommandLine) -> int:
        target, failure = Path(line.names[0]), f"Failed to {verb} disk: "
        if on_disk:
            images.require_free(target, failure)
        elif not target.is_dir():
            raise DiskError(failure + NOT_FOUND)
        line.report(f"{done} completed successfully. (There was nothing to do.)")
        return 0

    return act


def _delete(line: CommandLine) -> int:
    images.delete(Path(line.names[0]), "Failed to delete disk: ")
    return 0


_ACTIONS: dict[str, Callable[[CommandLine], int]] = {
    "c": _create,
    "r": _convert,
    "x": _expand,
    "n": _rename,
    "e": _check,
    "U": _delete,
    "d": _nothing("defragment", "Defragmentation"),
    "k": _nothing("shrink", "Shrink"),
    "p": _nothing("prepare", "Preparation", on_disk=False),
    "D": _nothing("make deletable", "Making the disk deletable"),
    "R": _repair,
}

if __name__ == "__main__":
    sys.exit(main())
