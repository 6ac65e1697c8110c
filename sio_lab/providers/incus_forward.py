"""Ending what still forwards a socket that leads nowhere.

Incus starts a process for each forwarded socket and ends it with the machine, but not when the machine dies
while it boots: the process then stays for good.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

from sio_lab.providers import processes


def end(below: Path) -> None:
    """End the forwarders of sockets that are ``below`` (or that socket itself), and remove the sockets.

    The machines concerned must not run.
    """
    if below.is_dir() or _is_served(below):
        _end_processes(below)
    for path in below.glob("*.sock") if below.is_dir() else [below]:
        path.unlink(missing_ok=True)


def _is_served(path: Path) -> bool:
    # All processes need not be looked at for each machine that starts.
    with socket.socket(socket.AF_UNIX) as peer:
        return peer.connect_ex(str(path)) == 0


def _end_processes(below: Path) -> None:
    mark = f":{below}".encode()
    for number, argv in processes.running():
        if argv[1:2] == [b"forkproxy"] and any(mark in argument for argument in argv):
            with suppress(OSError):
                os.kill(number, signal.SIGTERM)
