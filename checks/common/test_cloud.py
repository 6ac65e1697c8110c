"""0.a: an online resource, recommended."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.services import Cloud, TlsEndpoint
from sio_lab.probes import tls
from sio_lab.text import Text


@requirement("0.a", title=Text("Ressource en ligne", "Online resource"), uses=["cloud"], informational=True)
def test_online_resource(proof: Proof, service: Cloud) -> None:
    """The declared online resource answers over TLS, with a certificate of a public authority.

    Satisfied: its certificate verifies under its name, and under no other.
    Not satisfied: nothing listens there, or its certificate does not verify.
    Unverified: it does not answer in time.
    Reads: services.cloud.
    """
    machine, parts = proof.machine(service.client), urlsplit(service.url)
    endpoint = TlsEndpoint(host=parts.hostname or "", port=parts.port or 443)
    proof.works(
        tls.verify(machine, endpoint, None),
        fr="la ressource en ligne ne répond pas comme elle le devrait",
        en="the online resource does not answer as it should",
    )
    proof.refused(
        tls.verify(machine, endpoint, None, name=f"{secrets.token_hex(4)}.invalid"),
        fr="la vérification laisse passer un autre nom",
        en="the verification lets another name through",
    )
