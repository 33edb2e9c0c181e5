"""Looks a file up, name by name, while its directory and a symbolic link to
another directory swap names on the host.

usage: _race_client.py HOST MOUNT SECONDS

HOST has the directories "inside" and "outside", each with a file "file" that
holds its directory's name, and the symbolic link "link" to "outside". Prints how
often the file was read, and fails if it was ever another one.
"""

import ctypes
import os
import sys
import time

AT_FDCWD = -100
RENAME_EXCHANGE = 2
libc = ctypes.CDLL(None, use_errno=True)
host, mount, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
end = time.monotonic() + seconds

if os.fork() == 0:
    inside = f"{host}/inside".encode()
    link = f"{host}/link".encode()
    swaps = 0
    while time.monotonic() < end or swaps % 2 == 1:
        libc.renameat2(AT_FDCWD, inside, AT_FDCWD, link, RENAME_EXCHANGE)
        swaps += 1
    os._exit(0)

root = os.open(mount, os.O_RDONLY | os.O_DIRECTORY)
read = refused = 0
while time.monotonic() < end:
    try:
        # The client follows no link, so only the server could.
        flags = os.O_RDONLY | os.O_NOFOLLOW
        directory = os.open("inside", flags | os.O_DIRECTORY, dir_fd=root)
    except OSError:
        refused += 1
        continue
    try:
        file = os.open("file", flags, dir_fd=directory)
        text = os.read(file, 100)
        os.close(file)
        if text != b"inside\n":
            sys.exit(f"read {text!r}")
        read += 1
    except OSError:
        refused += 1
    finally:
        os.close(directory)
os.wait()
print(f"read {read} refused {refused}")
if read == 0 or refused == 0:
    sys.exit("the race was not run")
