"""Sockets towards clients: how one listens, what the system does about clients that vanish, and how many there may be. It
reads and writes nothing."""

import socket
import sys

BACKLOG = 2048

_PROBE_AFTER_S = 30
_PROBE_EVERY_S = 10
_PROBES = 4
_UNHEARD_MS = 120_000
"""What was sent to a client and not confirmed for so long is taken for lost. More than a sleeping laptop's wireless takes to come
back, and no answer is worth more."""

_OTHER_FILES = 100
"""The ledger, standard streams, libraries, the event loop."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _notice_the_vanished(listener)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _notice_the_vanished(listener: socket.socket) -> None:
    """A client whose machine or network is gone says no goodbye. Whoever is accepted inherits these."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _PROBE_AFTER_S),
        ("TCP_KEEPINTVL", _PROBE_EVERY_S),
        ("TCP_KEEPCNT", _PROBES),
        ("TCP_USER_TIMEOUT", _UNHEARD_MS),
    ):
        if hasattr(socket, name):  # not every system has all of them
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def allow_files(wanted: int) -> int:
    """Raises this process's limit of open files to `wanted`, or as far as it may. Returns the limit."""
    if sys.platform == "win32":
        return wanted  # it counts otherwise, and by far more
    import resource  # noqa: PLC0415 - only where there is one

    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if now == unlimited or now >= wanted:
        return wanted
    aim = wanted if most == unlimited else min(wanted, most)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (aim, most))
    except (OSError, ValueError):  # some systems have another limit behind this one
        return now
    return aim


def files_wanted(connections: int, in_flight: int) -> int:
    """Each client takes one, and each request under way another, towards its provider."""
    return connections + in_flight + _OTHER_FILES


def connections_within(files: int, connections: int, in_flight: int) -> int:
    """How many clients may be connected when so many files may be open."""
    if files >= files_wanted(connections, in_flight):
        return connections
    return max((files - _OTHER_FILES) // 2, 1)
