"""An SSH server before any login: how one may log in, and which algorithms it offers. Never judges."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from time import monotonic
from typing import NoReturn

import paramiko
from ssh_audit.ssh2_kexdb import SSH2_KexDB

from sio_lab.errors import ProbeTimeout, ProtocolError, ServiceUnavailable
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.probes.ssh_transport import LOG
from sio_lab.text import Text

_DEADLINE = 10.0  # seconds, for each step
_LONGEST = 35_000  # bytes of a packet that everybody must accept: RFC 4253 §6.1
_LINES = 50  # what a server may say before its identification: RFC 4253 §4.2
_KEXINIT = 20  # RFC 4253 §12

_LISTS = ("kex", "key", "enc", "enc", "mac", "mac")
"""Kinds of the lists that a server begins with, in their order (RFC 4253 §7.1), as ssh-audit calls them."""

# What ssh-audit counts as a failure, and authorities that schools go by do not: curves of NIST, which ANSSI (RGS,
# annexe B1) recommends, and SHA-1 within HMAC, where collisions break nothing (NIST SP 800-131A).
_DEBATED = frozenset({SSH2_KexDB.FAIL_NSA_BACKDOORED_CURVE})
_DEBATED_IN_MAC = frozenset({SSH2_KexDB.FAIL_SHA1})


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodsObservation(Observation):
    """How a server lets people log in. ``granted``: it names ways; ``refused``: it hangs up instead.

    Attributes:
        methods: names of the ways: ``publickey``, ``password``… (RFC 4252); ``none``: anybody.
    """

    methods: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmsObservation(Observation):
    """What a server offers to encrypt with.

    Attributes:
        weak: offered algorithms that are known to be broken or too weak, and why.
        debated: those that ssh-audit reproves and public authorities accept, and why.
    """

    weak: Mapping[str, str]
    debated: Mapping[str, str]


def methods(machine: Machine, host: str, user: str, port: int = 22) -> MethodsObservation:
    """Ask the server ``host``, from ``machine``, how ``user`` may log in (RFC 4252 §5.2: the method "none").

    Raises:
        ProbeTimeout, ProtocolError, Unreachable: as every probe.
    """
    at, start = datetime.now(UTC), monotonic()
    answer: Answer = "granted"
    found: frozenset[str] = frozenset()
    detail = ""
    try:
        with machine.forward(host, port) as address:
            found = _methods(address, user)
    except ServiceUnavailable as error:
        answer, detail = "unavailable", error.what.en
    except TimeoutError as error:
        raise _silent(host, port) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        if "timeout" in str(error):
            raise _silent(host, port) from error
        if not _hung_up(error):
            _misunderstood(host, port, error)
        answer, detail = "refused", "the server hangs up"
    evidence = machine.saw(
        "ssh.methods",
        target=f"{host}:{port}",
        sent=f"how may {user} log in?",
        received=", ".join(sorted(found)) or detail,
        at=at,
        start=start,
    )
    return MethodsObservation(evidence, answer, detail, methods=found)


def algorithms(machine: Machine, host: str, port: int = 22, *, software: str = "siolab") -> AlgorithmsObservation:
    """Read, from ``machine``, which algorithms the server ``host`` offers, and what ssh-audit knows of them.

    Args:
        machine: where the dialogue starts.
        host: name or address of the server.
        port: TCP port.
        software: what we say that we are (RFC 4253 §4.2: neither space nor hyphen).

    Raises:
        ProbeTimeout, ProtocolError, Unreachable: as every probe.
    """
    at, start = datetime.now(UTC), monotonic()
    offered: list[tuple[str, list[str]]] = []
    answer: Answer = "granted"
    detail = ""
    try:
        with machine.forward(host, port) as address:
            offered = _offered(address, software)
    except ServiceUnavailable as error:
        answer, detail = "unavailable", error.what.en
    except TimeoutError as error:
        raise _silent(host, port) from error
    except (ValueError, EOFError, OSError) as error:
        _misunderstood(host, port, error)
    evidence = machine.saw(
        "ssh.algorithms",
        target=f"{host}:{port}",
        sent=f"SSH-2.0-{software}",
        received="\n".join(f"{kind}: {', '.join(names)}" for kind, names in offered) or detail,
        at=at,
        start=start,
    )
    weak, debated = reproved(offered)
    return AlgorithmsObservation(evidence, answer, detail, weak=weak, debated=debated)


def reproved(offered: Iterable[tuple[str, list[str]]]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the weak and the debated ones of the ``offered`` algorithms (kind, names), and why.

    What ssh-audit does not know, such as what was invented since, is in neither.
    """
    weak: dict[str, str] = {}
    debated: dict[str, str] = {}
    for kind, names in offered:
        accepted = _DEBATED | _DEBATED_IN_MAC if kind == "mac" else _DEBATED
        for name in names:
            reasons = _failures(kind, name)
            if any(reason not in accepted for reason in reasons):
                weak[name] = "; ".join(reason for reason in reasons if reason not in accepted)
            elif reasons:
                debated[name] = "; ".join(reasons)
    return weak, debated


