"""1.3.c: encryption of services, and of a login (that of backups: see test_backup.py)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sio_lab import parallel
from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError, SioLabError
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Encryption, TlsEndpoint
from sio_lab.probes import capture, cleartext, tls, web
from sio_lab.probes.web import WebObservation
from sio_lab.text import Text

PORTS = {"https": (443, ""), "ldaps": (636, ""), "ldap": (389, "ldap")}
"""Default port and way to TLS of the addresses that are examined; the others speak no TLS."""


@dataclass(frozen=True, slots=True)
class Target:
    """A service that speaks TLS, and the machine that uses it."""

    client: str
    endpoint: TlsEndpoint


@requirement("1.3.c", title=Text("Services TLS", "TLS services"), uses=["encryption"], deadline=60)
def test_tls_services(lab: Lab, proof: Proof, service: Encryption) -> None:
    """Every declared TLS service shows a certificate that verifies, and refuses obsolete versions.

    Satisfied: each service that answers is verified (authority, name, dates), has enough days left, accepts
    TLS 1.2 or 1.3 and refuses what came before. Those that are stopped are named: nothing is known of them.
    Not satisfied: one of them is seen to do otherwise, or to answer without TLS.
    Unverified: none answers, one does not answer in time, or our own verification lets a wrong name through.
    Reads: services.encryption, and the addresses of all other services.
    """
    targets = list(declared(lab, service))
    outcomes = parallel.each(lambda target: examine(proof, service, target), targets, workers=8)
    # One that is proven bad decides, whatever could not be seen of the others.
    errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    for error in sorted(errors, key=lambda error: not isinstance(error, NotSatisfiedError)):
        raise error
    stopped = [tls.where(target.endpoint) for target, seen in zip(targets, outcomes, strict=True) if seen is False]
    if len(stopped) == len(targets):
        raise InconclusiveError(
            Text("aucun service TLS déclaré ne répond", "no declared TLS service answers"),
            where=", ".join(stopped),
        )
    if stopped:
        names = ", ".join(stopped)
        proof.remark(fr=f"arrêtés, donc non examinés : {names}", en=f"stopped, hence not examined: {names}")


def examine(proof: Proof, service: Encryption, target: Target) -> bool | Exception:
    """Return whether a service answered, or how its examination ended; the others are examined all the same."""
    try:
        return judged(proof, service, target)
    except (NotSatisfiedError, SioLabError) as error:
        return error


def judged(proof: Proof, service: Encryption, target: Target) -> bool:
    """Judge one service; return whether it answered at all."""
    machine, endpoint, name = proof.machine(target.client), target.endpoint, tls.where(target.endpoint)
    authorities = proof.ca if service.ca == "lab" else Path(service.ca).expanduser()
    seen = tls.verify(machine, endpoint, authorities)
    if seen.answer == "unavailable":
        return False
    proof.works(
        seen,
        fr=f"le certificat de {name} n'est pas valable",
        en=f"the certificate of {name} is not valid",
    )
    proof.holds(
        seen.days_left >= service.min_days_left,
        seen,
        side="positive",
        fr=f"le certificat de {name} expire dans {seen.days_left:.0f} jours",
        en=f"the certificate of {name} expires in {seen.days_left:.0f} days",
    )
    stranger = tls.verify(machine, endpoint, authorities, name=f"{secrets.token_hex(4)}.invalid")
    if stranger.granted:
        raise InconclusiveError(
            Text("notre vérification laisse passer un autre nom", "our verification lets another name through"),
            where=name,
        )
    offered = tls.versions(machine, endpoint)
    if not offered.accepted:
        raise InconclusiveError(
            Text(
                "le service vient de répondre en TLS, puis plus aucune version ne passe : connexion perdue",
                "the service has just answered over TLS, then takes no version at all: connection lost",
            ),
            where=name,
        )
    proof.holds(
        bool(offered.accepted - tls.OBSOLETE),
        offered,
        side="positive",
        fr=f"{name} n'accepte ni TLS 1.2 ni TLS 1.3",
        en=f"{name} accepts neither TLS 1.2 nor TLS 1.3",
    )
    obsolete = ", ".join(sorted(offered.accepted & tls.OBSOLETE))
    proof.holds(
        not obsolete,
        offered,
        side="negative",
        fr=f"{name} accepte encore {obsolete}",
        en=f"{name} still accepts {obsolete}",
    )
    return True


def declared(lab: Lab, service: Encryption) -> Iterator[Target]:
    """Yield each TLS service that the lab declares, once, with the machine that uses it."""
    found: dict[tuple[str, int], Target] = {}
    users = [each.machines[0] for each in lab.applications.values()]
    for _, section in lab.services:
        client = getattr(section, "client", service.client)
        if users and section is lab.services.remote_data:
            client = users[0]  # nobody else has a way there
        for field in ("url", "internal_url", "proxy_url", "login_url"):
            endpoint = of_url(str(getattr(section, field, "")))
            if endpoint and section is not lab.services.cloud:  # elsewhere, by another authority
                found.setdefault((endpoint.host, endpoint.port), Target(client, endpoint))
    dbms = lab.services.dbms
    if dbms and dbms.product == "postgresql":
        endpoint = TlsEndpoint(host=dbms.host, port=dbms.port, starttls="postgres")
        found.setdefault((dbms.host, dbms.port), Target(dbms.client, endpoint))
    for endpoint in service.endpoints:
        found.setdefault((endpoint.host, endpoint.port), Target(service.client, endpoint))
    yield from found.values()


def of_url(url: str) -> TlsEndpoint | None:
    """Return the TLS service that ``url`` leads to, if it speaks TLS."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        return None
    port, starttls = PORTS[parts.scheme]
    return TlsEndpoint.model_validate({"host": parts.hostname, "port": parts.port or port, "starttls": starttls})


