"""Real peers on loopback for the tests of probes: a session that runs here, and TLS that verifies."""

from __future__ import annotations

import datetime
import ipaddress
import random
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sio_lab.errors import ServiceUnavailable
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence
from sio_lab.text import Text


class LocalSession:
    """This very machine, through its own shell; tunnels lead to loopback ports.

    Args:
        answers: what commands answer instead of being run, by how they begin; ``None`` runs them.
        ports: port on loopback of each (host, port) that a tunnel may lead to.
    """

    def __init__(
        self, answers: Mapping[str, str] | None = None, ports: Mapping[tuple[str, int], int] | None = None
    ) -> None:
        self.asked: list[str] = []
        self.answers = answers
        self.ports = ports or {}

    def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
        self.asked.append(command)
        if self.answers is not None:
            answer = next((text for start, text in self.answers.items() if command.startswith(start)), None)
            return (1, "", "command not found") if answer is None else (0, answer, "")
        ran = subprocess.run(
            command, shell=True, input=stdin, capture_output=True, text=True, timeout=deadline, check=False
        )
        return ran.returncode, ran.stdout, ran.stderr

    @contextmanager
    def forward(self, host: str, port: int) -> Iterator[tuple[str, int]]:
        address = ("127.0.0.1", self.ports.get((host, port), port))
        try:
            socket.create_connection(address, timeout=5).close()
        except ConnectionRefusedError as error:
            raise ServiceUnavailable(Text.same("connection refused"), where=f"{host}:{port}") from error
        yield address


def machine(session: LocalSession | None = None, record: list[Evidence] | None = None) -> Machine:
    """Return a machine over ``session``, whose evidence goes to ``record``."""
    return Machine("client", session or LocalSession(), (record if record is not None else []).append)


def closed_port() -> int:
    """Return a port of loopback where nothing listens.

    It lies below those that the kernel gives to whoever asks for any port: nobody takes it in the meantime.
    """
    while True:
        port = random.randrange(15000, 32000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def running(server: ThreadingHTTPServer, pem: Path | None = None) -> Iterator[int]:
    """Run ``server`` in a thread, over TLS with the certificate and key of ``pem``; yield its port.

    It ends with the block, whatever happens there: a server left behind goes on polling the number of a descriptor
    that is somebody else's by then, and keeps that one's port open.
    """
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path, name: str) -> Path:
    """Write a certificate of ``name``, its own authority, and its key, as one PEM file; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return pem
