"""LDAP: logging in to a directory and reading it, over verified TLS. Never judges."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from ldap3 import ANONYMOUS, NONE, SIMPLE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import LDAPExceptionError
from ldap3.utils.conv import escape_filter_chars

from sio_lab.errors import ProbeTimeout, ProtocolError, ServiceUnavailable
from sio_lab.lab.services import Directory
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.text import Text

_DEADLINE = 10  # seconds, for the connection and for each answer
_MOST = 20  # entries that a search asks for: what matters is whether there are any
_PORTS = {"ldaps": 636, "ldap": 389}
_PASSWORDS = {"userpassword", "unicodepwd"}  # attributes that no evidence may hold, hashed as they are

# Result codes of RFC 4511 §4.1.9 that say no. 1 is how Active Directory asks for a login first; 32 is how
# slapd hides an entry from those who may not know of it.
_NO = {1, 7, 8, 13, 19, 32, 48, 49, 50, 53}
_OUT_OF_ORDER = {51, 52}  # busy, unavailable
_CUT = 4  # sizeLimitExceeded: there were more entries than asked for


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a directory.

    Attributes:
        dn: its distinguished name.
        attributes: values of those that were asked for and shown, by name.
    """

    dn: str
    attributes: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapObservation(Observation):
    """An answer of a directory.

    Attributes:
        code: result code (RFC 4511 §4.1.9): 0 success, 49 invalidCredentials…; -1 where nothing listens.
        encrypted: protocol of the encrypted channel: ``TLSv1.3``; empty where there was none.
        entries: entries that were read.
    """

    code: int = -1
    encrypted: str = ""
    entries: Sequence[Entry] = ()


def bind(machine: Machine, service: Directory, account: str, password: str, ca: Path) -> LdapObservation:
    """Log in to the directory as ``account`` (simple bind, RFC 4513 §5.1.3), over verified TLS.

    Args:
        machine: where the connection starts from; it resolves the directory's name.
        service: the directory; its ``url`` says whether TLS comes at once (``ldaps``) or by StartTLS (``ldap``).
        account: login of the account.
        password: its password, never recorded.
        ca: PEM bundle of the authorities that the directory's certificate must descend from.

    Raises:
        Unreachable: the machine does not answer.
        ProbeTimeout: no answer within the deadline.
        ProtocolError: the channel cannot be trusted (certificate, no TLS), or the answer is neither yes nor no.
    """
    user = service.dn_of(account)
    return _dialogue(machine, service, ca, "ldap.bind", f"bind {user}", _Login(user, password), None)


def search(
    machine: Machine,
    service: Directory,
    account: str,
    password: str,
    ca: Path,
    *,
    of: str = "",
    attributes: Sequence[str] = ("cn",),
) -> LdapObservation:
    """Log in as ``account``, then read people below the base: the account ``of``, by default anybody.

    ``granted``: at least one entry was shown; ``refused``: none.

    Raises:
        Unreachable, ProbeTimeout, ProtocolError: as ``bind``.
    """
    user, wanted = service.dn_of(account), _Search(service.base_dn, _people(of), attributes)
    return _dialogue(machine, service, ca, "ldap.search", f"bind {user}; {wanted}", _Login(user, password), wanted)


def anonymous_search(machine: Machine, service: Directory, ca: Path) -> LdapObservation:
    """Read people below the base without logging in; ``granted`` where at least one entry was shown.

    Raises:
        Unreachable, ProbeTimeout, ProtocolError: as ``bind``.
    """
    wanted = _Search(service.base_dn, _people(""), ("cn",))
    return _dialogue(machine, service, ca, "ldap.anonymous", f"anonymous bind; {wanted}", None, wanted)


@dataclass(frozen=True, slots=True)
class _Login:
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class _Search:
    base: str
    filter: str
    attributes: Sequence[str]

    def __str__(self) -> str:
        return f"search {self.base} {self.filter} {' '.join(self.attributes)}"


@dataclass(slots=True)
class _Seen:
    code: int = -1
    words: str = ""
    encrypted: str = ""
    entries: list[Entry] = field(default_factory=list)


def _people(account: str) -> str:
    if not account:
        return "(objectClass=person)"
    login = escape_filter_chars(account)
    return f"(|(uid={login})(sAMAccountName={login}))"


