"""Opens TCP connections from one source port to several ports of a host, and closes them at once.

Sent to the machine as the input of ``python3 -IS - SOURCE_PORT HOST PORT [PORT]…``: standard library only,
Python 3.9 or later. It judges nothing. The source port tells these packets from all others. Prints the addresses
of both ends, and how many connections were tried.
"""

from __future__ import annotations

import errno
import socket
import sys
import time

_PAUSE = 0.01  # seconds between two
# Before the first is sent again: a port is asked once (RFC 6298 §2.1: after one second).
_LASTS = 0.5
_UNDER_WAY = (0, errno.EINPROGRESS, errno.ECONNREFUSED)


def main(source_port: int, host: str, ports: list[int]) -> None:
    """Try each of ``ports`` once."""
    target = socket.gethostbyname(host)
    tried: list[socket.socket] = []
    source, done = "", 0
    for port in ports:
        channel = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tried.append(channel)
        channel.setblocking(False)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        channel.bind(("", source_port))
        outcome = channel.connect_ex((target, port))
        if outcome not in _UNDER_WAY:
            raise OSError(outcome, f"{target}: {errno.errorcode.get(outcome, outcome)}")
        # The route chose it; a refused connection forgets it.
        source, done = source or channel.getsockname()[0], done + 1
        time.sleep(_PAUSE)
    time.sleep(max(0.0, _LASTS - _PAUSE * len(ports)))
    for channel in tried:
        channel.close()
    print(source, target, done)  # noqa: T201  # this is how it answers


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], [int(port) for port in sys.argv[3:]])
