"""Calls on a file of 128 KiB at its end and at enormous offsets: one line each.

Arguments: "seek" or "change", the path.
"""
import ctypes
import errno
import os
import sys

SIZE = 1 << 17
FAR = [2**53 - 256, 2**53 - 1, 2**53, 2**62, 2**63 - 4096, 2**63 - 1]
MODES = {"allocate": 0, "keep": 1, "punch": 3, "zero": 16}
libc = ctypes.CDLL(None, use_errno=True)


def fallocate(fd, mode, offset, length):
    args = [ctypes.c_int64(offset), ctypes.c_int64(length)]
    if libc.fallocate(fd, mode, *args) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")
    return 0


def tell(name, call):
    try:
        result = call()
    except OSError as error:
        result = errno.errorcode[error.errno]
    print(name, result, flush=True)


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
