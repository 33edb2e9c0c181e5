"""Changes a file by several threads, in blocks of 4 KiB, until it fails.

usage: _block_writer.py FILE BLOCKS WIDTH SEED NUMBER

A block has its own number and that of the change, or zeroes after change 0.
WIDTH blocks in a row belong to one thread. Prints "begun" early, and at the end
a line for each change in the order of each block: `block change` before it is
made, and `block change milliseconds` once fsync has acknowledged it.
"""
import ctypes
import os
import random
import struct
import sys
import threading
import time

BLOCK, THREADS = 4096, 4
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
libc = ctypes.CDLL(None, use_errno=True)
path, blocks, width, seed, number = sys.argv[1], *map(int, sys.argv[2:])
lock = threading.Lock()
flushes = 0


def content(block, change):
    return struct.pack("<IIQ", 0x6D717775, block, change) * (BLOCK // 16)


def fallocate(fd, mode, offset, length):
    args = [ctypes.c_int64(offset), ctypes.c_int64(length)]
    if libc.fallocate(fd, mode | KEEP_SIZE, *args) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


def pwrite(fd, data, position):
    while data:
        count = os.pwrite(fd, data, position)
        data, position = data[count:], position + count


def change(fd, chance, first, count, log):
    global number
    if chance.random() < 0.7:
        with lock:
            number += 1
            mine = number
        log += ["%d %d" % (first + i, mine) for i in range(count)]
        data = b"".join(content(first + i, mine) for i in range(count))
        pwrite(fd, data, first * BLOCK)
        return mine
    log += ["%d 0" % (first + i) for i in range(count)]
    mode = chance.choice([PUNCH_HOLE, ZERO_RANGE])
    fallocate(fd, mode, first * BLOCK, count * BLOCK)
    return 0


def work(me, log):
    global flushes
    chance = random.Random(seed * THREADS + me)
    fd = os.open(path, os.O_RDWR)
    unsynced = []
    units = blocks // width // THREADS
    try:
        while True:
            start = (chance.randrange(units) * THREADS + me) * width
            from_ = chance.choice([0, chance.randrange(width)])
            most = chance.choice([1, min(16, width - from_), width - from_])
            count = chance.randint(1, most)
            mine = change(fd, chance, start + from_, count, log)
            unsynced += [(start + from_ + i, mine) for i in range(count)]
            if chance.random() < 0.15:
                chance.choice([os.fsync, os.fdatasync])(fd)
                now = int(time.time() * 1000)
                log += ["%d %d %d" % (*each, now) for each in unsynced]
                unsynced = []
                with lock:
                    flushes += 1
                    if flushes == 4:
                        print("begun", flush=True)
    except OSError:
        pass


logs = [[] for _ in range(THREADS)]
threads = [threading.Thread(target=work, args=[me, logs[me]]) for me in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("\n".join("\n".join(log) for log in logs), flush=True)
os._exit(0)
