"""Runs an export on a terminal of its own, and presses Ctrl-C there while a
program, this one, has the file open: the export has to wait for it.

Usage: _terminal.py MOUNTPOINT PROGRAM...: prints what the terminal showed, then
the exit status.
"""
import os
import pty
import signal
import sys
import time

mountpoint = sys.argv[1]
signal.alarm(50)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""


def read_until(text):
    global shown
    while text not in shown:
        shown += os.read(terminal, 4096)


read_until(b"Exporting")
client = os.open(mountpoint, os.O_RDONLY)
os.write(terminal, b"\x03")
read_until(b"is in use by")
# A second signal would have ended it at once.
time.sleep(1)
os.pread(client, 512, 0)
os.close(client)
try:
    while data := os.read(terminal, 4096):
        shown += data
except OSError:
    pass  # The last program on the terminal has ended.
_, status = os.waitpid(pid, 0)
print(repr(shown))
print(os.waitstatus_to_exitcode(status))
