"""Writes a block to a file with O_DIRECT, then turns that off and appends less than
a block, as dd(1) does for a last short one. Prints the error of that, if there is
one. Arguments: FILE."""

import errno
import fcntl
import mmap
import os
import sys

fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o644)
block = mmap.mmap(-1, 4096)
block.write(b"a" * 4096)
os.pwrite(fd, block, 0)
flags = fcntl.fcntl(fd, fcntl.F_GETFL)
fcntl.fcntl(fd, fcntl.F_SETFL, flags & ~os.O_DIRECT)
try:
    os.pwrite(fd, b"end", 4096)
except OSError as error:
    print(errno.errorcode[error.errno])
