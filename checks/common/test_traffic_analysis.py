"""1.3.d: traffic analysis."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.lab.services import TlsEndpoint, TrafficAnalysis
from sio_lab.probes import analysis, cleartext, tls
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text


@requirement(
    "1.3.d", title=Text("Analyse d'un flux", "Analysis of a flow"), uses=["traffic_analysis"], deadline=60
)
def test_flow_seen_and_decoded(lab: Lab, proof: Proof, service: TrafficAnalysis) -> None:
    """A request made for the purpose is seen and decoded by the analyser, once it was made and not before.

    Satisfied: the analyser gives the addresses, the protocol and the server of a request that bears a unique mark
    (in its path, or in the server's name where it is encrypted), and had nothing of it before it was made, while
    it decoded another one.
    Not satisfied: the analyser does not start, or does not show the request.
    Unverified: a machine does not answer, or the request finds nobody to be sent to.
    Reads: services.traffic_analysis, the addresses of its flow client.
    """
    analyser, client = proof.machine(service.machines[0]), proof.machine(service.flow_client)
    first, second = secrets.token_hex(8), secrets.token_hex(8)
    sources = set(map(str, lab.addresses_of(service.flow_client).values()))
    with analysis.listening(analyser, service, sources) as listening:
        proof.works(listening.started, fr="l'analyseur ne démarre pas", en="the analyser does not start")
        proof.works(
            listening.control(lambda: make_flow(client, service, first), first),
            fr="l'analyseur ne montre pas le flux émis",
            en="the analyser does not show the flow that was made",
        )
        proof.refused(
            listening.seen(second, within=0),
            fr="l'analyseur montre un flux qui n'a pas été émis",
            en="the analyser shows a flow that was not made",
        )
        make_flow(client, service, second)
        seen = listening.seen(second, within=analysis.DELAY)
    proof.works(
        seen,
        fr="l'analyseur ne montre pas le second flux émis",
        en="the analyser does not show the second flow that was made",
    )
    request = seen.requests[0]
    scheme, host = urlsplit(service.flow_url).scheme, urlsplit(service.flow_url).netloc
    proof.holds(
        (not sources or request.source in sources)
        and bool(request.target)
        and request.protocol == ("http" if scheme == "http" else "tls")
        and (scheme != "http" or (request.method, request.host) == ("GET", host)),
        seen,
        side="positive",
        fr=f"le flux est mal décodé : {request}",
        en=f"the flow is not decoded as it was: {request}",
    )


def make_flow(client: Machine, service: TrafficAnalysis, token: str) -> None:
    """Make the declared request, marked with ``token``.

    Raises:
        InconclusiveError: nobody answers it.
    """
    parts = urlsplit(service.flow_url)
    made: Observation
    if parts.scheme == "http":
        made = cleartext.get(client, f"http://{parts.netloc}/{token}")
    else:
        endpoint = TlsEndpoint(host=parts.hostname or "", port=parts.port or 443)
        # Of what is encrypted, the name that the client asks for is what can be seen.
        made = tls.verify(client, endpoint, None, name=f"{token}.{parts.hostname}")
    if made.answer == "unavailable":
        raise InconclusiveError(
            Text(
                f"personne n'écoute à {service.flow_url} : aucun flux à analyser",
                f"nobody listens at {service.flow_url}: no flow to analyse",
            ),
            where=service.flow_client,
        )
