"""1.1.c: secured internet access."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.services import InternetAccess
from sio_lab.probes import flow, gateway, web
from sio_lab.text import Text

WEB_PORTS = (80, 443)


@requirement(
    "1.1.c",
    title=Text("Accès par la passerelle", "Access through the gateway"),
    uses=["internet_access"],
    deadline=60,
)
def test_access_through_the_gateway(proof: Proof, service: InternetAccess) -> None:
    """Users go out through the gateway only, under their name, where the policy lets them.

    Satisfied: from a user's machine, the allowed site comes through the gateway with the user's login, and the
    gateway's log says so under that name; without login or with a wrong password nothing comes; the forbidden
    site is refused though it exists; past the gateway, neither site can be reached though the gateway does.
    Not satisfied: one of these is seen to be otherwise. A page that explains a refusal must come with an error
    status or from another site: with status 200 under the forbidden name it cannot be told from the site.
    Unverified: a machine does not answer, the client has no curl, a site does not exist.
    Reads: services.internet_access.
    """
    client = proof.machine(service.client)
    account, password = service.account, proof.password(service.account)
    allowed = gateway.get(client, service.proxy_url, service.allowed_url, account=account, password=password)
    if not allowed.granted:
        must_exist(proof, service, service.allowed_url)
    proof.works(
        allowed,
        fr=f"{account} n'accède pas au site autorisé par la passerelle",
        en=f"{account} does not get at the allowed site through the gateway",
    )
    proof.refused(
        gateway.get(client, service.proxy_url, service.allowed_url),
        fr="la passerelle laisse sortir sans authentification",
        en="the gateway lets out without a login",
    )
    proof.refused(
        gateway.get(
            client, service.proxy_url, service.allowed_url, account=account, password=secrets.token_hex(8)
        ),
        fr="la passerelle accepte un mot de passe faux",
        en="the gateway accepts a wrong password",
    )
    stands_in_the_log(proof, service)
    must_exist(proof, service, service.forbidden_url)
    proof.refused(
        gateway.get(client, service.proxy_url, service.forbidden_url, account=account, password=password),
        fr="le site interdit s'ouvre par la passerelle",
        en="the forbidden site opens through the gateway",
    )
    no_way_past_the_gateway(proof, service)


def must_exist(proof: Proof, service: InternetAccess, url: str) -> None:
    """Make sure that the gateway itself can get ``url``: that users cannot would prove nothing otherwise.

    Raises:
        InconclusiveError: it cannot.
    """
    seen = web.public_page(proof.machine(service.machines[0]), url)
    if not 0 < seen.status < 400:  # a redirection is an answer of the site too
        raise InconclusiveError(
            Text(
                f"la passerelle elle-même n'obtient pas {url} ({seen.detail}) : qu'un poste ne l'obtienne pas "
                "ne prouve rien",
                f"the gateway itself does not get {url} ({seen.detail}): that users do not proves nothing",
            ),
            where=service.machines[0],
            todo=Text("déclarez une page qui existe", "declare a page that exists"),
        )


def stands_in_the_log(proof: Proof, service: InternetAccess) -> None:
    """Judge that an access stands in the gateway's log, under the user's name."""
    host = proof.machine(service.log.machine)
    token = f"sio-lab-{secrets.token_hex(8)}"
    # Of an encrypted request the gateway sees the site's name alone; the log is read from where it ends now.
    encrypted = service.allowed_url.startswith("https:")
    since = gateway.log_size(host, service.log.path)
    gateway.get(
        proof.machine(service.client),
        service.proxy_url,
        service.allowed_url if encrypted else f"{service.allowed_url.rstrip('/')}/{token}",
        account=service.account,
        password=proof.password(service.account),
    )
    mark = urlsplit(service.allowed_url).hostname or "" if encrypted else token
    seen = gateway.logged(host, service.log.path, since, mark, service.account)
    proof.works(
        seen,
        fr=f"l'accès n'est pas journalisé au nom de {service.account}",
        en=f"the access is not logged under the name of {service.account}",
    )


def no_way_past_the_gateway(proof: Proof, service: InternetAccess) -> None:
    """Judge that the sites, which the gateway reaches, cannot be reached past it."""
    urls = [urlsplit(url) for url in (service.allowed_url, service.forbidden_url)]
    asked = [(url.hostname or "", port) for url in urls for port in {*WEB_PORTS, url.port or 80}]
    reached = [seen for seen in flow.tcp(proof.machine(service.machines[0]), asked) if seen.granted]
    if not reached:
        raise InconclusiveError(
            Text("la passerelle n'atteint aucun des sites", "the gateway reaches none of the sites"),
            where=service.machines[0],
        )
    # By address: a user's machine may know no name of the internet, which keeps nobody from going there.
    targets = list(dict.fromkeys((seen.address, seen.port) for seen in reached))
    for seen in flow.tcp(proof.machine(service.client), targets):
        proof.holds(
            not seen.granted,
            seen,
            side="negative",
            fr=f"{service.client} sort directement vers {seen.host}:{seen.port}, sans la passerelle",
            en=f"{service.client} goes straight out to {seen.host}:{seen.port}, past the gateway",
        )
