"""Writes blocks of a part of a file, each once and in a random order, for some
seconds or until a call fails. Prints the blocks that an fsync has acknowledged,
and the error.

usage: _block_client.py PATH FIRST COUNT SEED SECONDS
"""
import errno, json, os, random, sys, time

BLOCK = 16384
path, first, count, seed, seconds = sys.argv[1], *map(int, sys.argv[2:])
end = time.monotonic() + seconds
blocks = list(range(first, first + count))
random.Random(seed).shuffle(blocks)
kept, written, failure = [], [], ""
fd = os.open(path, os.O_RDWR)
try:
    for block in blocks:
        if time.monotonic() > end:
            break
        data = (block + 1).to_bytes(4, "little") * (BLOCK // 4)
        if os.pwrite(fd, data, block * BLOCK) != BLOCK:
            raise OSError(errno.EIO, "short")
        written.append(block)
        if len(written) == 8:
            os.fsync(fd)
            kept += written
            written = []
except OSError as error:
    failure = errno.errorcode[error.errno]
print(json.dumps({"kept": kept, "failure": failure}))
