"""Ending what still forwards a socket that leads nowhere.

Incus starts a process for each forwarded socket and ends it with the machine, but not when the machine dies
while it boots: the process then stays for good.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from sio_lab.providers import processes


def end(below: Path) -> None:
    """End the forwarders of sockets that are ``below`` (or that socket itself), and remove the sockets.

    The machines concerned must not run.
    """
    mark = f":{below}".encode()
    for number, argv in processes.running():
        if argv[1:2] == [b"forkproxy"] and any(mark in argument for argument in argv):
            with suppress(OSError):
                os.kill(number, signal.SIGTERM)
    for socket in below.glob("*.sock") if below.is_dir() else [below]:
        socket.unlink(missing_ok=True)
