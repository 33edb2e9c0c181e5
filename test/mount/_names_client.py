"""Exports an image whose paths are not text: every name is bytes.

usage: _names_client.py DENO MAIN DIRECTORY odd|long control|stale

"odd" names hold bytes that are not UTF-8, a newline, a space and a backslash;
"long" ones have as many bytes as a name can have. Prints a line for each check.
"""
import json
import os
import signal
import subprocess
import sys
import time

deno, main, directory, kind, part = sys.argv[1:]
LIMIT = 20


def named(what):
    if kind == "odd":
        return what.encode() + b" \xff\xfe\n\\\xc3\t#'"
    return (what[0] * 255).encode()


root = os.path.join(os.path.realpath(os.fsencode(directory)), named("directory"))
os.mkdir(root)
image, mountpoint, pidfile, control = [
    os.path.join(root, named(what))
    for what in ("image", "mountpoint", "pidfile", "control")
]
program = [deno, "run", "--no-prompt", "--allow-ffi", main]
running = []


def check(what, value):
    print("ok" if value else "WRONG", what, flush=True)


def until(what, condition):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


class Export:
    def __init__(self, *options, json=True, cwd=None):
        self.json = json
        args = program + ["export", "-w", "--growable", "--transport=device"]
        args += ["--json"] if json else []
        self.log = open(os.path.join(root, b"log"), "w+b")
        self.process = subprocess.Popen(
            args + list(options),
            stdout=subprocess.PIPE if json else subprocess.DEVNULL,
            stderr=self.log,
            cwd=cwd,
        )
        running.append(self.process)

    def event(self, name):
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == name:
                return event
        raise EOFError(self.errors())

    def errors(self):
        self.log.seek(0)
        return self.log.read()

    def has_ended(self):
        return self.process.poll() is not None

    def end(self):
        if self.json:
            self.process.stdout.read()
        return self.process.wait(LIMIT)


def run(*args):
    done = subprocess.run(program + list(args), capture_output=True, timeout=LIMIT)
    return done.returncode, done.stdout, done.stderr


def printed(path):
    """A path as it is printed: control characters do not reach a terminal."""
    return path.replace(b"\n", b"\\x0a").replace(b"\t", b"\\x09")


def is_mounted():
    escaped = mountpoint
    for byte in b"\\ \t\n":
        escaped = escaped.replace(bytes([byte]), b"\\%03o" % byte)
    with open("/proc/self/mountinfo", "rb") as file:
        return any(line.split(b" ")[4] == escaped for line in file)


def control_of(path, *words):
    code, out, _ = run("ctl", "--json", path, *words)
    return json.loads(out) if code == 0 else None


def controlled():
    export = Export("--pidfile", pidfile, "--control", control, image, mountpoint)
    ready = export.event("ready")
    check("ready event", [os.fsencode(ready["source"]), os.fsencode(ready["mountpoint"])] == [image, mountpoint])
    check("mounted", is_mounted())
    with open(mountpoint, "rb") as mounted, open(image, "rb") as plain:
        check("bytes", mounted.read() == plain.read())
    with open(pidfile, "rb") as file:
        check("pidfile", file.read() == b"%d\n" % ready["pid"])
    code, out, _ = run("ctl", control, "query")
    check("ctl query", code == 0 and printed(image) + b" (" in out and b" at " + printed(mountpoint) + b"\n" in out)
    shown = control_of(control, "query")["exports"][0]
    check("ctl query --json", os.fsencode(shown["mountpoint"]) == mountpoint)
    check("ctl resize", control_of(control, "resize", "256k")["ok"])
    check("new size", os.stat(mountpoint).st_size == 1 << 18)
    code, _, errors = run("export", image, mountpoint)
    check("second export", code == 1 and errors.count(b"\n") == 1 and printed(mountpoint) in errors)
    user = open(mountpoint, "rb")
    check("ctl stop", control_of(control, "stop")["ok"])
    users = export.event("in-use")["users"]
    check("in use", [each["pid"] for each in users] == [os.getpid()])
    user.close()
    check("end", export.end() == 0)
    check("no traces", not (is_mounted() or os.path.lexists(pidfile) or os.path.lexists(control)))


def stale():
    killed = Export(image, mountpoint)
    killed.event("ready")
    killed.process.kill()
    killed.end()
    # Relative names, and messages as text.
    names = [os.path.basename(image), os.path.basename(mountpoint)]
    export = Export(*(b"./" + name for name in names), json=False, cwd=root)
    until("ready", lambda: b"Exporting" in export.errors() or export.has_ended())
    text = export.errors()
    check("ready line", b"Exporting " + printed(image) in text and b"at ./" + printed(names[1]) in text)
    check("stale mount", b"Removed the stale mount of " + printed(image) in text)
    export.process.send_signal(signal.SIGTERM)
    check("end by a signal", export.end() == 0 and not is_mounted())


# Ends what it has started when the test ends it.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with open(image, "wb") as file:
    file.write(os.urandom(1 << 17))
with open(mountpoint, "wb"):
    pass
try:
    {"control": controlled, "stale": stale}[part]()
finally:
    for process in running:
        if process.poll() is None:
            process.terminate()
            process.wait(LIMIT)
