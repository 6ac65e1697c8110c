"""A small service on loopback that can really be stopped: a web server that stands for a systemd unit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from loopback import LocalSession, certificate, closed_port
from small_lab import changed

from sio_lab.disruption.cuts import Ways
from sio_lab.errors import ProviderError
from sio_lab.lab.model import Lab
from sio_lab.providers.base import MachineState, Reporter
from sio_lab.text import Text

SERVER = """
import http.server, ssl, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(open("status").read()))
        self.send_header("X-Served-By", "web")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
"""

# What systemctl does, for the one unit that there is.
SYSTEMCTL = """#!/bin/sh
cd {folder}
alive() {{ [ -e pid ] && kill -0 "$(cat pid)" 2>/dev/null; }}
case "$1" in
    start) alive && exit 0; [ ! -e broken ] || {{ echo broken >&2; exit 1; }}
        setsid {python} server.py {port} localhost.pem </dev/null >/dev/null 2>server.log & echo $! >pid;;
    stop) alive || exit 0; kill -9 "$(cat pid)"; while alive; do sleep 0.01; done;;
    is-active) alive;;
esac
"""

# What `ip -o address` tells of the machines: the text of a file. The host's own addresses are no part of the lab.
IP = """#!/bin/sh
case "$*" in "-o address") cat {folder}/addresses;; esac
"""


class Service:
    """The service, the machines around it, and what cuts it: Ways of this host."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder, self.port = folder, port or closed_port()
        self.ca = folder / "localhost.pem"
        self.powered: list[str] = []

    def install(self) -> Service:
        """Write the service's files and start it."""
        certificate(self.folder, "localhost")
        (self.folder / "server.py").write_text(SERVER)
        self.answer(200)
        (self.folder / "addresses").write_text("2: eth0    inet 10.9.1.10/24 brd 10.9.1.255 scope global eth0\n")
        systemctl = SYSTEMCTL.format(folder=self.folder, port=self.port, python=sys.executable)
        for name, text in (
            ("systemctl", systemctl),
            ("ip", IP.format(folder=self.folder)),
            ("nft", "#!/bin/sh\n"),
        ):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        self.systemctl("start")
        return self

    def systemctl(self, word: str) -> bool:
        return subprocess.run([self.folder / "systemctl", word], check=False).returncode == 0

    def answer(self, status: int) -> None:
        """Answer with this status from now on."""
        (self.folder / "status").write_text(str(status))

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/"

    def listens(self) -> bool:
        """Whether it does, given a moment."""
        import socket

        for _ in range(100):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            time.sleep(0.02)
        return False

    def ways(self) -> Ways:
        return Ways(changed(), self, self)

    # What a session and a provider are asked.

    def session(self, name: str) -> LocalSession:
        os.environ["PATH"] = f"{self.folder}:{os.environ['PATH'].removeprefix(f'{self.folder}:')}"
        return LocalSession()

    def status(self, lab: Lab) -> dict[str, MachineState]:
        return {name: "stopped" if name in self.powered else "running" for name in lab.machines}

    def power_off(self, lab: Lab, machine: str) -> None:
        if machine == "fw":
            raise ProviderError(Text.same("no"), where=machine)
        self.powered.append(machine)
        self.systemctl("stop")

    def power_on(self, lab: Lab, machine: str, report: Reporter) -> None:
        self.powered = [name for name in self.powered if name != machine]
        self.systemctl("start")

    def remove(self) -> None:
        self.systemctl("stop")
        shutil.rmtree(self.folder, ignore_errors=True)
