"""SFTP: files of one person on a server that proves who it is. Never judges."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import unquote, urlsplit

import paramiko

from sio_lab.errors import IdentityError, InconclusiveError, ProbeTimeout, ProtocolError, ServiceUnavailable
from sio_lab.probes.area import AreaObservation, Refusal
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer
from sio_lab.text import Text

_DEADLINE = 10.0  # seconds, for each step

HostKey = tuple[str, str]
"""Type and base64 of a public key, as in known_hosts."""


def host_keys(server: Machine) -> frozenset[HostKey]:
    """Return the public host keys of ``server``, as it says itself over the session that already knows it.

    Raises:
        InconclusiveError: it does not say.
        Unreachable, ProbeTimeout: as every probe.
    """
    said = server.run("cat /etc/ssh/ssh_host_*_key.pub")
    keys = {(fields[0], fields[1]) for line in said.stdout.splitlines() if len(fields := line.split()) > 1}
    if not keys:
        raise InconclusiveError(
            Text(
                "les clés d'hôte de ce serveur ne peuvent pas être connues : on ne sait pas à qui l'on parle",
                "the host keys of this server cannot be known: nobody knows who is spoken to",
            ),
            where=server.name,
        )
    return frozenset(keys)


@contextmanager
def folder(
    machine: Machine, url: str, keys: Collection[HostKey], auth: tuple[str, str] | None
) -> Iterator[Folder]:
    """Reach the folder ``url`` (sftp://host[:port]/path) from ``machine`` as one person.

    Args:
        machine: where the connection starts from.
        url: address of the folder.
        keys: host keys of the server; any other is refused.
        auth: login and password; ``None`` for a visitor who gives none.
    """
    with ExitStack() as stack:
        yield Folder(machine, url, keys, auth, stack)


class Folder:
    """A folder of an SFTP server, as one person reaches it; made by ``folder``."""

    def __init__(
        self,
        machine: Machine,
        url: str,
        keys: Collection[HostKey],
        auth: tuple[str, str] | None,
        stack: ExitStack,
    ) -> None:
        self._machine = machine
        self._url = urlsplit(url)
        self._where = f"sftp://{self._url.netloc.rpartition('@')[2]}"
        self._path = unquote(self._url.path).rstrip("/") + "/"
        self._keys = keys
        self._auth = auth
        self._stack = stack
        self._opened: paramiko.SFTPClient | None = None

    def write(self, name: str, content: str) -> AreaObservation:
        """Put a new file: a server that already has it refuses."""

        def put(client: paramiko.SFTPClient) -> str:
            with client.open(self._path + name, "wx") as file:
                file.write(content.encode())
            return ""

        return self._do("write", name, put)

    def read(self, name: str) -> AreaObservation:
        """Read a file."""

        def get(client: paramiko.SFTPClient) -> str:
            with client.open(self._path + name) as file:
                return file.read().decode(errors="replace")

        return self._do("read", name, get)

    def look(self, name: str = "") -> AreaObservation:  # noqa: ARG002  # no search here: the whole list
        """List the folder."""
        return self._do("list", "", lambda client: "\n".join(client.listdir(self._path)))

    def remove(self, name: str) -> AreaObservation:
        """Remove a file."""

        def delete(client: paramiko.SFTPClient) -> str:
            client.remove(self._path + name)
            return ""

        return self._do("remove", name, delete)

    def _do(self, what: str, name: str, action: Callable[[paramiko.SFTPClient], str]) -> AreaObservation:
        at, start = datetime.now(UTC), monotonic()
        answer: Answer = "granted"
        refusal: Refusal = ""
        received = detail = ""
        try:
            received = action(self._client())
        except ServiceUnavailable as error:
            answer, detail = "unavailable", error.what.en
        except paramiko.AuthenticationException as error:
            answer, detail, refusal = "refused", str(error), "credentials"
        except TimeoutError as error:
            raise self._timeout() from error
        except (paramiko.SSHException, EOFError) as error:
            raise self._protocol(error) from error
        except OSError as error:
            # paramiko gives the statuses of the protocol as errno; others have none.
            answer, detail = "refused", str(error)
            refusal = "rights" if error.errno in {errno.EACCES, errno.ENOENT} else "other"
        evidence = self._machine.saw(
            f"sftp.{what}",
            target=self._where,
            sent=f"{what} {self._path}{name}" + (f" ({self._auth[0]})" if self._auth else ""),
            received=detail or received,
            at=at,
            start=start,
        )
        names = frozenset(received.splitlines()) if what == "list" else frozenset()
        return AreaObservation(
            evidence, answer, detail, refusal=refusal, content="" if names else received, names=names
        )

    def _client(self) -> paramiko.SFTPClient:
        if self._opened is None:
            transport = self._transport()
            login, password = self._auth or ("anonymous", "")
            if self._auth:
                self._give(transport, login, password)
            else:
                transport.auth_none(login)
            opened = paramiko.SFTPClient.from_transport(transport)
            if opened is None:
                raise paramiko.SSHException("no SFTP channel")
            opened.get_channel().settimeout(_DEADLINE)  # type: ignore[union-attr]  # the one that was just opened
            self._opened = opened
        return self._opened

    def _give(self, transport: paramiko.Transport, login: str, password: str) -> None:
        try:
            transport.auth_password(login, password)
        except paramiko.BadAuthenticationType as error:
            # Not a refusal of this person: nobody can log in this way.
            known = ", ".join(error.allowed_types)
            raise ProtocolError(
                Text(
                    f"ce serveur ne prend pas de mot de passe ({known})",
                    f"this server takes no password ({known})",
                ),
                where=self._where,
            ) from error

    def _transport(self) -> paramiko.Transport:
        host, port = self._url.hostname or "", self._url.port or 22
        way = self._stack.enter_context(self._machine.forward(host, port))
        transport = paramiko.Transport(socket.create_connection(way, timeout=_DEADLINE))
        self._stack.callback(transport.close)
        transport.auth_timeout = transport.banner_timeout = _DEADLINE
        transport.start_client(timeout=_DEADLINE)
        key = transport.get_remote_server_key()
        if (key.get_name(), key.get_base64()) not in self._keys:
            raise IdentityError(
                Text(
                    f"le serveur a une clé d'hôte inconnue ({key.fingerprint})",
                    f"the server has an unknown host key ({key.fingerprint})",
                ),
                where=self._where,
            )
        return transport

    def _timeout(self) -> ProbeTimeout:
        return ProbeTimeout(
            Text(f"pas de réponse en {_DEADLINE:.0f} s", f"no answer within {_DEADLINE:.0f} s"), where=self._where
        )

    def _protocol(self, error: Exception) -> ProtocolError:
        return ProtocolError(Text(f"dialogue impossible : {error}", f"no dialogue: {error}"), where=self._where)
