"""SQL: logging in as an application, and a transaction that leaves nothing behind. Never judges."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import psycopg
from psycopg import sql

from sio_lab.errors import InconclusiveError, ProbeTimeout, ProtocolError, ServiceUnavailable
from sio_lab.lab.services import Dbms
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.text import Text

_DEADLINE = 10  # seconds, for the login and for each statement


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlObservation(Observation):
    """A dialogue with a DBMS.

    Attributes:
        version: what the server says it is: ``PostgreSQL 17.6``; empty where it let nobody in.
        encrypted: protocol of the encrypted channel: ``TLSv1.3``; empty where there was none.
        read_back: whether what was written was read again, the same.
        rolled_back: whether nothing was left after the transaction was given up.
    """

    version: str = ""
    encrypted: str = ""
    read_back: bool = False
    rolled_back: bool = False


def login(machine: Machine, service: Dbms, password: str, ca: Path) -> SqlObservation:
    """Log in to ``service`` as the application, over verified TLS, and leave.

    Raises:
        InconclusiveError: the product speaks a protocol that is not known here.
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: the channel cannot be trusted (certificate, no TLS), so nothing was asked.
    """
    return _dialogue(machine, service, password, ca, "sql.login", None)


def write_and_roll_back(machine: Machine, service: Dbms, password: str, ca: Path) -> SqlObservation:
    """Write as the application, read it back, give the transaction up, and see that nothing is left.

    Raises:
        InconclusiveError, Unreachable, ProbeTimeout, ProtocolError: as ``login``.
    """
    return _dialogue(machine, service, password, ca, "sql.transaction", f"sio_lab_{secrets.token_hex(6)}")


@dataclass(slots=True)
class _Seen:
    version: str = ""
    encrypted: str = ""
    read_back: bool = False
    rolled_back: bool = False


def _dialogue(
    machine: Machine, service: Dbms, password: str, ca: Path, probe: str, table: str | None
) -> SqlObservation:
    supported(service, "1.1.b")
    at, start, seen = datetime.now(UTC), monotonic(), _Seen()
    answer: Answer = "granted"
    try:
        with connection(machine, service, password, ca) as opened:
            _look(opened, seen)
            if table:
                _transaction(opened, sql.Identifier(table), table, seen)
        detail = ""
    except ServiceUnavailable as error:
        answer, detail = "unavailable", error.what.en
    except psycopg.Error as error:
        detail = words_of(error)
        answer = answer_of(error, detail, service)
    where = f"{service.host}:{service.port}/{service.database}"
    evidence = machine.saw(
        probe,
        target=where,
        sent=f"user={service.user} sslmode=verify-full" + (f"; {_STATEMENTS.format(table)}" if table else ""),
        received=detail or f"{seen.version}, {seen.encrypted}" + (_outcome(seen) if table else ""),
        at=at,
        start=start,
    )
    return SqlObservation(
        evidence,
        answer,
        detail,
        version=seen.version,
        encrypted=seen.encrypted,
        read_back=seen.read_back,
        rolled_back=seen.rolled_back,
    )


_STATEMENTS = "BEGIN; CREATE TABLE {0} (value text); INSERT; SELECT; ROLLBACK; SELECT to_regclass('{0}')"


def supported(service: Dbms, requirement: str) -> None:
    """Make sure that the product is one whose dialogue is known here.

    Raises:
        InconclusiveError: it is not.
    """
    if service.product != "postgresql":
        raise InconclusiveError(
            Text(
                f"le SGBD « {service.product} » n'est pas encore sondé, seul PostgreSQL l'est",
                f"the DBMS '{service.product}' is not probed yet, only PostgreSQL is",
            ),
            where="services.dbms.product",
            todo=Text(f"joignez une attestation pour {requirement}", f"add an attestation for {requirement}"),
        )


@contextmanager
def connection(
    machine: Machine, service: Dbms, password: str, ca: Path
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Log in to ``service`` as the application, over verified TLS; each statement is a transaction of its own.

    Raises:
        ServiceUnavailable, Unreachable, ProbeTimeout: as ``Machine.forward``.
        psycopg.Error: as ``answer_of`` reads it.
    """
    with (
        machine.forward(service.host, service.port) as (address, port),
        psycopg.connect(
            host=service.host,  # the name that the certificate must bear
            hostaddr=address,
            port=port,
            dbname=service.database,
            user=service.user,
            password=password,
            sslmode="verify-full",
            sslrootcert=str(ca),
            gssencmode="disable",
            connect_timeout=_DEADLINE,
            application_name="sio-lab",
            autocommit=True,
            passfile="/dev/null",  # the user's own ~/.pgpass must not answer for the lab's
        ) as opened,
    ):
        opened.execute(sql.SQL("SET statement_timeout = {}").format(_DEADLINE * 1000))
        yield opened


def _look(connection: psycopg.Connection[tuple[object, ...]], seen: _Seen) -> None:
    row = connection.execute(
        "SELECT current_setting('server_version'), (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid())"
    ).fetchone()
    assert row is not None  # noqa: S101  # a SELECT without FROM gives one row
    seen.version, seen.encrypted = f"PostgreSQL {row[0]}", str(row[1] or "")


def _transaction(
    connection: psycopg.Connection[tuple[object, ...]], table: sql.Identifier, name: str, seen: _Seen
) -> None:
    value = secrets.token_hex(8)
    with connection.transaction(force_rollback=True):
        try:
            with connection.transaction():
                connection.execute(sql.SQL("CREATE TABLE {} (value text)").format(table))
        except psycopg.errors.InsufficientPrivilege:
            # An application may well be kept from making tables: one of its session then, rolled back as well.
            connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} (value text)").format(table))
        connection.execute(sql.SQL("INSERT INTO {} VALUES (%s)").format(table), [value])
        read = connection.execute(sql.SQL("SELECT value FROM {}").format(table)).fetchall()
        seen.read_back = read == [(value,)]
    seen.rolled_back = connection.execute("SELECT to_regclass(%s)", [name]).fetchone() == (None,)


def answer_of(error: psycopg.Error, words: str, service: Dbms) -> Answer:
    """Tell a server that says no from a channel that does not work."""
    if error.sqlstate == "57014" or isinstance(error, psycopg.errors.ConnectionTimeout):
        raise ProbeTimeout(
            Text(f"pas de réponse en {_DEADLINE} s", f"no answer within {_DEADLINE} s"), where=service.host
        ) from error
    # A login that fails has no SQLSTATE here; its severity is the same word in French, English and German.
    if error.sqlstate or "FATAL" in words:
        return "refused"
    raise ProtocolError(
        Text(f"dialogue impossible : {words}", f"no dialogue: {words}"), where=f"{service.host}:{service.port}"
    ) from error


def words_of(error: psycopg.Error) -> str:
    """Return what the server or the client library said, on one line, without the tunnel's own address."""
    said = " ".join(str(error).split())
    before, fatal, after = said.partition("FATAL:")
    return f"{fatal}{after}" if fatal else before


def _outcome(seen: _Seen) -> str:
    return f", read back: {seen.read_back}, rolled back: {seen.rolled_back}"
