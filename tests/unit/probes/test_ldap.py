from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import ldap3
import pytest
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
SLAPD = Path("/usr/sbin/slapd")
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {pem}
TLSCertificateKeyFile {pem}
database mdb
suffix "{base}"
directory {folder}/data
lastbind on
{closed}
access to attrs=userPassword by anonymous auth by * none
access to * by {readers} read by * none
"""
ENTRIES = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,{BASE}
objectClass: inetOrgPerson
uid: alice
cn: Alice Le Goff
sn: Le Goff
userPassword: {PASSWORD}

dn: uid=denis.club,ou=people,{BASE}
objectClass: inetOrgPerson
uid: denis.club
cn: Denis
sn: Denis
userPassword: d-secret
"""


class Slapd:
    """OpenLDAP's own server as an ordinary process, on two ports of loopback: TLS at once, and StartTLS."""

    def __init__(self, folder: Path, pem: Path, *, everybody_reads: bool = False) -> None:
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        self.configuration = folder / "slapd.conf"
        self.configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                pem=pem,
                base=BASE,
                closed="" if everybody_reads else "require authc",
                readers="*" if everybody_reads else "users",
            )
        )
        subprocess.run(
            ["/usr/sbin/slapadd", "-q", "-f", self.configuration],
            input=ENTRIES.encode(),
            check=True,
            capture_output=True,
        )
        ports = closed_port(), closed_port()
        # -d keeps it in the foreground, as our child.
        self.process = subprocess.Popen(
            [
                SLAPD,
                "-d",
                "0",
                "-f",
                self.configuration,
                "-h",
                "ldaps://127.0.0.1:{} ldap://127.0.0.1:{}".format(*ports),
            ],
            stderr=subprocess.DEVNULL,
        )
        self.session = LocalSession(ports={(NAME, 636): ports[0], (NAME, 389): ports[1]})
        end = time.monotonic() + 5
        while not self.answers() and time.monotonic() < end:
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            with self.session.forward(NAME, 389):
                return True
        except Exception:  # noqa: BLE001  # whatever it is, it does not answer yet
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("pem"), NAME)


@pytest.fixture(scope="module")
def slapd(pem: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    yield from running(tmp_path_factory.mktemp("slapd"), pem)


def running(folder: Path, pem: Path, *, everybody_reads: bool = False) -> Iterator[Slapd]:
    if not SLAPD.exists():
        pytest.skip("slapd is not installed")
    server = Slapd(folder, pem, everybody_reads=everybody_reads)
    yield server
    server.stop()


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_login_and_search(slapd: Slapd, pem: Path, scheme: str) -> None:
    record: list[Evidence] = []
    here, service = machine(slapd.session, record), SERVICE.model_copy(update={"url": f"{scheme}://{NAME}"})
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


def test_wrong_passwords_are_refused(slapd: Slapd, pem: Path) -> None:
    here = machine(slapd.session)
    seen = ldap.bind(here, SERVICE, "alice", "wrong", pem)
    assert (seen.answer, seen.code, seen.detail) == ("refused", 49, "invalidCredentials (49)")
    seen = ldap.search(here, SERVICE, "nobody", PASSWORD, pem)
    assert (seen.answer, seen.entries) == ("refused", ())


def test_empty_password_is_no_login(slapd: Slapd, pem: Path) -> None:
    with pytest.raises(ProtocolError):
        ldap.bind(machine(slapd.session), SERVICE, "alice", "", pem)


def test_anonymous_search(slapd: Slapd, pem: Path, tmp_path: Path) -> None:
    seen = ldap.anonymous_search(machine(slapd.session), SERVICE, pem)
    assert (seen.answer, seen.entries) == ("refused", ())
    for server in running(tmp_path / "open", pem, everybody_reads=True):
        seen = ldap.anonymous_search(machine(server.session), SERVICE, pem)
        assert (seen.answer, len(seen.entries)) == ("granted", 2)


def test_last_login_is_read_by_another(slapd: Slapd, pem: Path) -> None:
    here = machine(slapd.session)

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


def test_passwords_are_no_evidence(slapd: Slapd, pem: Path) -> None:
    # Whoever may read hashes must not find them in a report.
    entry = ldap.Entry("uid=alice", {"userPassword": ["{SSHA}x"], "cn": ["Alice"]})
    assert ldap._line(entry) == "uid=alice; userPassword=••••••; cn=Alice"


def test_nothing_listens(pem: Path) -> None:
    seen = ldap.bind(machine(LocalSession(ports={(NAME, 636): closed_port()})), SERVICE, "alice", PASSWORD, pem)
    assert (seen.answer, seen.code, seen.detail) == ("unavailable", -1, "connection refused")


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_certificate_of_somebody_else(slapd: Slapd, tmp_path: Path, scheme: str, pem: Path) -> None:
    service = SERVICE.model_copy(update={"url": f"{scheme}://{NAME}"})
    with pytest.raises(ProtocolError, match="certificate verify failed"):
        ldap.bind(machine(slapd.session), service, "alice", PASSWORD, certificate(tmp_path, "other.test"))
    elsewhere = SERVICE.model_copy(update={"url": f"{scheme}://autre.example.test"})
    ports = {("autre.example.test", port): slapd.session.ports[NAME, port] for port in (389, 636)}
    with pytest.raises(ProtocolError, match="Hostname mismatch"):
        ldap.bind(machine(LocalSession(ports=ports)), elsewhere, "alice", PASSWORD, pem)


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
