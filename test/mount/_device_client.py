"""Uses files that act as devices; fails with a sentence.

usage: _device_client.py MOUNTPOINT
"""
import fcntl
import os
import select
import subprocess
import sys
import threading
import time

mountpoint = sys.argv[1]


def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got!r} instead of {wanted!r}")


# poll(2): ready at once, in vain, and woken by a write of another thread.
fd = os.open(f"{mountpoint}/pipe", os.O_RDWR)
poll = select.poll()
poll.register(fd, select.POLLIN)
check("poll of nothing", poll.poll(100), [])
poll.modify(fd, select.POLLIN | select.POLLOUT)
check("poll for writing", poll.poll(1000), [(fd, select.POLLOUT)])
poll.modify(fd, select.POLLIN)


def write():
    time.sleep(0.3)
    subprocess.run(["dd", f"of={mountpoint}/pipe", "status=none"], input=b"hello")


thread = threading.Thread(target=write)
thread.start()
check("poll that is woken", poll.poll(20_000), [(fd, select.POLLIN)])
thread.join()
check("what woke it", os.read(fd, 100), b"hello")

# ioctl(2): _IOWR('m', 1, char[4]).
command = 3 << 30 | 4 << 16 | ord("m") << 8 | 1
check("ioctl", fcntl.ioctl(fd, command, b"abcd"), b"dcba")
for unknown in (command + 1, 0x5402):
    try:
        fcntl.ioctl(fd, unknown, b"abcd")
        sys.exit("an unknown ioctl succeeded")
    except OSError as error:
        check("an unknown ioctl", error.strerror, "Inappropriate ioctl for device")

# Supplementary groups.
os.setgroups([3, 70_000])
check("groups", open(f"{mountpoint}/groups").read(), "3,70000")

# A request that takes too long.
begin = time.monotonic()
try:
    os.read(os.open(f"{mountpoint}/late", os.O_RDONLY), 10)
    sys.exit("the late read succeeded")
except OSError as error:
    check("a late read", error.strerror, "Connection timed out")
check("in time", time.monotonic() - begin < 20, True)

# The file system checks permissions by itself.
check("root", os.access(f"{mountpoint}/secret", os.R_OK), True)
if os.fork() == 0:
    os.setresuid(65534, 65534, 65534)
    check("access(2)", os.access(f"{mountpoint}/secret", os.R_OK), False)
    try:
        open(f"{mountpoint}/secret")
        sys.exit("another user opened it")
    except PermissionError:
        os._exit(0)
check("another user", os.wait()[1], 0)
