"""ssh's way to a machine's unix socket: connect, hand the connection to ssh, leave.

Run as ``python connect.py SOCKET`` by ``ProxyCommand`` with ``ProxyUseFdpass`` (ssh_config(5)): ssh gives a
unix socket as standard output and takes the connected descriptor from it. No process stays in between,
and the host needs neither ``nc`` nor ``socat``. Imports nothing of the package: it must start at once.
"""

from __future__ import annotations

import socket
import sys


def main(path: str) -> None:
    """Pass a connection to the unix socket ``path`` over standard output."""
    with socket.socket(socket.AF_UNIX) as machine, socket.socket(fileno=1) as ssh:
        try:
            machine.connect(path)
        except OSError as error:
            sys.exit(f"{path}: {error.strerror}")
        socket.send_fds(ssh, [b"\0"], [machine.fileno()])


if __name__ == "__main__":
    main(sys.argv[1])
