#!/usr/bin/env python3
"""Runs a program under the restrictions of a unit of systemd.

usage: _confined.py UNIT PROGRAM [ARGUMENTS]

Applies what takes effect in the process itself, as systemd does: the bounding
set, NoNewPrivileges=, UMask=, the limits, and one seccomp filter for
SystemCallFilter=, RestrictAddressFamilies= and RestrictNamespaces=. It fails on
a restricting option that it does not know, unless it is in NOT_APPLIED.
"""
import ctypes
import os
import re
import resource
import struct
import subprocess
import sys

# Applied by systemd through cgroups, namespaces or sessions, or by filters on
# calls that the export does not make.
NOT_APPLIED = {
    "DevicePolicy", "DeviceAllow", "IPAddressDeny", "KeyringMode",
    "LockPersonality", "ProtectClock", "ProtectHostname", "RestrictRealtime",
    "RestrictSUIDSGID", "SystemCallArchitectures", "SystemCallErrorNumber",
}
APPLIED = {
    "CapabilityBoundingSet", "NoNewPrivileges", "UMask", "LimitNOFILE",
    "LimitMEMLOCK", "RestrictAddressFamilies", "RestrictNamespaces",
    "SystemCallFilter",
}
RESTRICTING = re.compile(
    r"(Cap|No.*Priv|UMask|Limit|Restrict|Protect|Private|System|Device|IPA|"
    r"Keyring|Lock|Memory|.*Paths$)")

# The architecture in <linux/audit.h>, and the header of its system calls.
MACHINES = {
    "x86_64": (0xC000003E, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": (0xC00000B7, "/usr/include/asm-generic/unistd.h"),
}
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
AF_UNIX = 1
CLONE_NAMESPACES = 0x7E020000 | 0x80

PR_CAPBSET_DROP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 24, 22, 38
SECCOMP_MODE_FILTER = 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06

libc = ctypes.CDLL(None, use_errno=True)


def prctl(option, argument, more=None):
    if libc.prctl(option, ctypes.c_ulong(argument), more, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def read_unit(path):
    """The options of [Service], each with its list of values."""
    text = open(path).read().replace("\\\n", " ")
    section = text.split("[Service]")[1].split("\n[")[0]
    options = {}
    for line in section.splitlines():
        if line and not line.startswith("#"):
            name, value = line.split("=", 1)
            options.setdefault(name, []).append(value)
    for name in options:
        if RESTRICTING.match(name) and name not in APPLIED | NOT_APPLIED:
            sys.exit(f"_confined.py does not know {name}=")
    return options


def members(name):
    """The system calls of a group such as @mount, or of one name."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], check=True,
        capture_output=True, text=True).stdout.splitlines()[1:]
    names = (line.strip() for line in listed)
    return set().union(*(
        members(each) for each in names if each and each[0] != "#"))


def allowed_calls(filters):
    allowed = members("@default")
    for value in filters:
        for name in value.lstrip("~").split():
            if value.startswith("~"):
                allowed -= members(name)
            else:
                allowed |= members(name)
    return allowed


def numbers(header):
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", open(header).read())
    return {name: int(number) for name, number in found}


def apply_filter(options):
    audit, header = MACHINES[os.uname().machine]
    number = numbers(header)
    code = []

    def add(operation, value, yes=0, no=0):
        code.append(struct.pack("HBBI", operation, yes, no, value))

    def refuse(call, error, jump=None):
        """Refuses a call, always or if its first argument passes `jump`."""
        if jump is None:
            add(JUMP_EQUAL, number[call], 0, 1)
            add(RETURN, ERRNO | error)
            return
        add(JUMP_EQUAL, number[call], 0, 3)
        add(LOAD, 16)
        jump()
        add(RETURN, ERRNO | error)
        add(LOAD, 0)

    add(LOAD, 4)
    add(JUMP_EQUAL, audit, 1, 0)
    add(RETURN, ERRNO | EPERM)
    add(LOAD, 0)
    if options["RestrictAddressFamilies"] == ["AF_UNIX"]:
        refuse("socket", EAFNOSUPPORT, lambda: add(JUMP_EQUAL, AF_UNIX, 1, 0))
    if options["RestrictNamespaces"] == ["yes"]:
        # A filter cannot read the flags of clone3: callers use clone instead.
        refuse("clone3", ENOSYS)
        refuse("setns", EPERM)
        for call in ("clone", "unshare"):
            refuse(call, EPERM, lambda: add(JUMP_SET, CLONE_NAMESPACES, 0, 1))
    for name in sorted(allowed_calls(options["SystemCallFilter"])):
        if name in number:
            add(JUMP_EQUAL, number[name], 0, 1)
            add(RETURN, ALLOW)
    add(RETURN, ERRNO | EPERM)
    text = ctypes.create_string_buffer(b"".join(code))
    program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(text))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program)


def limit(kind, value):
    """Sets a limit, or the most that a container without rights may have."""
    try:
        resource.setrlimit(kind, (value, value))
    except ValueError:
        most = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most, most))


def main():
    unit, *command = sys.argv[1:]
    options = read_unit(unit)
    names = dict(re.findall(
        r"#define (CAP_\w+)\s+(\d+)", open("/usr/include/linux/capability.h").read()))
    kept = {int(names[name]) for name in options["CapabilityBoundingSet"][0].split()}
    last = int(open("/proc/sys/kernel/cap_last_cap").read())
    os.umask(int(options["UMask"][0], 8))
    limit(resource.RLIMIT_NOFILE, int(options["LimitNOFILE"][0]))
    assert options["LimitMEMLOCK"] == ["infinity"]
    limit(resource.RLIMIT_MEMLOCK, resource.RLIM_INFINITY)
    for capability in range(last + 1):
        if capability not in kept:
            prctl(PR_CAPBSET_DROP, capability)
    assert options["NoNewPrivileges"] == ["yes"]
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    apply_filter(options)
    os.execvp(command[0], command)


main()
