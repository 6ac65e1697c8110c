"""2.1.c: a frame analyser."""

from __future__ import annotations

import secrets

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import FrameAnalyser
from sio_lab.lab.model import Lab
from sio_lab.probes import analysis, ssh_server
from sio_lab.probes.machine import Machine
from sio_lab.text import Text


@requirement("2.1.c", title=Text("Analyse de trames", "Analysis of frames"), uses=["frame_analyser"], deadline=60)
def test_dialogue_seen_and_decoded(lab: Lab, proof: Proof, service: FrameAnalyser) -> None:
    """A dialogue held for the purpose is seen and decoded, once it was held and not before.

    The dialogue is the beginning of SSH's, which administration opens everywhere: in it each side says in clear
    what it is (RFC 4253 §4.2), here with a unique mark.

    Satisfied: the analyser gives the addresses, the protocol and the mark of a dialogue, and had nothing of it
    before it was held, while it decoded another one.
    Not satisfied: the analyser does not start, or does not show the dialogue as it was.
    Unverified: a machine does not answer, or nobody listens at the peer.
    Reads: services.frame_analyser, the addresses of both machines.
    """
    analyser = proof.machine(service.machines[0])
    first, second = secrets.token_hex(8), secrets.token_hex(8)
    here, there = (set(map(str, lab.addresses_of(name).values())) for name in (service.machines[0], service.peer))
    with analysis.listening(analyser, service, there) as listening:
        proof.works(listening.started, fr="l'analyseur ne démarre pas", en="the analyser does not start")
        proof.works(
            listening.control(lambda: hold_dialogue(lab, analyser, service, first), first),
            fr="l'analyseur ne montre pas le dialogue",
            en="the analyser does not show the dialogue",
        )
        proof.refused(
            listening.seen(second, within=0),
            fr="l'analyseur montre un dialogue qui n'a pas eu lieu",
            en="the analyser shows a dialogue that was not held",
        )
        hold_dialogue(lab, analyser, service, second)
        seen = listening.seen(second, within=analysis.DELAY)
    proof.works(
        seen,
        fr="l'analyseur ne montre pas le second dialogue",
        en="the analyser does not show the second dialogue",
    )
    frame = seen.requests[0]
    proof.holds(
        frame.protocol == "ssh"
        and bool(frame.source and frame.target)
        and (not here or frame.source in here)
        and (not there or frame.target in there),
        seen,
        side="positive",
        fr=f"le dialogue est mal décodé : {frame}",
        en=f"the dialogue is not decoded as it was: {frame}",
    )


def hold_dialogue(lab: Lab, client: Machine, service: FrameAnalyser, token: str) -> None:
    """Begin an SSH dialogue with the peer, marked with ``token``.

    Raises:
        InconclusiveError: nobody answers it.
    """
    held = ssh_server.algorithms(client, lab.fqdn(service.peer), software=f"siolab_{token}")
    if held.answer == "unavailable":
        raise InconclusiveError(
            Text(
                f"aucun serveur SSH n'écoute sur {service.peer} : aucun dialogue à analyser",
                f"nobody listens over SSH on {service.peer}: no dialogue to analyse",
            ),
            where=service.machines[0],
        )
