"""TLS: a service's certificate as its clients verify it, and the versions that it accepts. Never judges."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time

from nassl import _nassl
from nassl.ssl_client import ClientCertificateRequested
from sslyze import errors as sslyze_errors
from sslyze.connection_helpers.opportunistic_tls_helpers import OpportunisticTlsError, get_opportunistic_tls_helper
from sslyze.connection_helpers.opportunistic_tls_helpers import ProtocolWithOpportunisticTlsEnum as Protocol
from sslyze.connection_helpers.tls_connection import SslConnection
from sslyze.server_connectivity import TlsVersionEnum
from sslyze.server_setting import ServerNetworkConfiguration, ServerNetworkLocation

from sio_lab.errors import ProbeTimeout, ProtocolError, ServiceUnavailable
from sio_lab.lab.services import TlsEndpoint
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.text import Text

_DEADLINE = 4  # seconds, for each handshake
_STARTTLS = {
    "ldap": Protocol.LDAP,
    "smtp": Protocol.SMTP,
    "imap": Protocol.IMAP,
    "postgres": Protocol.POSTGRES,
}
# The newest first: a service that does not answer at all is told at once.
_VERSIONS = {
    "TLSv1.3": TlsVersionEnum.TLS_1_3,
    "TLSv1.2": TlsVersionEnum.TLS_1_2,
    "TLSv1.1": TlsVersionEnum.TLS_1_1,
    "TLSv1": TlsVersionEnum.TLS_1_0,
    "SSLv3": TlsVersionEnum.SSL_3_0,
    "SSLv2": TlsVersionEnum.SSL_2_0,
}
OBSOLETE = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
"""Versions that must no longer be spoken (RFC 6176, RFC 7568, RFC 8996)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateObservation(Observation):
    """A client's handshake. ``granted``: the certificate was verified; ``refused``: the client hung up on it.

    Attributes:
        version: version that was agreed on: ``TLSv1.3``.
        days_left: days until the certificate expires, where it was verified.
    """

    version: str = ""
    days_left: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsObservation(Observation):
    """Handshakes with one version each. ``granted``: one at least was accepted.

    Attributes:
        accepted: versions that the service accepts.
    """

    accepted: frozenset[str] = frozenset()


def verify(
    machine: Machine, endpoint: TlsEndpoint, ca: Path | None, *, name: str = "", deadline: float = _DEADLINE
) -> CertificateObservation:
    """Connect to ``endpoint`` as a client that trusts ``ca`` alone and expects ``name`` in its certificate.

    Chain, name, dates and signatures are verified by OpenSSL, as common clients do (RFC 5280, RFC 9525).

    Args:
        machine: where the connection starts from; it resolves the service's name.
        endpoint: the service.
        ca: PEM bundle of authorities; ``None`` for those that this system trusts.
        name: name that the certificate must bear; default: the one that the service is reached by.
        deadline: seconds that each step may last.

    Raises:
        Unreachable: the machine does not answer.
        ProbeTimeout: the service does not answer within the deadline.
        ProtocolError: it hung up during the handshake.
    """
    at, start = datetime.now(UTC), monotonic()
    expected = name or endpoint.host
    version, days = "", 0.0
    answer: Answer = "refused"
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        with (
            machine.forward(endpoint.host, endpoint.port) as address,
            _ready_for_tls(address, endpoint, deadline) as raw,
            context.wrap_socket(raw, server_hostname=expected) as channel,
        ):
            version, days = channel.version() or "", _days_left(channel)
        answer, detail = "granted", ""
    except ServiceUnavailable as error:
        answer, detail = "unavailable", error.what.en
    except OpportunisticTlsError as error:
        detail = f"no STARTTLS: {error}"
    except ssl.SSLCertVerificationError as error:
        detail = error.verify_message
    except (ssl.SSLEOFError, ConnectionError) as error:
        raise ProtocolError(
            Text("le service a raccroché pendant la négociation", "the service hung up during the handshake"),
            where=where(endpoint),
        ) from error
    except ssl.SSLError as error:
        detail = f"no TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
    except TimeoutError as error:
        raise ProbeTimeout(
            Text(f"pas de réponse en {deadline:g} s", f"no answer within {deadline:g} s"), where=where(endpoint)
        ) from error
    evidence = machine.saw(
        "tls.verify",
        target=where(endpoint),
        sent=f"handshake{f' after STARTTLS ({endpoint.starttls})' if endpoint.starttls else ''}, name {expected}",
        received=detail or f"{version}, certificate verified, {days:.1f} days left",
        at=at,
        start=start,
    )
    return CertificateObservation(evidence, answer, detail, version=version, days_left=days)


