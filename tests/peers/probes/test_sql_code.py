"""Against a real PostgreSQL, where there is one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
from check_module import check_module
from loopback import LocalSession, certificate, closed_port, machine

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.services import Dbms
from sio_lab.probes import sql_code
from sio_lab.probes.machine import Machine

NAME = "db.example.test"
SERVICE = Dbms(product="postgresql", machines=["db"], host=NAME, database="app", user="app", client="web")
PASSWORD = secrets.token_hex(8)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), NAME)


@pytest.fixture(scope="module")
def server(ca: Path) -> Iterator[postgres.Server]:
    with postgres.serving(ca, PASSWORD) as running:
        yield running


@pytest.fixture
def session(server: postgres.Server) -> LocalSession:
    return LocalSession(ports={(NAME, 5432): server.port})


def worked(seen: sql_code.CodeObservation) -> bool:
    limits = seen.limits
    assert limits
    assert "left: nothing" in limits.evidence.received
    done = (seen.computed, seen.changed, limits.guarded, limits.freed, limits.forgotten)
    return all(done) and limits.left == ()


def names(server: postgres.Server) -> str:
    """Return what bears the prefix of trials."""
    return server.admin(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sio_lab%' UNION ALL "
        "SELECT proname FROM pg_proc WHERE proname LIKE 'sio_lab%' UNION ALL "
        "SELECT relname FROM pg_class WHERE relname LIKE 'sio_lab%'"
    )


def test_function_and_trigger_act_and_go(server: postgres.Server, session: LocalSession, ca: Path) -> None:
    seen = sql_code.trial(machine(session), SERVICE, PASSWORD, ca)
    assert seen.granted, seen.detail
    assert worked(seen)
    assert PASSWORD not in seen.evidence.sent
    assert not names(server)


def test_an_application_that_may_make_no_schema(server: postgres.Server, session: LocalSession, ca: Path) -> None:
    server.admin("ALTER DATABASE app OWNER TO postgres")
    try:
        seen = sql_code.trial(machine(session), SERVICE, PASSWORD, ca)
    finally:
        server.admin("ALTER DATABASE app OWNER TO app")
    assert seen.granted, seen.detail
    assert worked(seen)
    assert not names(server)


def test_what_an_earlier_trial_left_is_removed(server: postgres.Server, session: LocalSession, ca: Path) -> None:
    server.admin("CREATE SCHEMA sio_lab_code_old AUTHORIZATION app; CREATE TABLE sio_lab_code_old.t (a integer)")
    assert sql_code.trial(machine(session), SERVICE, PASSWORD, ca).granted
    assert not names(server)


def test_check_of_a_sound_server(server: postgres.Server, session: LocalSession, ca: Path) -> None:
    assert check(session, ca).sides() == {"positive", "negative"}


def test_check_where_the_language_may_not_be_used(
    server: postgres.Server, session: LocalSession, ca: Path
) -> None:
    server.admin("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")
    try:
        with pytest.raises(NotSatisfiedError, match="permission denied for language plpgsql"):
            check(session, ca)
    finally:
        server.admin("GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC")
    assert not names(server)


def test_check_where_triggers_do_not_fire(server: postgres.Server, session: LocalSession, ca: Path) -> None:
    server.admin("ALTER DATABASE app SET session_replication_role = replica")
    try:
        with pytest.raises(NotSatisfiedError, match="does not act"):
            check(session, ca)
    finally:
        server.admin("ALTER DATABASE app RESET session_replication_role")
    assert not names(server)


def check(session: LocalSession, ca: Path) -> Proof:
    proof = Proof(lambda name, record: Machine(name, session, record), {}, {"services.dbms": PASSWORD}, ca)
    check_module("slam/test_dbms_language.py").test_function_and_trigger(proof, SERVICE)
    return proof


def test_nothing_listens(tmp_path: Path) -> None:
    session = LocalSession(ports={(NAME, 5432): closed_port()})
    seen = sql_code.trial(machine(session), SERVICE, "any", certificate(tmp_path, NAME))
    assert (seen.answer, seen.computed) == ("unavailable", False)


def test_unknown_product(tmp_path: Path) -> None:
    service = SERVICE.model_copy(update={"product": "mariadb"})
    with pytest.raises(InconclusiveError, match="mariadb"):
        sql_code.trial(machine(), service, "any", tmp_path)
