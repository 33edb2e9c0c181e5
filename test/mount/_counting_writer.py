"""Writes numbers from START on to blocks of a file, one after the other, until it
is killed.

Block n % COUNT gets the number n, so the blocks tell up to which number the file
has everything. The numbers that were written, and the one before that a write
was begun for, go to the file PROGRESS.

usage: _counting_writer.py PATH FIRST_BLOCK COUNT PROGRESS [START]
"""

import os
import struct
import sys

BLOCK = 4096

path, first, count, progress = sys.argv[1:5]
fd = os.open(path, os.O_RDWR)
told = os.open(progress, os.O_RDWR | os.O_CREAT, 0o600)
first, count = int(first), int(count)
number = int(sys.argv[5]) - 1 if len(sys.argv) > 5 else 0
while True:
    number += 1
    os.pwrite(told, struct.pack("<QQ", number - 1, number), 0)
    data = struct.pack("<Q", number) * (BLOCK // 8)
    at = (first + number % count) * BLOCK
    if os.pwrite(fd, data, at) != BLOCK:
        sys.exit("a short write")
