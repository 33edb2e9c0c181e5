"""Writes around a position of a file in several ways, and prints what each
call returned: a number, or the name of an errno."""
import errno
import os
import sys
import ctypes

KIB = 1024
path, limit = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16


def fallocate(fd, mode, at, length):
    at, length = ctypes.c_int64(at), ctypes.c_int64(length)
    if libc.fallocate(fd, mode, at, length) < 0:
        raise OSError(ctypes.get_errno(), "fallocate")
    return 0


def tell(name, call):
    try:
        result = call()
    except OSError as error:
        result = errno.errorcode[error.errno]
    print(name, 0 if result is None else result)


fd = os.open(path, os.O_RDWR)
block = b"x" * (8 * KIB)
tell("write up to", lambda: os.pwrite(fd, block, limit - 8 * KIB))
tell("write across", lambda: os.pwrite(fd, block, limit - 4 * KIB))
tell("write an odd piece across", lambda: os.pwrite(fd, block, limit - 100))
tell("write at", lambda: os.pwrite(fd, block, limit))
tell("write beyond", lambda: os.pwrite(fd, block, limit + 64 * KIB))
tell("fsync", lambda: os.fsync(fd))
tell("size", lambda: os.fstat(fd).st_size)
tell("truncate to", lambda: os.ftruncate(fd, limit))
tell("truncate beyond", lambda: os.ftruncate(fd, limit + 1))
tell("allocate up to", lambda: fallocate(fd, 0, limit - KIB, KIB))
tell("allocate across", lambda: fallocate(fd, 0, limit - KIB, 2 * KIB))
tell("punch a hole across", lambda: fallocate(
    fd, KEEP_SIZE | PUNCH_HOLE, limit - 4 * KIB, 8 * KIB))
tell("size", lambda: os.fstat(fd).st_size)
os.close(fd)
