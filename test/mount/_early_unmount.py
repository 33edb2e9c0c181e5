"""Unmounts a path as soon as something is mounted there: before it is served.

usage: _early_unmount.py PATH
"""
import ctypes
import sys

path = sys.argv[1]
EBUSY = 16
libc = ctypes.CDLL(None, use_errno=True)
while True:
    with open("/proc/self/mountinfo") as mounts:
        if any(line.split(" ")[4] == path for line in mounts):
            break
# mount(2) itself still uses the mount for a moment.
while libc.umount2(path.encode(), 0) != 0:
    if ctypes.get_errno() != EBUSY:
        sys.exit(1)
