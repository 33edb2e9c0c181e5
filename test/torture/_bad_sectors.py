"""Reads a file or block device in many ways; prints what each way lost.

usage: _bad_sectors.py PATH SIZE
Each line is JSON: [way, [[position, result], ...]]. A result is a negated
errno, or the bytes of a short count. "zeroes" is a page that reads as zeroes.
"""
import ctypes
import errno
import json
import mmap
import os
import struct
import sys
import tempfile

path, size = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
IO_SETUP, IO_GETEVENTS, IO_SUBMIT = 206, 208, 209
PAGE = 4096
SECTOR = 512


def pread(fd, memory, at):
    try:
        return os.preadv(fd, [memory], at)
    except OSError as error:
        return -error.errno


def by_pread(step, flags):
    fd = os.open(path, os.O_RDONLY | flags)
    memory = mmap.mmap(-1, step)
    lost = []
    for at in range(0, size, step):
        memory[:] = bytes(step)
        count = pread(fd, memory, at)
        if count != step:
            lost.append([at, count])
        elif memory[:] == bytes(step):
            lost.append([at, "zeroes"])
    return lost


def by_mmap():
    """The kernel reads the mapping, so that a bad page is EFAULT, no signal."""
    fd = os.open(path, os.O_RDONLY)
    view = memoryview(mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ))
    lost = []
    with tempfile.TemporaryFile() as copy:
        for at in range(0, size, PAGE):
            try:
                os.pwrite(copy.fileno(), view[at:at + PAGE], 0)
            except OSError as error:
                lost.append([at, -error.errno])
                continue
            if os.pread(copy.fileno(), PAGE, 0) == bytes(PAGE):
                lost.append([at, "zeroes"])
    return lost


def by_sendfile():
    fd = os.open(path, os.O_RDONLY)
    lost, at = [], 0
    with tempfile.TemporaryFile() as copy:
        while at < size:
            try:
                count = os.sendfile(copy.fileno(), fd, at, size - at)
            except OSError as error:
                lost.append([at, -error.errno])
                at = (at // PAGE + 1) * PAGE
                continue
            if count == 0:
                lost.append([at, 0])
                break
            at += count
    return lost


def by_rescue(flags):
    """As ddrescue: large reads, then single sectors around an error."""
    fd = os.open(path, os.O_RDONLY | flags)
    large, small = mmap.mmap(-1, 65536), mmap.mmap(-1, SECTOR)
    lost, at = [], 0
    while at < size:
        count = pread(fd, large, at)
        if count > 0:
            at += count
            continue
        if count == 0:
            lost.append([at, 0])
            break
        end = min(size, at + len(large))
        for at in range(at, end, SECTOR):
            if pread(fd, small, at) != SECTOR:
                lost.append([at, -errno.EIO])
        at = end
    return lost


def by_aio(step):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    context = ctypes.c_ulong(0)
    assert libc.syscall(IO_SETUP, 16, ctypes.byref(context)) == 0
    lost = []
    for at in range(0, size, 8 * step):
        batch = range(at, min(size, at + 8 * step), step)
        memory = [mmap.mmap(-1, step) for _ in batch]
        control = [
            ctypes.create_string_buffer(struct.pack(
                "<QIIHhIQQqQII", place, 0, 0, 0, 0, fd,
                ctypes.addressof(ctypes.c_char.from_buffer(part)), step, place,
                0, 0, 0), 64)
            for place, part in zip(batch, memory)
        ]
        count = len(control)
        pointers = (ctypes.c_void_p * count)(*map(ctypes.addressof, control))
        assert libc.syscall(IO_SUBMIT, context, count, pointers) == count
        events = ctypes.create_string_buffer(32 * count)
        got = libc.syscall(IO_GETEVENTS, context, count, count, events, None)
        assert got == count
        results = [struct.unpack_from("<QQqq", events, 32 * i) for i in range(got)]
        lost += [[place, result] for place, _, result, _ in sorted(results)
                 if result != step]
    return lost


def report(way, lost):
    print(json.dumps([way, lost]))


report("mmap", by_mmap())
report("sendfile", by_sendfile())
for step in (PAGE, 65536, 1 << 20):
    report(f"pread {step}", by_pread(step, 0))
    report(f"direct pread {step}", by_pread(step, os.O_DIRECT))
for step in (PAGE, 65536, 1 << 20):
    report(f"direct libaio {step}", by_aio(step))
report("rescue", by_rescue(0))
report("direct rescue", by_rescue(os.O_DIRECT))
