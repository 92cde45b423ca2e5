"""Whether what was sent over a connection within this machine lies unread at its other end. It sends and reads nothing.

A reset throws away what its receiver has not read yet, so that a provider which resets behind its words must know that
they were heard. Linux tells of each socket how many bytes wait in it, in both directions (proc_net_tcp of its kernel's
documentation).
"""

import socket
import sys
from pathlib import Path

_SOCKETS = Path("/proc/net/tcp")
_NOTHING = "00000000:00000000"


def lies_unread(ours: socket.socket) -> bool | None:
    """None where the system does not tell, or the other end is not on this machine."""
    if ours.family is not socket.AF_INET:
        return None
    try:
        ends = {_hex(*ours.getsockname()), _hex(*ours.getpeername())}
        lines = [line.split() for line in _SOCKETS.read_text("ascii").splitlines()[1:]]
    except OSError:
        return None
    waiting = [line[4] for line in lines if {line[1], line[2]} == ends]
    return any(bytes_ != _NOTHING for bytes_ in waiting) if len(waiting) == len(ends) else None


def _hex(host: str, port: int) -> str:
    """As the kernel writes it: the four bytes of the address read as one number of this machine."""
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