def _dialogue(
    machine: Machine,
    service: Directory,
    ca: Path,
    probe: str,
    sent: str,
    login: _Login | None,
    wanted: _Search | None,
) -> LdapObservation:
    at, start, seen = datetime.now(UTC), monotonic(), _Seen()
    try:
        with _connection(machine, service, login, ca) as connection:
            _ask(connection, login, wanted, seen)
        answer = _answer(seen, wanted, service)
        detail = "" if answer == "granted" else seen.words or "no entry"
    except ServiceUnavailable as error:
        answer, detail = "unavailable", error.what.en
    except TimeoutError as error:  # ldap3 mixes the socket's own error in
        raise ProbeTimeout(
            Text(f"pas de réponse en {_DEADLINE} s", f"no answer within {_DEADLINE} s"), where=service.url
        ) from error
    except (LDAPExceptionError, OSError) as error:
        raise ProtocolError(
            Text(f"dialogue impossible : {error}", f"no dialogue: {error}"), where=service.url
        ) from error
    evidence = machine.saw(
        probe, target=service.url, sent=sent, received=_received(seen, detail), at=at, start=start
    )
    return LdapObservation(
        evidence, answer, detail, code=seen.code, encrypted=seen.encrypted, entries=tuple(seen.entries)
    )


@contextmanager
def _connection(machine: Machine, service: Directory, login: _Login | None, ca: Path) -> Iterator[Connection]:
    url = urlsplit(service.url)
    if url.scheme not in _PORTS or not url.hostname:
        raise ProtocolError(
            Text(f"« {service.url} » n'est pas une adresse ldap(s)", f"'{service.url}' is not an ldap(s) address"),
            where="services.directory.url",
        )
    tls = _Tls(ssl.create_default_context(cafile=str(ca)), url.hostname)
    with machine.forward(url.hostname, url.port or _PORTS[url.scheme]) as (address, port):
        server = Server(
            address, port, use_ssl=url.scheme == "ldaps", tls=tls, get_info=NONE, connect_timeout=_DEADLINE
        )
        connection = Connection(
            server,
            user=login.user if login else None,
            password=login.password if login else None,
            authentication=SIMPLE if login else ANONYMOUS,
            client_strategy=SYNC,
            receive_timeout=_DEADLINE,
            auto_referrals=False,  # another server is not the one that was declared
            check_names=False,
        )
        try:
            connection.open(read_server_info=False)
            if url.scheme == "ldap" and not connection.start_tls(read_server_info=False):
                raise ProtocolError(
                    Text("l'annuaire refuse StartTLS", "the directory refuses StartTLS"), where=service.url
                )
            yield connection
        finally:
            connection.strategy.close()


class _Tls(Tls):
    """TLS as Python verifies it: ldap3 would compare the certificate with the tunnel's address."""

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        super().__init__()
        self._context = context
        self._name = name

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:
        """Encrypt the connection's socket."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=self._name, do_handshake_on_connect=do_handshake
        )


def _ask(connection: Connection, login: _Login | None, wanted: _Search | None, seen: _Seen) -> None:
    seen.encrypted = str(connection.socket.version() or "")
    bound = connection.bind(read_server_info=False)
    _note(connection, seen)
    # After an anonymous login that was refused, one can still ask: RFC 4513 §4 leaves the session anonymous.
    if wanted is None or (login and not bound):
        return
    connection.search(wanted.base, wanted.filter, attributes=list(wanted.attributes), size_limit=_MOST)
    _note(connection, seen)
    seen.entries = [
        Entry(
            found["dn"],
            {
                name: tuple(value.decode(errors="replace") for value in values)
                for name, values in found["raw_attributes"].items()
            },
        )
        for found in connection.response or []
        if found["type"] == "searchResEntry"
    ]


def _note(connection: Connection, seen: _Seen) -> None:
    result = connection.result
    seen.code = int(result["result"])
    seen.words = f"{result['description']} ({seen.code})"
    if result["message"]:
        seen.words += f": {result['message']}"


def _answer(seen: _Seen, wanted: _Search | None, service: Directory) -> Answer:
    if seen.code == 0 or (wanted and seen.code == _CUT):
        return "granted" if wanted is None or seen.entries else "refused"
    if seen.code in _NO:
        return "refused"
    if seen.code in _OUT_OF_ORDER:
        return "unavailable"
    raise ProtocolError(
        Text(f"réponse inattendue de l'annuaire : {seen.words}", f"unexpected answer: {seen.words}"),
        where=service.url,
    )


def _received(seen: _Seen, detail: str) -> str:
    if seen.code < 0:
        return detail
    return "\n".join([f"{seen.words}, {seen.encrypted}", *(_line(entry) for entry in seen.entries)])


def _line(entry: Entry) -> str:
    shown = [
        f"{name}={', '.join('••••••' if name.lower() in _PASSWORDS else value for value in values)}"
        for name, values in entry.attributes.items()
        if values
    ]
    return "; ".join([entry.dn, *shown])
