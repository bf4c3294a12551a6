"""Runs a command that is killed as soon as it opens a network socket: ``no_network.py COMMAND …``.

A filter of the Linux kernel watches the process and all that it starts. Ends with 125 where there
is no such filter.
"""

import ctypes
import os
import platform
import struct
import sys

NO_FILTER = 125

#: Per processor: its number in the kernel's records, and that of the call ``socket``.
_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_NETWORK = (2, 10)  # AF_INET, AF_INET6
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def _program(architecture: int, call: int) -> bytes:
    steps = [
        (_LOAD, 0, 0, 4),
        (_JUMP_IF_EQUAL, 0, 5, architecture),
        (_LOAD, 0, 0, 0),
        (_JUMP_IF_EQUAL, 0, 3, call),
        (_LOAD, 0, 0, 16),
        (_JUMP_IF_EQUAL, 2, 0, _NETWORK[0]),
        (_JUMP_IF_EQUAL, 1, 0, _NETWORK[1]),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _KILL),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def refuse_network() -> bool:
    """Whether the filter could be set."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return False
    program = _program(*_CALLS[platform.machine()])
    content = ctypes.create_string_buffer(program, len(program))
    filters = struct.pack("@HP", len(program) // 8, ctypes.addressof(content))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 4]
    return (
        prctl(_NO_NEW_PRIVILEGES, 1, None, None, None) == 0
        and prctl(_SECCOMP, _FILTER, filters, None, None) == 0
    )


if __name__ == "__main__":
    if not refuse_network():
        sys.exit(NO_FILTER)
    os.execvp(sys.argv[1], sys.argv[1:])
