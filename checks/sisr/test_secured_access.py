"""2.1.g: secured access to a service, from inside and from outside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.infrastructure import SecuredAccess
from sio_lab.lab.services import TlsEndpoint
from sio_lab.probes import cleartext, flow, tls, web
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

CONTENT = re.compile(r"HTTP/\d(\.\d)? 2\d\d")
"""How an answer that gives content begins (RFC 9112 §4)."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, who may see it, and from where it is asked for."""

    url: str
    account: str
    machine: Machine

    @property
    def endpoint(self) -> TlsEndpoint:
        """Where it is served."""
        parts = urlsplit(self.url)
        return TlsEndpoint(host=parts.hostname or "", port=parts.port or 443)

    def __str__(self) -> str:
        return f"{self.url} ({self.machine.name})"


@requirement("2.1.g", title=Text("Intranet", "Intranet"), uses=["secured_access"], deadline=60)
def test_intranet(proof: Proof, service: SecuredAccess) -> None:
    """The intranet opens over TLS to an internal account; not without a login, nor to an external account.

    Satisfied: from inside, its certificate is verified, it refuses without a login, opens to the internal account,
    refuses the external one, and gives nothing in clear; from outside it cannot be reached, or refuses without a
    login all the same.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer.
    Reads: services.secured_access.
    """
    page = Page(service.intranet_url, service.intranet_account, proof.machine(service.client))
    secured(proof, page)
    external = service.extranet_account
    proof.refused(
        web.get(page.machine, page.url, proof.ca, auth=(external, proof.password(external))),
        fr=f"{external}, compte externe, accède à l'intranet",
        en=f"{external}, an external account, gets at the intranet",
    )
    outside = Page(page.url, page.account, proof.machine(service.outside_client))
    (way,) = flow.tcp(outside.machine, [(outside.endpoint.host, outside.endpoint.port)])
    if way.granted:
        closed_without_login(proof, outside)
    nothing_in_clear(proof, outside)


@requirement("2.1.g", title=Text("Extranet", "Extranet"), uses=["secured_access"], deadline=60)
def test_extranet(proof: Proof, service: SecuredAccess) -> None:
    """The extranet opens over TLS, from outside as from inside, to an external account, not without a login.

    Satisfied: from both sides its certificate is verified, it refuses without a login, opens to the external
    account, and gives nothing in clear.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer.
    Reads: services.secured_access.
    """
    for name in (service.outside_client, service.client):
        secured(proof, Page(service.extranet_url, service.extranet_account, proof.machine(name)))


def secured(proof: Proof, page: Page) -> None:
    """Judge that ``page`` is seen over TLS after a login, and not otherwise."""
    proof.works(
        tls.verify(page.machine, page.endpoint, proof.ca),
        fr=f"le certificat de {page} n'est pas valable",
        en=f"the certificate of {page} is not valid",
    )
    closed_without_login(proof, page)
    proof.works(
        web.get(page.machine, page.url, proof.ca, auth=(page.account, proof.password(page.account))),
        fr=f"{page.account} n'accède pas à {page}",
        en=f"{page.account} does not get at {page}",
    )
    nothing_in_clear(proof, page)


def closed_without_login(proof: Proof, page: Page) -> None:
    """Judge that ``page`` is refused to who does not say who they are."""
    proof.refused(
        web.get(page.machine, page.url, proof.ca),
        fr=f"{page} s'ouvre sans authentification",
        en=f"{page} opens without a login",
    )


def nothing_in_clear(proof: Proof, page: Page) -> None:
    """Judge that ``page`` is not given in clear: neither by its own port, nor by that of HTTP."""
    host, path = page.endpoint.host, urlsplit(page.url).path or "/"
    # A port that nothing gets through to needs no request; filters may not even answer one.
    ways = flow.tcp(page.machine, [(host, port) for port in dict.fromkeys((80, page.endpoint.port))])
    replies = {
        way.port: cleartext.get(page.machine, f"http://{host}:{way.port}{path}") for way in ways if way.granted
    }
    readable = ", ".join(str(port) for port, seen in replies.items() if CONTENT.match(seen.reply))
    proof.holds(
        not readable,
        *ways,
        *replies.values(),
        side="negative",
        fr=f"{page} se lit en clair, port {readable}",
        en=f"{page} can be read in clear, port {readable}",
    )
