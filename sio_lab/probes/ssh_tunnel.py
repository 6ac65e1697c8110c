"""Tunnels: a loopback address whose connections start from the machine (``direct-tcpip``, RFC 4254 §7.2)."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import paramiko

from sio_lab.errors import ProbeError, ProbeTimeout, ProtocolError, ServiceUnavailable, Unreachable
from sio_lab.probes.ssh_transport import ChannelRefused, Link, Transport
from sio_lab.text import Text

PEER_TIMEOUT = 5.0  # seconds for a peer to accept a connection; the machine's kernel would wait two minutes
_PROHIBITED, _FAILED = 1, 2  # RFC 4254 §5.1
_CHUNK = 1 << 16

# sshd passes on the words of getaddrinfo(3) and strerror(3), in its own locale: C, save on odd machines.
_NO_SUCH_NAME = re.compile(r"name|resol|nodename|no address|host is known|servname", re.IGNORECASE)
_NO_ANSWER = re.compile(r"timed out|timeout", re.IGNORECASE)


@contextmanager
def tunnel(link: Link, host: str, port: int) -> Iterator[tuple[str, int]]:
    """Open a tunnel from the machine of ``link`` to ``host``:``port``; yield the address of its near end.

    The connection that tries the peer is kept for the first client.

    Raises:
        ServiceUnavailable, ProbeTimeout, ProtocolError, Unreachable, IdentityError: as ``SshSession.forward``.
    """
    transport = link.transport()
    first = _peer(link, transport, host, port)
    try:
        near = _NearEnd(link, transport, (host, port), first)
    except BaseException:
        first.close()
        raise
    try:
        yield near.address
    finally:
        near.close()


def _peer(link: Link, transport: Transport, host: str, port: int) -> paramiko.Channel:
    machine, where = link.access.machine, f"{link.access.machine} → {host}:{port}"
    try:
        return transport.channel("direct-tcpip", to=(host, port), timeout=PEER_TIMEOUT)
    except ChannelRefused as error:
        raise _refused(error, where) from error
    except TimeoutError as error:
        raise _no_answer(where) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(
            Text(f"connexion perdue ({error})", f"connection lost ({error})"), where=machine
        ) from error


def _refused(error: ChannelRefused, where: str) -> ProbeError:
    if error.code == _FAILED and _NO_ANSWER.search(error.said):
        return _no_answer(where)
    if error.code == _FAILED and _NO_SUCH_NAME.search(error.said):
        return ProtocolError(
            Text(
                f"la machine ne trouve pas l'adresse de ce nom ({error.said})",
                f"the machine cannot resolve this name ({error.said})",
            ),
            where=where,
        )
    if error.code == _FAILED:
        # OpenSSH says just "open failed" where its connect(2) fails at once: no route, no network.
        said = "no connection" if error.said == "open failed" else error.said
        return ServiceUnavailable(Text(f"rien n'écoute : {said}", f"nothing listens: {said}"), where=where)
    if error.code == _PROHIBITED:
        return ProtocolError(
            Text(
                f"le serveur SSH de la machine interdit les tunnels ({error.said}) : rien n'a pu être demandé",
                f"the machine's SSH server forbids tunnels ({error.said}): nothing could be asked",
            ),
            where=where,
            todo=Text(
                "permettez-les au compte de l'audit : AllowTcpForwarding local, dans un bloc Match User",
                "allow them to the audit's account: AllowTcpForwarding local, in a Match User block",
            ),
        )
    return ProtocolError(
        Text(
            f"le serveur SSH de la machine n'ouvre pas de tunnel ({error.said})",
            f"the machine's SSH server opens no tunnel ({error.said})",
        ),
        where=where,
    )


def _no_answer(where: str) -> ProbeTimeout:
    return ProbeTimeout(
        Text(f"pas de réponse en {PEER_TIMEOUT:g} s", f"no answer within {PEER_TIMEOUT:g} s"), where=where
    )


class _NearEnd:
    """The listening socket of a tunnel, and the threads that carry its connections."""

    def __init__(self, link: Link, transport: Transport, peer: tuple[str, int], first: paramiko.Channel) -> None:
        self._link = link
        self._transport = transport
        self._peer = peer
        self._first: paramiko.Channel | None = first
        self._ends: list[socket.socket | paramiko.Channel] = [first]
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = ("127.0.0.1", self._listener.getsockname()[1])
        self._acceptor = self._started(self._accept)

    @staticmethod
    def _started(work: object, *args: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed: the tunnel is over
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends.append(client)
            self._threads.append(self._started(self._serve, client))

    def _serve(self, client: socket.socket) -> None:
        """Carry one connection; where the peer cannot be had, the client sees it closed."""
        try:
            channel = self._channel()
        except (ChannelRefused, paramiko.SSHException, EOFError, OSError):
            client.close()
            return
        back = self._started(_carry, channel, client)
        _carry(client, channel)
        back.join()
        client.close()
        channel.close()

    def _channel(self) -> paramiko.Channel:
        first, self._first = self._first, None
        if first and not first.closed and not (first.eof_received and not first.recv_ready()):
            return first
        channel = self._transport.channel("direct-tcpip", to=self._peer, timeout=PEER_TIMEOUT)
        self._ends.append(channel)
        return channel

    def close(self) -> None:
        """Cut whatever is still carried, and wait for the threads to end."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(2), which closing does not
        self._listener.close()
        self._acceptor.join()
        for end in self._ends:
            _cut(end)
        for thread in self._threads:
            thread.join(PEER_TIMEOUT)


def _cut(end: socket.socket | paramiko.Channel) -> None:
    with suppress(OSError, EOFError, paramiko.SSHException):
        if isinstance(end, socket.socket):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _carry(source: socket.socket | paramiko.Channel, target: socket.socket | paramiko.Channel) -> None:
    """Carry bytes one way until their end, and pass that end on."""
    with suppress(OSError, EOFError, paramiko.SSHException):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError, EOFError, paramiko.SSHException):
        if isinstance(target, socket.socket):
            target.shutdown(socket.SHUT_WR)
        else:
            target.shutdown_write()
