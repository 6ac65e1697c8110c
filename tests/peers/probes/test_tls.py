from __future__ import annotations

import datetime
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from loopback import LocalSession, certificate, closed_port, machine
from tls_server import Serve, listening, speaking_tls

from sio_lab.errors import ProbeTimeout, ProtocolError
from sio_lab.lab.services import TlsEndpoint
from sio_lab.probes import tls
from sio_lab.probes.observation import Evidence

NAME = "service.example.test"


def at(port: int) -> LocalSession:
    return LocalSession(ports={(NAME, 443): port})


def endpoint(starttls: str = "") -> TlsEndpoint:
    return TlsEndpoint.model_validate({"host": NAME, "port": 443, "starttls": starttls})


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return certificate(tmp_path, NAME)


def expired(folder: Path, issuer: Path) -> Path:
    """Write a certificate that expired yesterday, signed by ``issuer``, and its key."""
    authority = x509.load_pem_x509_certificate(issuer.read_bytes())
    authority_key = serialization.load_pem_private_key(issuer.read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now - datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    pem = folder / "expired.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return pem


def test_verified_certificate(ca: Path) -> None:
    record: list[Evidence] = []
    with speaking_tls(ca) as port:
        seen = tls.verify(machine(at(port), record), endpoint(), ca)
    assert (seen.answer, seen.version) == ("granted", "TLSv1.3")
    assert 0 < seen.days_left < 1
    assert "certificate verified" in record[0].received


def test_certificate_of_another_name(ca: Path) -> None:
    with speaking_tls(ca) as port:
        seen = tls.verify(machine(at(port)), endpoint(), ca, name="other.example.test")
    assert seen.answer == "refused"
    assert "mismatch" in seen.detail


def test_certificate_of_another_authority(ca: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with speaking_tls(ca) as port:
        seen = tls.verify(machine(at(port)), endpoint(), certificate(tmp_path / "other", "other.example.test"))
    assert seen.answer == "refused"
    assert "self-signed" in seen.detail


def test_expired_certificate(ca: Path, tmp_path: Path) -> None:
    with speaking_tls(expired(tmp_path, ca)) as port:
        seen = tls.verify(machine(at(port)), endpoint(), ca)
    assert (seen.answer, seen.detail) == ("refused", "certificate has expired")


def test_service_in_clear(ca: Path) -> None:
    with listening(lambda channel: channel.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        seen = tls.verify(machine(at(port)), endpoint(), ca)
        offered = tls.versions(machine(at(port)), endpoint())
    assert seen.answer == "refused"
    assert seen.detail.startswith("no TLS")
    assert offered.answer == "refused"


def test_service_that_hangs_up(ca: Path) -> None:
    with listening(lambda channel: None) as port, pytest.raises(ProtocolError):
        tls.verify(machine(at(port)), endpoint(), ca)


def test_service_that_says_nothing(ca: Path) -> None:
    def serve(channel: socket.socket) -> None:
        while channel.recv(1 << 16):
            pass

    with listening(serve) as port:
        with pytest.raises(ProbeTimeout):
            tls.verify(machine(at(port)), endpoint(), ca, deadline=0.3)
        with pytest.raises(ProbeTimeout):
            tls.versions(machine(at(port)), endpoint(), deadline=1)


def test_nothing_listens(ca: Path) -> None:
    port = closed_port()
    assert tls.verify(machine(at(port)), endpoint(), ca).answer == "unavailable"
    assert tls.versions(machine(at(port)), endpoint()).answer == "unavailable"


def test_versions_of_a_sound_service(ca: Path) -> None:
    record: list[Evidence] = []
    with speaking_tls(ca) as port:
        seen = tls.versions(machine(at(port), record), endpoint())
    assert seen.accepted == {"TLSv1.2", "TLSv1.3"}
    assert not seen.accepted & tls.OBSOLETE
    assert "TLSv1: " in record[0].received


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_obsolete_versions_are_seen(ca: Path) -> None:
    with speaking_tls(ca, lowest=ssl.TLSVersion.TLSv1, highest=ssl.TLSVersion.TLSv1_1) as port:
        assert tls.versions(machine(at(port)), endpoint()).accepted == {"TLSv1", "TLSv1.1"}
        seen = tls.verify(machine(at(port)), endpoint(), ca)
    assert seen.answer == "refused"


def test_only_the_newest_version(ca: Path) -> None:
    with speaking_tls(ca, lowest=ssl.TLSVersion.TLSv1_3) as port:
        assert tls.versions(machine(at(port)), endpoint()).accepted == {"TLSv1.3"}


def expect(channel: socket.socket, request: bytes) -> None:
    if request not in channel.recv(1024):
        raise OSError("not what this protocol begins with")


def ldap(channel: socket.socket) -> None:
    # RFC 4511 §4.14: an extended request with StartTLS' name, then a response of success.
    expect(channel, b"1.3.6.1.4.1.1466.20037")
    channel.sendall(bytes.fromhex("300c02010178070a010004000400"))


def postgres(channel: socket.socket) -> None:
    expect(channel, bytes.fromhex("0000000804d2162f"))
    channel.sendall(b"S")


def imap(channel: socket.socket) -> None:
    channel.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
    expect(channel, b"STARTTLS\r\n")
    channel.sendall(b". OK begin TLS\r\n")


def smtp(channel: socket.socket) -> None:
    channel.sendall(b"220 mail.example.test ESMTP\r\n")
    expect(channel, b"ehlo ")
    channel.sendall(b"250-mail.example.test\r\n250 STARTTLS\r\n")
    expect(channel, b"STARTTLS\r\n")
    channel.sendall(b"220 go ahead\r\n")


@pytest.mark.parametrize(
    ("protocol", "prepare"), [("ldap", ldap), ("postgres", postgres), ("imap", imap), ("smtp", smtp)]
)
def test_tls_on_demand(protocol: str, prepare: Serve, ca: Path) -> None:
    with speaking_tls(ca, prepare) as port:
        assert tls.verify(machine(at(port)), endpoint(protocol), ca).granted
        assert tls.versions(machine(at(port)), endpoint(protocol)).accepted == {"TLSv1.2", "TLSv1.3"}


def test_tls_on_demand_refused(ca: Path) -> None:
    def serve(channel: socket.socket) -> None:
        if channel.recv(8):
            channel.sendall(b"N")

    with listening(serve) as port:
        seen = tls.verify(machine(at(port)), endpoint("postgres"), ca)
    assert seen.answer == "refused"
    assert seen.detail.startswith("no STARTTLS")
