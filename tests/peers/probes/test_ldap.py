from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ldap3
import pytest
import slapd
from loopback import LocalSession, certificate, closed_port, machine

from sio_lab.errors import ProtocolError
from sio_lab.lab.services import Directory
from sio_lab.probes import ldap
from sio_lab.probes.observation import Evidence

NAME = "annuaire.example.test"
BASE = "dc=example,dc=test"
SERVICE = Directory(
    product="openldap",
    machines=["annuaire"],
    url=f"ldaps://{NAME}",
    base_dn=BASE,
    account="alice",
    client="poste",
)
PASSWORD = "a-secret"
PASSWORDS = {"alice": PASSWORD, "denis.club": "d-secret"}


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("pem"), NAME)


@pytest.fixture(scope="module")
def session(pem: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSession]:
    with slapd.serving(tmp_path_factory.mktemp("slapd"), pem, BASE, PASSWORDS) as ports:
        yield at(ports)


def at(ports: dict[int, int], name: str = NAME) -> LocalSession:
    return LocalSession(ports={(name, port): here for port, here in ports.items()})


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_login_and_search(session: LocalSession, pem: Path, scheme: str) -> None:
    record: list[Evidence] = []
    here, service = machine(session, record), SERVICE.model_copy(update={"url": f"{scheme}://{NAME}"})
    login = ldap.bind(here, service, "alice", PASSWORD, pem)
    assert (login.answer, login.code, login.detail, login.encrypted[:4]) == ("granted", 0, "", "TLSv")
    found = ldap.search(here, service, "alice", PASSWORD, pem)
    assert found.granted
    assert {entry.dn for entry in found.entries} == {
        f"uid=alice,ou=people,{BASE}",
        f"uid=denis.club,ou=people,{BASE}",
    }
    assert not [e for e in record if PASSWORD in e.sent + e.received]
    assert record[0].target == service.url
    assert record[1].sent.startswith(f"bind uid=alice,ou=people,{BASE}; search {BASE} (objectClass=person)")


def test_wrong_passwords_are_refused(session: LocalSession, pem: Path) -> None:
    here = machine(session)
    seen = ldap.bind(here, SERVICE, "alice", "wrong", pem)
    assert (seen.answer, seen.code, seen.detail) == ("refused", 49, "invalidCredentials (49)")
    seen = ldap.search(here, SERVICE, "nobody", PASSWORD, pem)
    assert (seen.answer, seen.entries) == ("refused", ())


def test_empty_password_is_no_login(session: LocalSession, pem: Path) -> None:
    with pytest.raises(ProtocolError):
        ldap.bind(machine(session), SERVICE, "alice", "", pem)


def test_anonymous_search(session: LocalSession, pem: Path, tmp_path: Path) -> None:
    seen = ldap.anonymous_search(machine(session), SERVICE, pem)
    assert (seen.answer, seen.entries) == ("refused", ())
    with slapd.serving(tmp_path / "open", pem, BASE, PASSWORDS, everybody_reads=True) as ports:
        seen = ldap.anonymous_search(machine(at(ports)), SERVICE, pem)
        assert (seen.answer, len(seen.entries)) == ("granted", 2)


def test_last_login_is_read_by_another(session: LocalSession, pem: Path) -> None:
    here = machine(session)

    def last() -> list[str]:
        (entry,) = ldap.search(
            here, SERVICE, "alice", PASSWORD, pem, of="denis.club", attributes=["pwdLastSuccess"]
        ).entries
        return list(entry.attributes.get("pwdLastSuccess", []))

    assert last() == []
    assert not ldap.bind(here, SERVICE, "denis.club", "wrong", pem).granted
    assert last() == []
    assert ldap.bind(here, SERVICE, "denis.club", "d-secret", pem).granted
    assert len(last()) == 1


def test_passwords_are_no_evidence() -> None:
    # Whoever may read hashes must not find them in a report.
    entry = ldap.Entry("uid=alice", {"userPassword": ["{SSHA}x"], "cn": ["Alice"]})
    assert ldap._line(entry) == "uid=alice; userPassword=••••••; cn=Alice"


def test_nothing_listens(pem: Path) -> None:
    seen = ldap.bind(machine(LocalSession(ports={(NAME, 636): closed_port()})), SERVICE, "alice", PASSWORD, pem)
    assert (seen.answer, seen.code, seen.detail) == ("unavailable", -1, "connection refused")


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_certificate_of_somebody_else(session: LocalSession, tmp_path: Path, scheme: str, pem: Path) -> None:
    service = SERVICE.model_copy(update={"url": f"{scheme}://{NAME}"})
    with pytest.raises(ProtocolError, match="certificate verify failed"):
        ldap.bind(machine(session), service, "alice", PASSWORD, certificate(tmp_path, "other.test"))
    elsewhere = SERVICE.model_copy(update={"url": f"{scheme}://autre.example.test"})
    ports = {port: session.ports[NAME, port] for port in (389, 636)}
    with pytest.raises(ProtocolError, match="Hostname mismatch"):
        ldap.bind(machine(at(ports, "autre.example.test")), elsewhere, "alice", PASSWORD, pem)


def test_another_protocol(pem: Path) -> None:
    with pytest.raises(ProtocolError, match="not an ldap"):
        ldap.bind(machine(), SERVICE.model_copy(update={"url": f"https://{NAME}"}), "alice", PASSWORD, pem)


@pytest.mark.parametrize(
    ("code", "answer"),
    [(49, "refused"), (48, "refused"), (1, "refused"), (51, "unavailable"), (52, "unavailable")],
)
def test_result_codes(code: int, answer: str) -> None:
    assert ldap._answer(ldap._Seen(code=code, words="…"), None, SERVICE) == answer


def test_neither_yes_nor_no() -> None:
    with pytest.raises(ProtocolError, match="referral"):
        ldap._answer(ldap._Seen(code=10, words="referral (10)"), None, SERVICE)


def test_dialogue_with_active_directory(monkeypatch: pytest.MonkeyPatch, pem: Path) -> None:
    """With ldap3's own mock of a server (strategy MOCK_SYNC), for names that slapd does not use."""
    service = SERVICE.model_copy(update={"product": "active-directory", "user_dn": "{account}@example.test"})
    assert service.dn_of("alice") == "alice@example.test"
    server = ldap3.Server("mock", get_info=ldap3.OFFLINE_AD_2012_R2)
    connection = ldap3.Connection(
        server, user="cn=alice,dc=example,dc=test", password=PASSWORD, client_strategy="MOCK_SYNC"
    )
    connection.strategy.add_entry(
        "cn=alice,dc=example,dc=test",
        {"userPassword": PASSWORD, "sAMAccountName": "alice", "objectClass": "person", "lastLogon": "133"},
    )
    connection.socket = type("Channel", (), {"version": lambda self: "TLSv1.3"})()
    seen = ldap._Seen()
    login = ldap._Login("cn=alice,dc=example,dc=test", PASSWORD)
    ldap._ask(connection, login, ldap._Search("dc=example,dc=test", ldap._people("alice"), ["lastLogon"]), seen)
    assert (seen.code, seen.encrypted) == (0, "TLSv1.3")
    assert [dict(entry.attributes) for entry in seen.entries] == [{"lastLogon": ("133",)}]
