"""What the checks of encryption make of a lab file, and of services that are sound, unsound or stopped."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from check_module import check_module
from lab_runner import ROOT
from loopback import LocalSession, certificate, closed_port
from tls_server import listening, speaking_tls

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError, ProtocolError
from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence
from sio_lab.probes.web import WebObservation


@pytest.fixture
def check() -> Any:
    return check_module("common/test_encryption.py")


@pytest.fixture(scope="module")
def lab() -> Lab:
    return load(ROOT / "inventories" / "sisr").lab


def test_every_declared_service_is_examined_once_from_where_it_is_used(check: Any, lab: Lab) -> None:
    found = {
        (target.client, target.endpoint.host, target.endpoint.port, target.endpoint.starttls)
        for target in check.declared(lab, lab.services.encryption)
    }
    assert found == {
        ("poste", "annuaire.capvoile.test", 636, ""),
        ("poste", "portail.capvoile.test", 443, ""),
        ("portail", "bdd.capvoile.test", 5432, "postgres"),
        ("poste", "proxy.capvoile.test", 3129, ""),
        ("poste", "collab.capvoile.test", 5232, ""),
        ("poste", "partage.capvoile.test", 443, ""),
        ("poste", "tickets.capvoile.test", 443, ""),
        ("poste", "www.capvoile.test", 443, ""),
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.test/x", ("a.test", 443, "")),
        ("https://a.test:8443", ("a.test", 8443, "")),
        ("ldap://a.test", ("a.test", 389, "ldap")),
        ("http://a.test/", None),
        ("sftp://a.test/", None),
        ("", None),
    ],
)
def test_addresses_that_speak_tls(check: Any, url: str, expected: tuple[str, int, str] | None) -> None:
    endpoint = check.of_url(url)
    assert (endpoint and (endpoint.host, endpoint.port, endpoint.starttls)) == expected


def test_packets_of_a_login_are_those_of_its_server(check: Any, lab: Lab) -> None:
    assert check.packets_of(lab, "portail.capvoile.test") == "(host 172.30.10.20) and not tcp port 22"
    assert check.packets_of(lab, "elsewhere.test") == "not tcp port 22"


def test_cookies_that_are_secrets(check: Any, evidence: Evidence) -> None:
    headers = httpx.Headers(
        [
            ("set-cookie", "SID=0123456789abcdef; Domain=portail.capvoile.test; Path=/; Secure"),
            ("set-cookie", "lang=fr; Expires=Thu, 01 Jan 2037 00:00:00 GMT"),
        ]
    )
    login = WebObservation(evidence, "granted", status=200, headers=headers)
    assert check.cookies(login) == {"SID": "0123456789abcdef"}


@pytest.fixture
def evidence() -> Evidence:
    now = datetime.datetime.now(datetime.UTC)
    return Evidence.of("web.get", source="a", target="b", sent="", received="", at=now, duration=0)


PORTAL, SHARE = ("portail.capvoile.test", 443), ("partage.capvoile.test", 443)
UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture
def pem(tmp_path: Path) -> dict[str, Path]:
    """Certificates of two services, both trusted."""
    made = {name: certificate(tmp_path, name) for name, _ in (PORTAL, SHARE)}
    (tmp_path / "ca.pem").write_bytes(b"".join(path.read_bytes() for path in made.values()))
    return made


@pytest.fixture
def proof(
    check: Any, lab: Lab, pem: dict[str, Path], tmp_path: Path
) -> Callable[[dict[tuple[str, int], int]], Proof]:
    """Make a proof on some services, by their ports on loopback; the others are stopped."""
    stopped = closed_port()

    def proof(ports: dict[tuple[str, int], int]) -> Proof:
        targets = check.declared(lab, lab.services.encryption)
        everything = {(target.endpoint.host, target.endpoint.port): stopped for target in targets}
        session = LocalSession(ports=everything | ports)
        return Proof(lambda name, record: Machine(name, session, record), {}, {}, tmp_path / "ca.pem")

    return proof


def prove(check: Any, lab: Lab, proof: Proof, min_days_left: int = 0) -> Proof:
    assert lab.services.encryption
    service = lab.services.encryption.model_copy(update={"min_days_left": min_days_left})
    check.test_tls_services(lab, proof, service)
    return proof


def test_a_sound_service_and_stopped_ones(check: Any, lab: Lab, proof: Any, pem: dict[str, Path]) -> None:
    with speaking_tls(pem[PORTAL[0]]) as port:
        proven = prove(check, lab, proof({PORTAL: port}))
    assert proven.sides() == {"positive", "negative"}
    (remark,) = proven.remarks
    assert "partage.capvoile.test:443" in remark.en
    assert "portail" not in remark.en


def test_a_certificate_of_somebody_else(check: Any, lab: Lab, proof: Any, pem: dict[str, Path]) -> None:
    with (
        speaking_tls(pem[PORTAL[0]]) as portal,
        speaking_tls(pem[PORTAL[0]]) as share,
        pytest.raises(NotSatisfiedError, match=r"partage.*not valid"),
    ):
        prove(check, lab, proof({PORTAL: portal, SHARE: share}))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_obsolete_versions(check: Any, lab: Lab, proof: Any, pem: dict[str, Path]) -> None:
    with (
        speaking_tls(pem[PORTAL[0]], lowest=ssl.TLSVersion.TLSv1) as port,
        pytest.raises(NotSatisfiedError, match=r"still accepts TLSv1, TLSv1\.1"),
    ):
        prove(check, lab, proof({PORTAL: port}))


def test_a_certificate_that_expires_soon(check: Any, lab: Lab, proof: Any, pem: dict[str, Path]) -> None:
    with speaking_tls(pem[PORTAL[0]]) as port, pytest.raises(NotSatisfiedError, match="expires in 0 days"):
        prove(check, lab, proof({PORTAL: port}), min_days_left=7)


def test_a_service_that_hangs_up_proves_nothing(check: Any, lab: Lab, proof: Any, pem: dict[str, Path]) -> None:
    with speaking_tls(pem[PORTAL[0]]) as portal, listening(lambda _: None) as share, pytest.raises(ProtocolError):
        prove(check, lab, proof({PORTAL: portal, SHARE: share}))


def test_one_that_is_proven_bad_decides(check: Any, lab: Lab, proof: Any, pem: dict[str, Path]) -> None:
    with (
        listening(lambda _: None) as portal,
        speaking_tls(pem[PORTAL[0]]) as share,
        pytest.raises(NotSatisfiedError),
    ):
        prove(check, lab, proof({PORTAL: portal, SHARE: share}))


def test_nothing_answers(check: Any, lab: Lab, proof: Any) -> None:
    with pytest.raises(InconclusiveError):
        prove(check, lab, proof({}))


def test_another_login_is_captured_where_the_declared_one_is_stopped(
    check: Any, lab: Lab, proof: Any, pem: dict[str, Path]
) -> None:
    with speaking_tls(pem[SHARE[0]], reply=UNAUTHORIZED) as port:
        made = proof({SHARE: port})
        assert check.answering(lab, made, lab.services.encryption) == "https://partage.capvoile.test/compta/"
    assert "https://portail.capvoile.test/extranet/ does not answer" in made.remarks[0].en
    with pytest.raises(InconclusiveError):
        check.answering(lab, proof({}), lab.services.encryption)
