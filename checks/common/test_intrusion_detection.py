"""1.3.b, for its part: intrusion detection."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit, urlunsplit

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.lab.services import IntrusionDetection
from sio_lab.probes import alerts, cleartext, web
from sio_lab.text import Text

SILENCE = 1.0
"""Seconds that the harmless request is watched for."""


@requirement(
    "1.3.b", title=Text("Détection d'intrusion", "Intrusion detection"), uses=["intrusion_detection"], deadline=60
)
def test_alert_on_a_known_attack(lab: Lab, proof: Proof, service: IntrusionDetection) -> None:
    """A harmless request that a known rule matches, sent from outside, raises its alert; an ordinary one does not.

    Satisfied: the declared alert about that very request stands in the log within the declared delay, and none
    about an ordinary request sent the same way just before. An attack that is not seen is tried once more.
    Not satisfied: no alert in time, or an alert about the ordinary request too.
    Unverified: a machine does not answer, or the request found nobody to be sent to.
    Reads: services.intrusion_detection, the addresses of its outside client.
    """
    outside, sensor = proof.machine(service.outside_client), proof.machine(service.machines[0])
    addresses = [str(address) for address in lab.machines[service.outside_client].addresses.values()]
    ordinary = secrets.token_hex(8)

    def watch(token: str, seconds: float) -> alerts.AlertObservation:
        return alerts.after(
            sensor,
            service.log,
            point,
            signature=service.signature,
            # Some logs tell of the request, others only where it came from.
            about=[token, *addresses],
            within=seconds,
        )

    def send(url: str) -> None:
        clear = urlsplit(url).scheme == "http"
        sent = cleartext.get(outside, url) if clear else web.get(outside, url, proof.ca)
        if sent.answer == "unavailable":
            raise InconclusiveError(
                Text(
                    f"aucun service n'écoute là où la requête est envoyée : rien à détecter ({sent.detail})",
                    f"nobody listens where the request is sent: nothing to detect ({sent.detail})",
                ),
                where=url,
            )

    point = alerts.end(sensor, service.log)
    send(urlunsplit(urlsplit(service.trigger_url)._replace(path=f"/{ordinary}", query="")))
    quiet = watch(ordinary, SILENCE)
    proof.holds(
        not quiet.granted,
        quiet,
        side="negative",
        fr="une requête ordinaire déclenche l'alerte",
        en="an ordinary request raises the alert",
    )

    def attack() -> alerts.AlertObservation:
        token = secrets.token_hex(8)
        send(service.trigger_url.replace("{token}", token))
        return watch(token, service.delay_seconds)

    raised = alerts.tried_again(attack)
    proof.works(
        raised,
        fr=f"l'attaque connue ne déclenche pas l'alerte « {service.signature} »",
        en=f"the known attack does not raise the alert '{service.signature}'",
    )
    late = [alert for alert in raised.alerts if ordinary in alert]
    proof.holds(
        not late,
        raised,
        side="positive",
        fr="une requête ordinaire a aussi déclenché l'alerte, plus tard",
        en="an ordinary request raised the alert too, later on",
    )
