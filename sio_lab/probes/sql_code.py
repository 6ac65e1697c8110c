"""Code that a DBMS runs itself: a function and a trigger, made, seen to act, and removed. Never judges."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import psycopg
from psycopg import sql

from sio_lab.errors import ServiceUnavailable
from sio_lab.lab.services import Dbms
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Evidence, Observation
from sio_lab.probes.sql import answer_of, connection, supported, words_of

PREFIX = "sio_lab_code_"
"""How the names of all that is made begin."""

_Connection = psycopg.Connection[tuple[object, ...]]

# A loop and a condition: what a query alone does not say.
_FUNCTION = """
CREATE FUNCTION {place}.{function}(upto integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE total integer := 0;
BEGIN
    FOR i IN 1..upto LOOP
        IF i % 3 <> 0 THEN total := total + i * i; END IF;
    END LOOP;
    RETURN total;
END $$"""
_TABLE = "CREATE TABLE {place}.{table} (label text, amount integer)"
_GUARD = """
CREATE FUNCTION {place}.{guard}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount < 0 THEN RAISE EXCEPTION {words}; END IF;
    NEW.label := upper(NEW.label);
    RETURN NEW;
END $$"""
_TRIGGER = """
CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {place}.{table}
FOR EACH ROW EXECUTE FUNCTION {place}.{guard}()"""
_LEFT = """
SELECT 'schema ' || nspname FROM pg_namespace WHERE starts_with(nspname, %(start)s)
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE starts_with(proname, %(start)s)
UNION ALL SELECT 'table ' || relname FROM pg_class WHERE starts_with(relname, %(start)s)
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE starts_with(tgname, %(start)s)"""
_OLD = """
SELECT nspname FROM pg_namespace
WHERE starts_with(nspname, %s) AND pg_has_role(nspowner, 'USAGE')"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeObservation(Observation):
    """What became of code in a DBMS. ``granted``: all of it could be made, used and removed.

    Attributes:
        computed: whether the function returned what it should.
        changed: whether the trigger changed a row that was written.
        limits: what the code refused, and what is left of it.
    """

    computed: bool = False
    changed: bool = False
    limits: LimitsObservation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsObservation(Observation):
    """What code in a DBMS refused, and what is left of it in the end.

    Attributes:
        guarded: whether the trigger refused a bad row, with its own words, and the row is not there.
        freed: whether the same row is accepted once the trigger is removed: nothing else refused it.
        forgotten: whether the function can no longer be called once it is removed.
        left: what is still there in the end.
    """

    guarded: bool = False
    freed: bool = False
    forgotten: bool = False
    left: tuple[str, ...] = ()


@dataclass(slots=True)
class _Seen:
    computed: bool = False
    changed: bool = False
    guarded: bool = False
    freed: bool = False
    forgotten: bool = False
    left: tuple[str, ...] = ()
    acted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def trial(machine: Machine, service: Dbms, password: str, ca: Path) -> CodeObservation:
    """Make a function and a trigger as the application, in a schema of their own, use them and remove them.

    An application that may make no schema makes them in its session's own. What an interrupted trial left is
    removed first.

    Raises:
        InconclusiveError, Unreachable, ProbeTimeout, ProtocolError: as ``sql.login``.
    """
    supported(service, "3.1.c")
    at, start, seen = datetime.now(UTC), monotonic(), _Seen()
    answer: Answer = "granted"
    detail = ""
    try:
        with connection(machine, service, password, ca) as opened:
            for (old,) in opened.execute(_OLD, [PREFIX]).fetchall():
                opened.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(str(old))))
            _Trial(opened, seen).run()
    except ServiceUnavailable as error:
        answer, detail = "unavailable", error.what.en
    except psycopg.Error as error:
        detail = words_of(error)
        answer = answer_of(error, detail, service)

    def saw(probe: str, sent: str, lines: list[str]) -> Evidence:
        where = f"{service.host}:{service.port}/{service.database}"
        received = "\n".join([*lines, *([detail] if detail else [])])
        return machine.saw(probe, target=where, sent=sent, received=received, at=at, start=start)

    login = f"user={service.user} sslmode=verify-full"
    evidence = saw("sql.code", f"{login}; a function and a trigger in PL/pgSQL, a row", seen.acted)
    limits = None
    if answer == "granted":
        limits = LimitsObservation(
            saw("sql.code_limits", f"{login}; a bad row, with and without the trigger; removal", seen.refused),
            answer,
            guarded=seen.guarded,
            freed=seen.freed,
            forgotten=seen.forgotten,
            left=seen.left,
        )
    return CodeObservation(evidence, answer, detail, computed=seen.computed, changed=seen.changed, limits=limits)


