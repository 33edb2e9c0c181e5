#!/usr/bin/env python3
"""Runs a program that the kernel gives no io_uring, as containers do.

usage: _without_io_uring.py PROGRAM [ARGUMENTS]
"""
import ctypes
import os
import struct
import sys

# The same on every architecture: include/uapi/asm-generic/unistd.h.
IO_URING_SETUP = 425
EPERM = 1

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SECCOMP_MODE_FILTER = 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06

FILTER = b"".join(struct.pack("HBBI", *line) for line in [
    (LOAD, 0, 0, 0),
    (JUMP_EQUAL, 0, 1, IO_URING_SETUP),
    (RETURN, 0, 0, ERRNO | EPERM),
    (RETURN, 0, 0, ALLOW),
])

libc = ctypes.CDLL(None, use_errno=True)
text = ctypes.create_string_buffer(FILTER)
program = struct.pack("HxxxxxxQ", len(FILTER) // 8, ctypes.addressof(text))
assert libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0) == 0
assert libc.prctl(
    PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), program, 0, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])
