"""The lab's authority and certificates, verified by somebody else's code: OpenSSL's, through Python's ssl."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from small_lab import SMALL, changed

from sio_lab import paths
from sio_lab.lab.model import Lab
from sio_lab.provision import pki


def certificate(lab: Lab, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((paths.certificates(lab.lab) / f"{name}.crt").read_bytes())


def contents(lab: Lab) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths.certificates(lab.lab).iterdir()}


def handshake(lab: Lab, machine: str, name: str, authority: Path | None = None) -> str:
    """Return the subject that a client that trusts the authority sees when it asks ``machine`` for ``name``."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    kept = paths.certificates(lab.lab)
    server.load_cert_chain(kept / f"{machine}.crt", kept / f"{machine}.key")
    client = ssl.create_default_context(cafile=str(authority or paths.authority(lab.lab)))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=name) as secured:
            subject = secured.getpeercert() or {}
            return str(dict(pair for pairs in subject["subject"] for pair in pairs)["commonName"])
    finally:
        ours.close()
        thread.join()


def test_a_certificate_a_machine(small: Lab) -> None:
    root = pki.ensure(small)
    assert {path.name for path in root.iterdir()} == {
        "ca.crt",
        "ca.key",
        *(f"{name}.{kind}" for name in small.machines for kind in ("crt", "key")),
    }
    for path in root.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if path.suffix == ".key" else 0o644)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["web", "web.petit.test", "10.9.1.10", "203.0.113.1"])
def test_chain_and_names_verify(small: Lab, name: str) -> None:
    """The last address is the firewall's, where the published machine is seen from outside."""
    pki.ensure(small)
    assert handshake(small, "web", name) == "web.petit.test"


@pytest.mark.parametrize("name", ["bdd.petit.test", "petit.test", "10.9.1.11", "poste"])
def test_a_machine_cannot_pass_for_another(small: Lab, name: str) -> None:
    pki.ensure(small)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(small, "web", name)


def test_another_lab_is_not_trusted(small: Lab) -> None:
    other = changed(lab="autre")
    pki.ensure(small)
    pki.ensure(other)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(small, "web", "web", paths.authority(other.lab))


def test_what_certificates_may_do(small: Lab) -> None:
    pki.ensure(small)
    authority, leaf = certificate(small, "ca"), certificate(small, "web")
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not leaf.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= datetime.timedelta(days=398)
    assert leaf.not_valid_after_utc < authority.not_valid_after_utc


def test_twice_changes_nothing(small: Lab) -> None:
    pki.ensure(small)
    before = contents(small)
    pki.ensure(small)
    assert contents(small) == before


def test_only_a_machine_whose_address_changed_gets_a_new_one(small: Lab) -> None:
    pki.ensure(small)
    before = contents(small)
    machines = {**SMALL["machines"], "bdd": {"addresses": {"dmz": "10.9.1.12"}}}
    moved = changed(machines=machines)
    pki.ensure(moved)
    after = contents(moved)
    assert {name for name in before if before[name] != after[name]} == {"bdd.crt", "bdd.key"}
    names = certificate(moved, "bdd").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.9.1.12")]


@pytest.mark.parametrize("file", ["web.key", "web.crt"])
@pytest.mark.parametrize("damage", [b"", b"-----BEGIN nothing", None, "another's"])
def test_a_damaged_one_is_made_again(small: Lab, file: str, damage: bytes | str | None) -> None:
    root = pki.ensure(small)
    before = contents(small)
    if damage is None:
        (root / file).unlink()
    else:
        (root / file).write_bytes(damage if isinstance(damage, bytes) else before[file.replace("web", "bdd")])
    pki.ensure(small)
    after = contents(small)
    assert {name for name in before if before[name] != after[name]} == {"web.crt", "web.key"}
    assert handshake(small, "web", "web") == "web.petit.test"


@pytest.mark.parametrize("damage", [b"", b"no key", None])
def test_a_damaged_authority_is_made_again_with_all_of_its_certificates(small: Lab, damage: bytes | None) -> None:
    root = pki.ensure(small)
    before = contents(small)
    if damage is None:
        (root / "ca.key").unlink()
    else:
        (root / "ca.key").write_bytes(damage)
    pki.ensure(small)
    after = contents(small)
    assert not [name for name in before if before[name] == after[name]]
    assert handshake(small, "web", "web") == "web.petit.test"


@pytest.mark.parametrize(("days", "renewed"), [(62, False), (59, True)])
def test_renewed_before_it_expires(small: Lab, monkeypatch: pytest.MonkeyPatch, days: int, renewed: bool) -> None:
    """Instead of waiting: certificates that have few days left when they are made."""
    with monkeypatch.context() as patch:
        patch.setattr(pki, "_LEAF_LIFE", datetime.timedelta(days=days))
        pki.ensure(small)
    before = contents(small)
    pki.ensure(small)
    after = contents(small)
    assert after["ca.crt"] == before["ca.crt"]
    assert (after["web.crt"] != before["web.crt"]) == renewed


def test_an_authority_that_would_expire_before_its_certificates_is_renewed(
    small: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pki, "_AUTHORITY_LIFE", datetime.timedelta(days=390))
        pki.ensure(small)
    before = contents(small)
    pki.ensure(small)
    after = contents(small)
    assert not [name for name in before if before[name] == after[name]]


def test_long_names_and_accents() -> None:
    lab = changed(organisation="É" * 200, domain=f"{'a' * 60}.{'b' * 60}.test")
    pki.ensure(lab)
    assert handshake(lab, "web", f"web.{'a' * 60}.{'b' * 60}.test").startswith("web.aaa")
