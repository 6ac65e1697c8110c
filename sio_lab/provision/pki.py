"""The lab's certificate authority, and one certificate a machine."""

from __future__ import annotations

import datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sio_lab import files, paths
from sio_lab.lab.model import Lab
from sio_lab.provision import addressing

_AUTHORITY_LIFE = datetime.timedelta(days=5 * 365)
_LEAF_LIFE = datetime.timedelta(days=397)  # CA/Browser Forum Baseline Requirements 6.3.2: 398 days at most
_RENEW_BEFORE = datetime.timedelta(days=60)
_CLOCKS_DIFFER = datetime.timedelta(hours=1)
_COMMON_NAME = 64  # characters (RFC 5280, ub-common-name)

Names = frozenset[x509.GeneralName]


def ensure(lab: Lab) -> Path:
    """Make or renew what is missing, nearly expired or no longer fits; return ``paths.certificates``.

    Keys are on curve P-256, which GnuTLS, OpenSSL and Java all speak (ed25519 certificates are not so lucky).

    Raises:
        OSError: the state folder cannot be written.
    """
    root = paths.certificates(lab.lab)
    root.mkdir(mode=0o700, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    key, authority = _authority(lab, root, now)
    for machine in lab.machines:
        names = _names(lab, machine)
        if not _fits(root, machine, names, authority, now):
            leaf_key = ec.generate_private_key(ec.SECP256R1())
            leaf = _sign(lab.fqdn(machine), names, leaf_key, key, authority, now)
            # The key first: an interruption between both leaves a pair that does not fit, made again next time.
            files.write(root / f"{machine}.key", _pem(leaf_key))
            files.write(root / f"{machine}.crt", leaf.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return root


def _authority(
    lab: Lab, root: Path, now: datetime.datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = serialization.load_pem_private_key((root / "ca.key").read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate((root / "ca.crt").read_bytes())
        if (
            isinstance(key, ec.EllipticCurvePrivateKey)
            and key.public_key() == certificate.public_key()
            and certificate.not_valid_after_utc - now > _LEAF_LIFE
        ):
            return key, certificate
    except (OSError, ValueError):
        pass  # none yet, or damaged: a new one, and with it new certificates
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, (lab.organisation or lab.title)[:_COMMON_NAME]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{lab.lab} lab authority"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    files.write(root / "ca.key", _pem(key))
    files.write(root / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return key, certificate


def _sign(
    name: str,
    names: Names,
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    now: datetime.datetime,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_COMMON_NAME])]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now - _CLOCKS_DIFFER + _LEAF_LIFE)
        .add_extension(x509.SubjectAlternativeName(sorted(names, key=str)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _names(lab: Lab, machine: str) -> Names:
    """Return every name and address that clients reach ``machine`` by, those that it shares included."""
    dns = set(addressing.sites_of(lab, machine))
    addresses: set[str] = set()
    for name in (machine, *lab.shared_by(machine)):
        dns |= {name, lab.fqdn(name)}
        addresses |= {str(address) for address in lab.addresses_of(name).values()}
        addresses |= {str(address) for address in addressing.public_addresses(lab, name).values()}
    return frozenset(
        {*(x509.DNSName(name) for name in dns), *(x509.IPAddress(ip_address(address)) for address in addresses)}
    )


def _fits(root: Path, machine: str, names: Names, authority: x509.Certificate, now: datetime.datetime) -> bool:
    """Return whether the machine's certificate is there, ours, still good, and says all its names."""
    try:
        key = serialization.load_pem_private_key((root / f"{machine}.key").read_bytes(), password=None)
        leaf = x509.load_pem_x509_certificate((root / f"{machine}.crt").read_bytes())
        said = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        leaf.verify_directly_issued_by(authority)
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
        return False
    return (
        key.public_key() == leaf.public_key()
        and frozenset(said) == names
        and leaf.not_valid_after_utc - now > _RENEW_BEFORE
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
