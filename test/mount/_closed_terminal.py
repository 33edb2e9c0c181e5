"""Runs a program on a terminal, and closes that once the program is ready.

Usage: _closed_terminal.py TEXT PROGRAM...: TEXT says that it is ready. Prints
its exit code after SIGTERM.
"""
import os
import pty
import signal
import subprocess
import sys
import time

text = sys.argv[1].encode()
terminal, end = pty.openpty()
# As nohup(1) does: it outlives its terminal.
signal.signal(signal.SIGHUP, signal.SIG_IGN)
program = subprocess.Popen(
    sys.argv[2:],
    stdin=subprocess.DEVNULL,
    stdout=end,
    stderr=end,
    start_new_session=True,
)
os.close(end)
said = b""
while text not in said:
    said += os.read(terminal, 4096)
os.close(terminal)
# It prints statistics meanwhile.
time.sleep(0.5)
program.send_signal(signal.SIGTERM)
print(program.wait(timeout=30))
