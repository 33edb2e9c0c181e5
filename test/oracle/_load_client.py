"""Changes a file by several threads at the same time, at random, and a model of
it in memory: prints how many operations of each kind succeeded, as JSON.

usage: _load_client.py FILE MODEL SEED OPERATIONS CLUSTER-SIZE

MODEL has the bytes of FILE, before and afterwards. Ranges that are under way at
the same time do not overlap, but share clusters. Fails if no operation ends for
two minutes, in which other load may have the CPU, and tells which were under way.
"""
import ctypes
import errno
import json
import os
import random
import sys
import threading

THREADS = 6
STUCK_S = 120
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
libc = ctypes.CDLL(None, use_errno=True)

path, model_path, seed, operations, cluster = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
model = bytearray(open(model_path, "rb").read())
size = len(model)
lock = threading.Condition()
busy = {}
left = operations
counts = {}
failures = []


def fallocate(fd, mode, offset, length):
    args = [ctypes.c_int64(offset), ctypes.c_int64(length)]
    if libc.fallocate(fd, mode | KEEP_SIZE, *args) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


def take(chance):
    """A range at random, which no other thread gets until it is returned."""
    while True:
        unit = chance.choice([1, 512, 4096, cluster])
        at = chance.randrange((size + unit - 1) // unit) * unit
        most = min(size - at, chance.choice([unit, 10_000, 300_000, 3 * cluster]))
        wanted = (at, at + chance.randint(1, most))
        with lock:
            if all(wanted[1] <= start or end <= wanted[0] for start, end in busy):
                busy[wanted] = "?"
                return wanted


def whole(call, length):
    done = 0
    while done < length:
        count = call(done)
        if count == 0:
            raise OSError(errno.EIO, "no progress")
        done += count


def read(fd, start, end):
    got = bytearray()
    while len(got) < end - start:
        part = os.pread(fd, end - start - len(got), start + len(got))
        if not part:
            raise OSError(errno.EIO, "the end before the end")
        got += part
    wanted = model[start:end]
    if got != wanted:
        at = next(i for i in range(len(got)) if got[i] != wanted[i])
        raise AssertionError("byte %d is %d, not %d" % (start + at, got[at], wanted[at]))


def write(fd, start, end, data):
    whole(lambda done: os.pwrite(fd, data[done:], start + done), end - start)
    model[start:end] = data


def free(fd, start, end, mode):
    fallocate(fd, mode, start, end - start)
    model[start:end] = bytes(end - start)


def step(fd, chance):
    start, end = wanted = take(chance)
    kind = chance.choices(
        ["write", "read", "punch", "zero", "zeroes", "allocate", "sync"],
        [40, 20, 12, 8, 6, 3, 11],
    )[0]
    busy[wanted] = kind
    try:
        if kind == "write":
            write(fd, start, end, chance.randbytes(end - start))
        elif kind == "zeroes":
            write(fd, start, end, bytes(end - start))
        elif kind == "read":
            read(fd, start, end)
        elif kind == "punch":
            free(fd, start, end, PUNCH_HOLE)
        elif kind == "zero":
            free(fd, start, end, ZERO_RANGE)
        elif kind == "allocate":
            fallocate(fd, 0, start, end - start)
        else:
            chance.choice([os.fsync, os.fdatasync])(fd)
        if chance.random() < 0.2:
            read(fd, start, end)
    except OSError as error:
        # Images of version 2 cannot free what an image below has.
        if error.errno != errno.EOPNOTSUPP or kind not in ("punch", "allocate"):
            raise
        kind = "refused"
    with lock:
        del busy[wanted]
        counts[kind] = counts.get(kind, 0) + 1


def work(me):
    global left
    chance = random.Random(seed * THREADS + me)
    fd = os.open(path, os.O_RDWR)
    try:
        while not failures:
            with lock:
                if left == 0:
                    return
                left -= 1
            step(fd, chance)
    except BaseException as error:
        failures.append("%s: %s" % (type(error).__name__, error))
    finally:
        os.close(fd)


threads = [threading.Thread(target=work, args=[me]) for me in range(THREADS)]
for thread in threads:
    thread.start()
# Seconds are counted, because a clock goes on while processes are stopped.
last, waited = None, 0
for thread in threads:
    while thread.is_alive():
        thread.join(1)
        if left != last or not thread.is_alive():
            last, waited = left, 0
        waited += 1
        if waited > STUCK_S:
            print("no operation ends:", busy, file=sys.stderr, flush=True)
            os._exit(1)
with open(model_path, "wb") as file:
    file.write(model)
if failures:
    sys.exit("; ".join(failures))
print(json.dumps(counts))
