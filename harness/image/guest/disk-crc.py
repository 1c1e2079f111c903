"""Print the CRC-32 of what the installer wrote: `python3 disk-crc.py DISK < disk.map`.

Each line of the map is `seek skip count` in MiB. A SHA-256 would cost an emulated processor ten times as much.
"""

import mmap
import os
import sys
import zlib

MIB = 1 << 20
disk = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
block = memoryview(mmap.mmap(-1, 4 * MIB))
crc = 0
for line in sys.stdin:
    seek, _, count = (int(word) * MIB for word in line.split())
    for offset in range(seek, seek + count, len(block)):
        part = block[: min(len(block), seek + count - offset)]
        if os.preadv(disk, [part], offset) != len(part):
            sys.exit(f"the disk ends before byte {offset + len(part)}")
        crc = zlib.crc32(part, crc)
sys.stdout.write(f"{crc}\n")
