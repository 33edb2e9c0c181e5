"""Uses a mount of _busy_fs.ts; prints one line of JSON.

usage: _busy_client.py reads|locks|interrupt MOUNTPOINT COUNT
"""
import fcntl
import json
import os
import signal
import sys
import threading
import time

what, mountpoint, count = sys.argv[1:]
count = int(count)
threading.stack_size(128 * 1024)


def measure_stat(seconds):
    """How long stat(2) takes, in milliseconds: 95 of 100 calls, and all."""
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        os.stat(f"{mountpoint}/told")
        took.append(round(1000 * (time.perf_counter() - begin), 1))
        time.sleep(0.01)
    took.sort()
    return {"most": took[len(took) * 95 // 100], "all": took[-1]}


def in_threads(work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def reads():
    fd = os.open(f"{mountpoint}/slow", os.O_RDONLY)
    done = []
    threads = in_threads(lambda: done.append(len(os.pread(fd, 100, 0))))
    time.sleep(1)
    at_once = len(done)
    result = measure_stat(2)
    for thread in threads:
        thread.join()
    return {**result, "early": at_once, "read": sum(done)}


def locks():
    holder = os.open(f"{mountpoint}/locked", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    got = []

    def work():
        fd = os.open(f"{mountpoint}/locked", os.O_RDWR)
        fcntl.flock(fd, fcntl.LOCK_EX)
        got.append(fd)
        os.close(fd)

    threads = in_threads(work)
    time.sleep(1)
    early = len(got)
    result = measure_stat(2)
    fcntl.flock(holder, fcntl.LOCK_UN)
    for thread in threads:
        thread.join()
    return {**result, "early": early, "got": len(got)}


def interrupt():
    """How long programs that read live after SIGINT, in milliseconds."""
    took = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.read(os.open(f"{mountpoint}/slow", os.O_RDONLY), 100)
            os._exit(1)
        time.sleep(0.3)
        begin = time.perf_counter()
        os.kill(child, signal.SIGINT)
        _, status = os.waitpid(child, 0)
        took.append(round(1000 * (time.perf_counter() - begin), 1))
        if not os.WIFSIGNALED(status):
            sys.exit(f"the program ended with {status}")
    return {"took": took}


print(json.dumps({"reads": reads, "locks": locks, "interrupt": interrupt}[what]()))
