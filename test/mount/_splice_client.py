"""Reads large ranges of a file while its image changes, for some seconds.

Arguments: the file, the image, "write" or "truncate", seconds. Each page of the
image holds one byte repeated: its number at first. "write" overwrites pages of
the image with other generations of it, "truncate" cuts the image off and
restores it. Prints the READs that gave bytes and those that failed, and exits
with 1 at the first byte that the file never had there.
"""
import os
import random
import sys
import threading
import time

PAGE = 4096
PAGES = 2048
SIZES = [4, 5, 16, 17, 32, 64, 128, 255]
file, image, what, seconds = sys.argv[1:5]
end = time.monotonic() + float(seconds)
counts = {"read": 0, "failed": 0}
wrong = []
chosen = random.Random(1)


def generation(page, number):
    return bytes([(page + 64 * number) % 251 + 1]) * PAGE


GENERATIONS = 3
KNOWN = [
    {generation(page, number)[0] for number in range(GENERATIONS)}
    for page in range(PAGES)
]


def check(page, data, cut):
    seen = set(data)
    allowed = KNOWN[page] | ({0} if cut else set())
    if not seen <= allowed:
        wrong.append(f"page {page} has {sorted(seen)}, not {sorted(allowed)}")


def read():
    fd = os.open(file, os.O_RDONLY)
    mine = random.Random(chosen.random())
    while time.monotonic() < end and not wrong:
        pages = mine.choice(SIZES)
        first = mine.randrange(PAGES - pages)
        try:
            data = os.pread(fd, pages * PAGE, first * PAGE)
        except OSError:
            counts["failed"] += 1
            continue
        counts["read"] += 1
        for i in range(0, len(data), PAGE):
            check(first + i // PAGE, data[i:i + PAGE], what == "truncate")
        if what == "write" and len(data) != pages * PAGE:
            wrong.append(f"{len(data)} bytes instead of {pages} pages")
    os.close(fd)


def change():
    fd = os.open(image, os.O_RDWR)
    mine = random.Random(2)
    number = 0
    while time.monotonic() < end and not wrong:
        number += 1
        if what == "write":
            page = mine.randrange(PAGES)
            data = generation(page, number % GENERATIONS)
            os.pwrite(fd, data, page * PAGE)
        else:
            os.ftruncate(fd, mine.randrange(PAGES) * PAGE + mine.randrange(PAGE))
            time.sleep(0.001)
            for page in range(PAGES):
                os.pwrite(fd, generation(page, 0), page * PAGE)
            time.sleep(0.02)
    for page in range(PAGES):
        os.pwrite(fd, generation(page, 0), page * PAGE)
    os.close(fd)


readers = [threading.Thread(target=read) for _ in range(4)]
for thread in readers:
    thread.start()
change()
for thread in readers:
    thread.join()
print(counts["read"], counts["failed"])
if wrong:
    print(wrong[0])
    sys.exit(1)
