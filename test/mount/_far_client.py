"""Calls on a file of 128 KiB at its end and at enormous offsets: one line each.

Arguments: "seek" or "change", the path.
"""
import os
import sys

# No __pycache__ among the sources.
sys.dont_write_bytecode = True
from _calls import KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE, fallocate, tell

SIZE = 1 << 17
FAR = [2**53 - 256, 2**53 - 1, 2**53, 2**62, 2**63 - 4096, 2**63 - 1]
MODES = {
    "allocate": 0,
    "keep": KEEP_SIZE,
    "punch": PUNCH_HOLE | KEEP_SIZE,
    "zero": ZERO_RANGE,
}


def seek(fd):
    for whence in ["DATA", "HOLE"]:
        for offset in [0, SIZE - 1, SIZE, SIZE + 1, -1] + FAR:
            at = getattr(os, "SEEK_" + whence)
            tell(f"{whence} {offset}", lambda: os.lseek(fd, offset, at))


def change(fd):
    for offset in FAR:
        tell(f"read {offset}", lambda: os.pread(fd, 512, offset))
        tell(f"write {offset}", lambda: os.pwrite(fd, b"x" * 512, offset))
        tell(f"truncate {offset}", lambda: os.ftruncate(fd, offset))
        copy = lambda: os.copy_file_range(fd, fd, 512, 0, offset)
        tell(f"copy {offset}", copy)
        for name, mode in MODES.items():
            tell(f"{name} {offset}", lambda: fallocate(fd, mode, offset, 512))
    tell("size", lambda: os.fstat(fd).st_size)


what, path = sys.argv[1:]
file = os.open(path, os.O_RDWR if what == "change" else os.O_RDONLY)
{"seek": seek, "change": change}[what](file)
