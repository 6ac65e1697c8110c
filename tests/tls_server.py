"""TLS servers on loopback, sound and unsound ones."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """Answer every connection with ``serve``, in a thread each; give the port."""

    def answer(channel: socket.socket) -> None:
        with suppress(OSError), channel:
            serve(channel)

    def accept() -> None:
        while True:
            try:
                channel, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(channel,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


def speaking_tls(
    pem: Path,
    prepare: Serve = lambda _: None,
    reply: bytes = b"",
    lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    highest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> AbstractContextManager[int]:
    """Speak TLS after ``prepare``, with the certificate in ``pem``; answer ``reply`` to whatever comes then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if lowest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = lowest, highest

    def serve(channel: socket.socket) -> None:
        prepare(channel)
        with context.wrap_socket(channel, server_side=True) as secured:
            if secured.recv(4096) and reply:
                secured.sendall(reply)

    return listening(serve)
