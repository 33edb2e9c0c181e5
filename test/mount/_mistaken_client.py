"""Makes calls that meet a handler's mistakes, and prints how they end.

client.py: for each line "REQUEST PATH" of its standard input, prints the errno,
0 without one, and the milliseconds that the call took.
client.py PATH: reads a right file until its standard input ends, then prints
how often that succeeded, and what else it saw.
"""
import os
import select
import sys
import time


def read(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.pread(fd, 512, 0)
    finally:
        os.close(fd)


def write(path):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, b"1234")
    finally:
        os.close(fd)


def seek(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.lseek(fd, 0, os.SEEK_DATA)
    finally:
        os.close(fd)


CALLS = {
    "READ": read,
    "WRITE": write,
    "LSEEK": seek,
    "GETATTR": os.stat,
    "LOOKUP": os.stat,
    "OPEN": lambda path: os.close(os.open(path, os.O_RDONLY)),
    "MKDIR": os.mkdir,
    "READDIR": os.listdir,
    "READLINK": os.readlink,
    "LISTXATTR": os.listxattr,
}

def call(request, path):
    start = time.monotonic()
    errno = 0
    try:
        CALLS[request](path)
    except OSError as error:
        errno = error.errno
    print(errno, round((time.monotonic() - start) * 1000), flush=True)


def loop(path):
    good, bad = 0, set()
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        try:
            data = read(path)
            if data == b"\x52" * 512:
                good += 1
            else:
                bad.add("other bytes")
        except OSError as error:
            bad.add(error.strerror)
    print(good, ",".join(bad) or "-", flush=True)


if len(sys.argv) > 1:
    loop(sys.argv[1])
else:
    for line in sys.stdin:
        call(*line.rstrip("\n").split(" ", 1))