def _failures(kind: str, name: str) -> list[str]:
    known: Mapping[str, list[list[str | None]]] = SSH2_KexDB.MASTER_DB[kind]
    # Names of GSS end with a hash of the mechanism (RFC 4462 §2.1): a star stands for it.
    entry = known.get(name) or next((row for pattern, row in known.items() if fnmatchcase(name, pattern)), [])
    return [reason for reason in entry[1] if reason] if len(entry) > 1 else []


def _methods(address: tuple[str, int], user: str) -> frozenset[str]:
    with socket.create_connection(address, timeout=_DEADLINE) as sock, closing(paramiko.Transport(sock)) as client:
        client.set_log_channel(LOG)
        client.banner_timeout = client.handshake_timeout = client.auth_timeout = _DEADLINE
        client.start_client(timeout=_DEADLINE)
        try:
            client.auth_none(user)
        except paramiko.BadAuthenticationType as refusal:
            return frozenset(refusal.allowed_types)
        return frozenset({"none"})


def _offered(address: tuple[str, int], software: str) -> list[tuple[str, list[str]]]:
    """Read the first message of a server (RFC 4253 §7.1): it comes unasked, and in clear."""
    with socket.create_connection(address, timeout=_DEADLINE) as sock, sock.makefile("rb") as stream:
        sock.sendall(f"SSH-2.0-{software}\r\n".encode())
        if not any(stream.readline(256).startswith(b"SSH-") for _ in range(_LINES)):
            raise ValueError("no SSH server")
        length = int.from_bytes(stream.read(4), "big")
        if not 1 < length <= _LONGEST:
            raise ValueError(f"packet of {length} bytes")
        message = paramiko.Message(stream.read(length))
    message.get_byte()  # length of the padding
    if message.get_byte() != bytes([_KEXINIT]):
        raise ValueError("another message than the first one expected")
    message.get_bytes(16)  # cookie
    return [(kind, message.get_list()) for kind in _LISTS]


def _hung_up(error: Exception) -> bool:
    """Tell whether the server closed the connection, which paramiko wraps once it has begun to speak SSH."""
    return isinstance(error, paramiko.AuthenticationException) or any(
        isinstance(each, EOFError | ConnectionError) for each in (error, error.__context__)
    )


def _silent(host: str, port: int) -> ProbeTimeout:
    return ProbeTimeout(
        Text(
            f"le serveur SSH ne répond pas en {_DEADLINE:g} s",
            f"the SSH server does not answer within {_DEADLINE:g} s",
        ),
        where=f"{host}:{port}",
    )


def _misunderstood(host: str, port: int, error: Exception) -> NoReturn:
    raise ProtocolError(
        Text(f"ce serveur SSH n'est pas compris : {error}", f"this SSH server is not understood: {error}"),
        where=f"{host}:{port}",
    ) from error
