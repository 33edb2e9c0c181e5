"""Keeps requests of one file outstanding, and tells how long a stat takes.

usage: _room_client.py FILE locks N | reads N SIZE | full N SIZE

Forks a process for each request. Prints one line of JSON.
"""
import fcntl, json, os, signal, statistics, sys, time

path, what, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
size = int(sys.argv[4]) if len(sys.argv) > 4 else 0
LIMIT = 20
children = []


def fork(body):
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(2 * LIMIT)
            os.dup2(2, 1)
            body()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    children.append(pid)
    return pid


def lock():
    fd = os.open(path, os.O_RDWR)
    fcntl.lockf(fd, fcntl.LOCK_EX)
    fcntl.lockf(fd, fcntl.LOCK_UN)


def read(i):
    fd = os.open(path, os.O_RDWR)
    assert len(os.pread(fd, size, i * size)) == size


def handled():
    """Requests that the handler keeps waiting: it shows them as links."""
    return os.stat(path).st_nlink


def until(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not in time: {handled()} requests are waiting")
        time.sleep(0.02)


def sleeps(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(") ", 1)[1][0] in "SD"


def all_sleep():
    """Whether each child sleeps, for some time."""
    for _ in range(10):
        time.sleep(0.05)
        if not all(map(sleeps, children)):
            return False
    return True


def stat_ms():
    """The best of three medians of five."""
    medians = []
    for _ in range(3):
        times = []
        for _ in range(5):
            start = time.monotonic()
            os.stat(path)
            times.append(1000 * (time.monotonic() - start))
        medians.append(statistics.median(times))
    return min(medians)


def join():
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]


def main():
    signal.alarm(2 * LIMIT)
    result = {}
    fd = os.open(path, os.O_RDWR)
    if what != "reads":
        fcntl.lockf(fd, fcntl.LOCK_EX)
    if what == "locks":
        for _ in range(count):
            fork(lock)
        until(lambda: handled() == count)
        result["stat"] = stat_ms()
        start = time.monotonic()
        fcntl.lockf(fd, fcntl.LOCK_UN)
        result["unlock"] = 1000 * (time.monotonic() - start)
    else:
        if what == "full":
            locker = fork(lock)
            until(lambda: handled() == 1)
        for i in range(count):
            fork(lambda: read(i))
        until(all_sleep if what == "full" else lambda: handled() == count)
        result["handled"] = handled()
        result["stat"] = stat_ms()
        if what == "full":
            os.kill(locker, signal.SIGKILL)
            children.remove(locker)
            result["killed"] = os.waitstatus_to_exitcode(os.waitpid(locker, 0)[1])
            result["stat after"] = stat_ms()
        os.pwrite(fd, b"x", 0)
    result["codes"] = sorted(set(join()))
    print(json.dumps(result))


try:
    main()
finally:
    for pid in children:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
