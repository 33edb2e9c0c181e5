"""Types a line in a shell on a terminal, with tabs, and prints what the program
of that line was given.

Usage: _typed.py LINE SHELL...: SHELL has to print "ready" when it can be typed
in, and the program's arguments as "<one><two>.".
"""
import os
import pty
import re
import select
import signal
import sys
import time

signal.alarm(50)
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", PS1="$ ", HISTFILE="")
    os.execvp(sys.argv[2], sys.argv[2:])
shown = ""


def read_until(pattern):
    global shown
    while not (found := re.search(pattern, shown)):
        shown += os.read(terminal, 4096).decode(errors="replace")
    return found


def settle():
    """Waits until the shell has shown its answer to a tab."""
    global shown
    end = time.monotonic() + 0.5
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
            end = time.monotonic() + 0.5


read_until(r"ready\r\n")
for part in re.split(r"(\t)", sys.argv[1]):
    os.write(terminal, part.encode())
    if part == "\t":
        settle()
shown = ""
os.write(terminal, b"\n")
print(read_until(r"\r\n((<[^\r\n]*>)\.)").group(2))
os.kill(pid, signal.SIGKILL)
