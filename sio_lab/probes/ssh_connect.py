"""Connecting to a machine within one deadline, and saying in plain words why it could not be done."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from sio_lab.errors import IdentityError, ProbeError, Unreachable
from sio_lab.providers.base import SshAccess
from sio_lab.startup import without
from sio_lab.text import Text

with without("invoke"):  # for commands in ssh_config(5), which is not read here: half of what it loads
    import paramiko
    from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

    from sio_lab.probes.ssh_transport import KEEPALIVE, LOG, Transport

_KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


def connect(access: SshAccess, timeout: float) -> Transport:
    """Return a transport to the machine of ``access``, logged in, its host key verified.

    Args:
        access: how to reach it.
        timeout: seconds that all of it may last: connection, key exchange and login.

    Raises:
        Unreachable: the machine does not answer, or does not let us in.
        IdentityError: it shows another host key than the known one, or none is known.
    """
    deadline = monotonic() + timeout
    sock = None
    try:
        sock = _socket(access, deadline)
        with _cut_off(sock, deadline):
            return _logged_in(access, sock, timeout)
    except (paramiko.SSHException, EOFError, OSError, ProbeError) as error:
        if sock:
            sock.close()
        if isinstance(error, ProbeError):
            raise
        if monotonic() >= deadline or isinstance(error, TimeoutError):
            raise _silent(access, timeout) from error
        raise _failure(access, error) from error


def _socket(access: SshAccess, deadline: float) -> socket.socket:
    """Return a connection to the machine's sshd; all its addresses share the deadline."""
    if access.unix_socket:
        sock = socket.socket(socket.AF_UNIX)
        _connected(sock, str(access.unix_socket), deadline)
        return sock
    failure: OSError = ConnectionError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        access.host, access.port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            _connected(sock, address, deadline)
        except OSError as error:
            failure = error
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise failure


def _connected(sock: socket.socket, address: str | tuple[object, ...], deadline: float) -> None:
    sock.settimeout(max(0.001, deadline - monotonic()))
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    sock.settimeout(None)


@contextmanager
def _cut_off(sock: socket.socket, deadline: float) -> Iterator[None]:
    """Cut ``sock`` at ``deadline``: paramiko's timeouts are one a step, and add up."""

    def cut() -> None:
        with suppress(OSError):  # closed meanwhile, which is as good
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _logged_in(access: SshAccess, sock: socket.socket, timeout: float) -> Transport:
    client = paramiko.SSHClient()
    client.set_log_channel(LOG)
    _trust(client, access)
    own = access.identity_file is None
    try:
        client.connect(
            access.host,
            access.port,
            access.user,
            pkey=None if own else _key(access),
            sock=sock,
            allow_agent=own,
            look_for_keys=own,
            timeout=timeout,
            banner_timeout=timeout,
            auth_timeout=timeout,
            transport_factory=Transport,
        )
    except BaseException:
        client.close()
        raise
    transport = client.get_transport()
    assert isinstance(transport, Transport)  # noqa: S101  # made by the factory above
    transport.client = client
    transport.set_keepalive(KEEPALIVE)
    return transport


def _trust(client: paramiko.SSHClient, access: SshAccess) -> None:
    """Let ``client`` believe the key that was provisioned, or else those that the user knows."""
    client.set_missing_host_key_policy(_Stranger(access))
    if access.host_key is None:
        for file in _KNOWN_HOSTS:
            try:
                client.load_system_host_keys(str(Path(file).expanduser()))
            except OSError:
                continue
        return
    name = access.host if access.port == paramiko.config.SSH_PORT else f"[{access.host}]:{access.port}"
    try:
        entry = HostKeyEntry.from_line(f"{name} {access.host_key}")
    except InvalidHostKey:
        entry = None
    if entry is None or entry.key is None:
        raise IdentityError(
            Text("la clé d'hôte connue est illisible", "the known host key cannot be read"),
            where=access.machine,
            todo=Text(
                "notez dans le fichier de labo la ligne que donne `ssh-keyscan`, sans le nom de la machine",
                "write in the lab file the line that `ssh-keyscan` gives, without the machine's name",
            ),
        )
    client.get_host_keys().add(name, entry.key.get_name(), entry.key)


