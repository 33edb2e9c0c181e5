"""What the clients share: system calls, and a line for what each returned."""
import ctypes
import errno
import os

KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
_libc = ctypes.CDLL(None, use_errno=True)


def fallocate(fd, mode, offset, length):
    args = [ctypes.c_int64(offset), ctypes.c_int64(length)]
    if _libc.fallocate(fd, mode, *args) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


def result_of(call):
    """What a call returns, 0 for nothing; the name of the errno if it fails."""
    try:
        result = call()
    except OSError as error:
        return errno.errorcode[error.errno]
    return 0 if result is None else result


def tell(name, call):
    print(name, result_of(call), flush=True)
