"""Changes a file in each way, as another user or as root, and prints the mode
that is left: MODE HOW RESULT MODE. Arguments: FILE SOURCE UID GID."""

import mmap
import os
import sys

# No __pycache__ among the sources.
sys.dont_write_bytecode = True
from _calls import KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE, fallocate, result_of

FILE, SOURCE = sys.argv[1:3]
UID, GID = map(int, sys.argv[3:5])


def opened(flags, use):
    fd = os.open(FILE, os.O_RDWR | flags)
    try:
        return use(fd)
    finally:
        os.close(fd)


def allocate(mode):
    return lambda: opened(0, lambda fd: fallocate(fd, mode, 0, 4096))


def write_aligned(fd):
    os.writev(fd, [mmap.mmap(-1, 4096)])


def write_mapped(fd):
    with mmap.mmap(fd, 4096) as memory:
        memory[0] = 1
        memory.flush()


def send(fd):
    source = os.open(SOURCE, os.O_RDONLY)
    os.sendfile(fd, source, 0, 100)
    os.close(source)


def splice(fd):
    reader, writer = os.pipe()
    os.write(writer, b"abc")
    os.splice(reader, fd, 3)
    os.close(reader)
    os.close(writer)


WRITES = {
    "write": lambda: opened(0, lambda fd: os.write(fd, b"x")),
    "write-nothing": lambda: opened(0, lambda fd: os.write(fd, b"")),
    "write-direct": lambda: opened(os.O_DIRECT, write_aligned),
    "write-durable": lambda: opened(os.O_DSYNC, lambda fd: os.write(fd, b"x")),
    "write-mapped": lambda: opened(0, write_mapped),
    "sendfile": lambda: opened(0, send),
    "splice": lambda: opened(0, splice),
    "read": lambda: opened(0, lambda fd: os.read(fd, 10)),
    "touch": lambda: os.utime(FILE),
}
OTHERS = {
    "truncate": lambda: os.truncate(FILE, 65536),
    "ftruncate": lambda: opened(0, lambda fd: os.ftruncate(fd, 65536)),
    "open-truncate": lambda: opened(os.O_TRUNC, lambda fd: None),
    "punch": allocate(PUNCH_HOLE | KEEP_SIZE),
    "zero": allocate(ZERO_RANGE | KEEP_SIZE),
}


def mode():
    return os.stat(FILE).st_mode & 0o7777


def try_as_user(how):
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(GID, GID, GID)
        os.setresuid(UID, UID, UID)
        result = result_of(how)
        print(result if isinstance(result, str) else "ok", end=" ", flush=True)
        os._exit(0)
    os.waitpid(pid, 0)


os.truncate(FILE, 65536)
for bits in (0o6777, 0o4666, 0o2767, 0o1777):
    # The kernel itself keeps set-group-id without execution on a FUSE file, if
    # not a WRITE would clear it.
    ways = WRITES if bits == 0o2767 else {**WRITES, **OTHERS}
    for name, how in ways.items():
        os.chmod(FILE, bits)
        print(f"{bits:o} {name}", end=" ", flush=True)
        try_as_user(how)
        print(f"{mode():o}", flush=True)
    for name, owner in (("chown", (1234, -1)), ("chgrp", (-1, 4321))):
        os.chmod(FILE, bits)
        os.chown(FILE, *owner)
        print(f"{bits:o} {name} ok {mode():o}")
    os.chown(FILE, 0, 0)