def versions(machine: Machine, endpoint: TlsEndpoint, *, deadline: int = _DEADLINE) -> VersionsObservation:
    """Offer ``endpoint`` one version after the other, the obsolete ones too, from ``machine``.

    One handshake a version with sslyze's two OpenSSLs (one of them still speaks SSLv2), all ciphers at once.

    Raises:
        Unreachable: the machine does not answer.
        ProbeTimeout: the service does not answer a version that is not obsolete within the deadline.
    """
    at, start = datetime.now(UTC), monotonic()
    said: dict[str, str] = {}
    detail = ""
    try:
        with machine.forward(endpoint.host, endpoint.port) as address:
            for version in _VERSIONS:
                said[version] = _offer(version, address, endpoint, deadline)
    except ServiceUnavailable as error:
        detail = error.what.en
    accepted = frozenset(version for version, answer in said.items() if not answer)
    evidence = machine.saw(
        "tls.versions",
        target=where(endpoint),
        sent=f"one handshake with each of {', '.join(_VERSIONS)}",
        received=detail or "\n".join(f"{version}: {answer or 'accepted'}" for version, answer in said.items()),
        at=at,
        start=start,
    )
    answer: Answer = "unavailable" if detail else "granted" if accepted else "refused"
    return VersionsObservation(evidence, answer, detail, accepted=accepted)


def where(endpoint: TlsEndpoint) -> str:
    """Return ``host:port`` of ``endpoint``."""
    return f"{endpoint.host}:{endpoint.port}"


@contextmanager
def _ready_for_tls(address: tuple[str, int], endpoint: TlsEndpoint, deadline: float) -> Iterator[socket.socket]:
    """Connect, and ask for TLS where the protocol starts without it."""
    with socket.create_connection(address, timeout=deadline) as raw:
        if endpoint.starttls:
            protocol = _STARTTLS[endpoint.starttls]
            get_opportunistic_tls_helper(protocol, None, "sio-lab").prepare_socket_for_tls_handshake(raw)
        yield raw


def _days_left(channel: ssl.SSLSocket) -> float:
    certificate = channel.getpeercert()
    assert certificate  # noqa: S101  # it was verified
    return (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time()) / 86400


def _offer(version: str, address: tuple[str, int], endpoint: TlsEndpoint, deadline: int) -> str:
    """Return why ``version`` was not accepted; empty where it was."""
    host, port = address
    network = ServerNetworkConfiguration(
        tls_server_name_indication=endpoint.host, network_timeout=deadline, network_max_retries=1
    )
    if endpoint.starttls:
        network = replace(network, tls_opportunistic_encryption=_STARTTLS[endpoint.starttls])
    connection = SslConnection(
        ServerNetworkLocation(hostname=endpoint.host, port=port, ip_address=host),
        network,
        _VERSIONS[version],
        should_ignore_client_auth=True,
    )
    try:
        connection.connect()
    except (ClientCertificateRequested, sslyze_errors.ServerTlsConfigurationNotSupported):
        return ""  # both come after the version was agreed on
    except (sslyze_errors.ConnectionToServerTimedOut, sslyze_errors.TlsHandshakeTimedOut) as error:
        if version not in OBSOLETE:
            raise ProbeTimeout(
                Text(f"pas de réponse en {deadline} s", f"no answer within {deadline} s"), where=where(endpoint)
            ) from error
        return "no answer"  # some servers wait for the rest of a greeting that they do not know
    except sslyze_errors.ConnectionToServerFailed as error:
        return error.error_message
    except (_nassl.OpenSSLError, OSError) as error:
        return str(error)
    finally:
        with suppress(Exception):  # nothing to close where the handshake failed
            connection.close()
    return ""