@requirement(
    "1.3.c", title=Text("Capture d'une connexion", "Capture of a login"), uses=["encryption"], deadline=60
)
def test_login_capture(lab: Lab, proof: Proof, service: Encryption) -> None:
    """Who captures the packets of a login on their way finds neither password nor session token.

    Satisfied: a capture that holds what was sent in clear before and after the login, and the server's name in
    its handshake, holds the password in none of its usual forms, nor the cookies of the session.
    Not satisfied: one of these is found in it.
    Unverified: a machine or the service does not answer, or the capture did not see what it should have.
    Reads: services.encryption; where its login does not answer, services.restricted_area and collaboration.
    """
    client, witness = proof.machine(service.client), proof.machine(service.capture_on)
    password = proof.password(service.account)
    url = answering(lab, proof, service)
    parts = urlsplit(url)
    before, after = secrets.token_hex(12), secrets.token_hex(12)

    def mark(token: str) -> None:
        cleartext.get(client, f"http://{parts.hostname}:{parts.port or 443}/{token}")

    with capture.on(witness, service.capture_interface, packets_of(lab, parts.hostname or "")) as packets:
        mark(before)
        login = web.get(client, url, proof.ca, auth=(service.account, password))
        mark(after)
        seen = packets.search(
            {
                "mark before": before,
                "mark after": after,
                "server's name": parts.hostname or "",
                **capture.credentials(service.account, password),
                **{f"cookie {name}": value for name, value in cookies(login).items()},
            }
        )
    complete = {"mark before", "mark after", "server's name"}
    if not complete <= seen.found or seen.missed or not login.status:
        lost = ", ".join(sorted(complete - seen.found)) or f"{seen.missed} packets"
        raise InconclusiveError(
            Text(f"la capture n'a pas tout vu : {lost}", f"the capture did not see everything: {lost}"),
            where=service.capture_on,
        )
    proof.holds(login.status > 0, login, side="positive", fr="pas de connexion", en="no login")
    leaked = ", ".join(sorted(seen.found - complete))
    proof.holds(
        not leaked,
        seen,
        side="negative",
        fr=f"la capture de la connexion livre : {leaked}",
        en=f"the capture of the login gives away: {leaked}",
    )


def answering(lab: Lab, proof: Proof, service: Encryption) -> str:
    """Return the login to capture: the declared one, or another that takes a password where it is stopped.

    Raises:
        InconclusiveError: none answers.
    """
    others = (lab.services.restricted_area, lab.services.collaboration)
    urls = [service.login_url, *(other.url for other in others if other and other.url.startswith("https:"))]
    for url in urls:
        if web.get(proof.machine(service.client), url, proof.ca).status:
            if url != service.login_url:
                proof.remark(
                    fr=f"{service.login_url} ne répond pas : c'est la connexion à {url} qui a été capturée",
                    en=f"{service.login_url} does not answer: the login to {url} was captured instead",
                )
            return url
    raise InconclusiveError(Text("aucune connexion à capturer", "no login to capture"), where=", ".join(urls))


def packets_of(lab: Lab, host: str) -> str:
    """Return the filter (pcap-filter(7)) of what goes to and from ``host``: a login, and what it asks in turn."""
    name = lab.machine_of(host)
    addresses = [str(address) for address in lab.machines[name].addresses.values()] if name else []
    hosts = " or ".join(f"host {address}" for address in addresses)
    return f"({hosts}) and not tcp port 22" if hosts else "not tcp port 22"


def cookies(login: WebObservation) -> dict[str, str]:
    """Return the cookies that ``login`` set, but for those too short to be anybody's secret."""
    # Several headers are joined by commas, which dates hold too (RFC 6265 §3).
    each = re.split(r",\s*(?=[^;,\s]+=)", login.headers.get("set-cookie", ""))
    pairs = (cookie.partition(";")[0].partition("=") for cookie in each)
    return {name.strip(): value for name, _, value in pairs if len(value) >= 8}
