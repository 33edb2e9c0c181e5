"""Writes around a position of a file in several ways, and prints what each
call returned: a number, or the name of an errno."""
import os
import sys

# No __pycache__ among the sources.
sys.dont_write_bytecode = True
from _calls import KEEP_SIZE, PUNCH_HOLE, fallocate, tell

KIB = 1024
path, limit = sys.argv[1], int(sys.argv[2])


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