class _Trial:
    """One trial, over an open connection; what it sees goes to ``seen``."""

    def __init__(self, opened: _Connection, seen: _Seen) -> None:
        self._opened, self._seen = opened, seen
        self._name = f"{PREFIX}{secrets.token_hex(6)}"
        self._words = f"{self._name}: amount refused"
        self._names = {"place": sql.Identifier("pg_temp")} | {
            part: sql.Identifier(f"{self._name}_{part}") for part in ("function", "table", "guard", "trigger")
        }

    def run(self) -> None:
        try:
            self._do("CREATE SCHEMA {schema}", schema=sql.Identifier(self._name))
            self._names["place"] = sql.Identifier(self._name)
        except psycopg.errors.InsufficientPrivilege:
            self._seen.acted.append("no right to make a schema: in the session's own")
        try:
            self._function()
            self._trigger()
            self._remove()
        finally:
            if not self._opened.closed:
                self._clear()
        self._seen.left = tuple(str(row[0]) for row in self._ask(sql.SQL(_LEFT), {"start": self._name}))
        self._seen.refused.append(f"left: {', '.join(self._seen.left) or 'nothing'}")

    def _function(self) -> None:
        upto = 10 + secrets.randbelow(90)
        self._do(_FUNCTION)
        (row,) = self._do("SELECT {place}.{function}(%s)", [upto])
        self._seen.computed = row[0] == sum(i * i for i in range(1, upto + 1) if i % 3)
        self._seen.acted.append(f"function({upto}) = {row[0]}")

    def _trigger(self) -> None:
        label = f"abc-{secrets.token_hex(4)}"
        self._do(_TABLE)
        self._do(_GUARD, words=sql.Literal(self._words))
        self._do(_TRIGGER)
        self._do("INSERT INTO {place}.{table} VALUES (%s, 1)", [label])
        refusal = ""
        try:
            self._do("INSERT INTO {place}.{table} VALUES ('bad', -1)")
        except psycopg.errors.RaiseException as error:
            refusal = error.diag.message_primary or ""
        rows = self._do("SELECT label, amount FROM {place}.{table}")
        self._seen.changed = (label.upper(), 1) in rows
        self._seen.guarded = refusal == self._words and len(rows) == 1
        self._seen.acted.append(f"{label} was written; rows: {rows}")
        self._seen.refused.append(f"a negative amount: {refusal or 'accepted'}; rows: {rows}")

    def _remove(self) -> None:
        self._do("DROP TRIGGER {trigger} ON {place}.{table}")
        self._do("INSERT INTO {place}.{table} VALUES ('bad', -1)")
        self._seen.freed = ("bad", -1) in self._do("SELECT label, amount FROM {place}.{table}")
        self._do("DROP FUNCTION {place}.{function}(integer)")
        try:
            self._do("SELECT {place}.{function}(1)")
        except psycopg.errors.UndefinedFunction:
            self._seen.forgotten = True
        self._seen.refused.append(f"trigger removed: bad row accepted: {self._seen.freed}")
        self._seen.refused.append(f"function removed: no longer known: {self._seen.forgotten}")

    def _clear(self) -> None:
        self._do("DROP TABLE IF EXISTS {place}.{table}")
        self._do("DROP FUNCTION IF EXISTS {place}.{guard}()")
        self._do("DROP FUNCTION IF EXISTS {place}.{function}(integer)")
        self._do("DROP SCHEMA IF EXISTS {schema}", schema=sql.Identifier(self._name))

    def _do(
        self, statement: str, values: list[object] | None = None, **more: sql.Composable
    ) -> list[tuple[object, ...]]:
        # Braces are those of names; there are none in the code itself.
        return self._ask(sql.SQL(statement).format(**self._names, **more), values)

    def _ask(
        self, statement: sql.SQL | sql.Composed, values: Sequence[object] | Mapping[str, object] | None = None
    ) -> list[tuple[object, ...]]:
        cursor = self._opened.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
