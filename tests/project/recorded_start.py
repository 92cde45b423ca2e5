"""Runs Pointsman as its command would, and writes down what it asks the system for: connections, programs.

usage: python recorded_start.py LOG_FILE ARGUMENTS...
"""

import runpy
import sys

WATCHED = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
    "subprocess.Popen",
}

log = open(sys.argv[1], "w", buffering=1)  # noqa: PTH123, SIM115 - open until the process ends


def write_down(event, arguments):
    if event in WATCHED:
        wanted = arguments[1:] if event in {"socket.connect", "socket.sendto"} else arguments
        log.write(f"{event} {wanted!r}\n")


sys.addaudithook(write_down)
sys.argv = ["pointsman", *sys.argv[2:]]
runpy.run_module("pointsman", run_name="__main__", alter_sys=True)
