"""Unmounts a path as soon as something is mounted there: before it is served.

usage: _early_unmount.py PATH
"""
import ctypes
import sys

path = sys.argv[1]
libc = ctypes.CDLL(None)
while True:
    with open("/proc/self/mountinfo") as mounts:
        if any(line.split(" ")[4] == path for line in mounts):
            break
sys.exit(libc.umount2(path.encode(), 0))