class _Stranger(paramiko.MissingHostKeyPolicy):
    """Refuses a machine that nobody knows: trusting whoever answers would prove nothing of it."""

    def __init__(self, access: SshAccess) -> None:
        self.access = access

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002
        raise IdentityError(
            Text(
                f"clé d'hôte inconnue ({key.get_name()} {key.fingerprint}) : rien ne dit que c'est elle",
                f"unknown host key ({key.get_name()} {key.fingerprint}): nothing says that it is this machine",
            ),
            where=self.access.machine,
            todo=Text(
                "vérifiez cette empreinte sur la machine (ssh-keygen -lf /etc/ssh/ssh_host_….pub), puis ajoutez "
                "sa clé au fichier de labo (connection.host_key) ou à ~/.ssh/known_hosts",
                "compare this fingerprint on the machine (ssh-keygen -lf /etc/ssh/ssh_host_….pub), then add its "
                "key to the lab file (connection.host_key) or to ~/.ssh/known_hosts",
            ),
        )


def _key(access: SshAccess) -> paramiko.PKey:
    path = Path(access.identity_file or "").expanduser()
    try:
        return paramiko.PKey.from_path(path)
    except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        locked = isinstance(error, paramiko.PasswordRequiredException)
        raise Unreachable(
            Text(f"clé privée inutilisable : {path} ({error})", f"private key cannot be used: {path} ({error})"),
            where=access.machine,
            todo=Text(
                "chargez-la dans l'agent (ssh-add) et retirez `identity_file` du fichier de labo",
                "load it into the agent (ssh-add) and drop `identity_file` from the lab file",
            )
            if locked
            else None,
        ) from error


def _silent(access: SshAccess, timeout: float) -> Unreachable:
    return Unreachable(
        Text(
            f"la machine ne répond pas en SSH ({timeout:g} s)",
            f"the machine does not answer over SSH ({timeout:g} s)",
        ),
        where=access.machine,
        todo=_IS_IT_UP,
    )


_IS_IT_UP = Text("est-elle en marche ? voyez `sio-lab status`", "is it running? see `sio-lab status`")


def _failure(access: SshAccess, error: Exception) -> ProbeError:
    """Return what ``error`` means for the user."""
    if isinstance(error, paramiko.BadHostKeyException):
        return _impostor(access, error.key.fingerprint, error.expected_key.fingerprint)
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer) and "host key" in str(error):
        return _impostor(access, "another type of key", "")
    if isinstance(error, paramiko.AuthenticationException):
        return Unreachable(
            Text(
                f"la machine n'accepte pas la clé de « {access.user} » ({error})",
                f"the machine does not accept the key of '{access.user}' ({error})",
            ),
            where=access.machine,
            todo=Text(
                f"essayez : ssh {access.user}@{access.host}, sans mot de passe",
                f"try: ssh {access.user}@{access.host}, without a password",
            )
            if access.unix_socket is None
            else Text("relancez `sio-lab up`, qui la remet", "run `sio-lab up` again, which puts it back"),
        )
    said = str(error) or "connection closed"
    return Unreachable(
        Text(f"la machine ne se laisse pas joindre en SSH : {said}", f"no SSH with the machine: {said}"),
        where=access.machine,
        todo=_IS_IT_UP,
    )


def _impostor(access: SshAccess, shown: str, known: str) -> IdentityError:
    return IdentityError(
        Text(
            f"la clé d'hôte a changé ({shown} au lieu de {known or 'celle connue'}) : ce n'est plus la machine "
            "qui a été préparée, ou quelqu'un s'est mis entre elle et vous",
            f"the host key has changed ({shown} instead of {known or 'the known one'}): this is no longer the "
            "machine that was provisioned, or somebody stands in between",
        ),
        where=access.machine,
        todo=Text(
            "si la machine a été refaite exprès, relancez `sio-lab up` ou corrigez la clé connue",
            "if the machine was made anew on purpose, run `sio-lab up` again or correct the known key",
        ),
    )
