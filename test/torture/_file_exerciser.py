"""Changes a file at random and compares it with what it should be, as fsx does.

usage: _file_exerciser.py FILE SEED OPERATIONS
"""
import mmap
import os
import random
import sys

path, seed, operations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
SIZE_MAX = 256 * 1024
PIECE_MAX = 32 * 1024
chance = random.Random(seed)
expected = bytearray()
fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
counts = {}


def compare(what, offset, got):
    wanted = bytes(expected[offset : offset + len(got)])
    if got != wanted:
        at = next(i for i in range(len(got)) if got[i : i + 1] != wanted[i : i + 1])
        sys.exit(f"{what}: operation {i}, seed {seed}: byte {offset + at} is wrong")


def piece(size):
    offset = chance.randrange(size)
    return offset, min(chance.randrange(PIECE_MAX) + 1, size - offset)


def put(offset, data):
    end = offset + len(data)
    if end > len(expected):
        expected.extend(bytes(end - len(expected)))
    expected[offset:end] = data


def write():
    offset, length = piece(SIZE_MAX)
    data = chance.randbytes(length)
    os.pwrite(fd, data, offset)
    put(offset, data)


def read():
    offset, length = piece(SIZE_MAX)
    got = os.pread(fd, length, offset)
    if len(got) != max(0, min(length, len(expected) - offset)):
        sys.exit(f"read: operation {i}, seed {seed}: {len(got)} bytes at {offset}")
    compare("read", offset, got)


def truncate():
    size = chance.randrange(SIZE_MAX)
    os.ftruncate(fd, size)
    if size < len(expected):
        del expected[size:]
    else:
        expected.extend(bytes(size - len(expected)))


def map_and(change):
    if len(expected) == 0:
        return
    offset, length = piece(len(expected))
    with mmap.mmap(fd, len(expected)) as mapped:
        if change:
            data = chance.randbytes(length)
            mapped[offset : offset + length] = data
            put(offset, data)
            if chance.random() < 0.3:
                mapped.flush()
        else:
            compare("mapping", offset, mapped[offset : offset + length])


def again():
    """Closes the file, so that it is opened anew, and drops its pages."""
    global fd
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    if os.fstat(fd).st_size != len(expected):
        sys.exit(f"size: operation {i}, seed {seed}: {os.fstat(fd).st_size}")
    os.close(fd)
    fd = os.open(path, os.O_RDWR)


calls = {
    "write": (write, 30),
    "read": (read, 30),
    "truncate": (truncate, 8),
    "mapped write": (lambda: map_and(True), 15),
    "mapped read": (lambda: map_and(False), 15),
    "again": (again, 2),
}
names = list(calls)
weights = [weight for _, weight in calls.values()]
for i in range(operations):
    (name,) = chance.choices(names, weights)
    calls[name][0]()
    counts[name] = counts.get(name, 0) + 1
again()
compare("the end", 0, os.pread(fd, SIZE_MAX, 0))
print(counts)
