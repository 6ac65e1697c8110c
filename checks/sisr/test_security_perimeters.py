"""2.1.a: a network of several security perimeters, between which only what is declared gets through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sio_lab import parallel
from sio_lab.audit import flows
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError, ProbeError
from sio_lab.lab import matrix
from sio_lab.lab.model import Lab
from sio_lab.probes import flow_matrix
from sio_lab.probes.flow_matrix import Seen
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

SHOWN = 4


@requirement("2.1.a", title=Text("Matrice de flux éprouvée", "Flow matrix tried out"), deadline=90)
def test_flow_matrix(lab: Lab, proof: Proof) -> None:
    """What the flow matrix allows gets through, everything else is stopped, and forged sources too.

    From every machine that can be reached, packets go to every machine of the other perimeters and to the
    firewalls: all ports that any flow names, and those that are tried first by whoever tries. Both ends are
    watched. Inside a perimeter nothing filters, and nothing is tried.

    Satisfied: each packet that a flow allows arrives, and the answer comes back where there is one; each other
    packet was seen to leave and did not arrive, those that bear somebody else's address among them, of which the
    like with a true address arrive. A server that is down where its flow arrives is no fault of the filter.
    Not satisfied: one packet at least arrives that no flow allows, or one that is allowed does not arrive, or its
    answer is stopped.
    Unverified: fewer than two perimeters, no flow, or an end that cannot be watched (a machine that does not
    answer and is named by a flow, without python3 or not as root).
    Reads: flows, perimeters, machines, shared_addresses.
    """
    machines, lost = reachable(lab, proof)
    homes = {home for name, home in matrix.senders(lab).items() if name in machines}
    if len(homes) < 2 or not lab.flows:
        raise InconclusiveError(
            Text(
                "il faut des flux déclarés, et une machine joignable dans deux périmètres au moins",
                "flows must be declared, and a machine be reachable in two perimeters at least",
            )
        )
    sent = flow_matrix.send(lab, machines, matrix.trials(lab, machines))
    packets = [packet for each in sent for packet in each.packets]
    proof.attach(flows.cells(lab, packets))
    closed = [packet for packet in packets if packet.trial.allowed and flows.told(packet) == "closed"]
    opened = [packet for packet in packets if not packet.trial.allowed and flows.told(packet) == "open"]
    forged = [packet for packet in opened if packet.trial.claimed]
    forbidden = [packet for packet in opened if not packet.trial.claimed]
    positive, negative = ([each for each in sent if each.allowed is allowed] for allowed in (True, False))
    proof.holds(
        not forbidden,
        *negative,
        side="negative",
        fr=f"des flux qu'aucune ligne n'autorise passent : {named(forbidden)}",
        en=f"flows that no line allows get through: {named(forbidden)}",
    )
    proof.holds(
        not forged,
        side="negative",
        fr=f"des paquets à l'adresse source usurpée passent : {named(forged)}",
        en=f"packets with a forged source get through: {named(forged)}",
    )
    proof.holds(
        not closed,
        *positive,
        side="positive",
        fr=f"des flux autorisés ne passent pas : {named(closed)}",
        en=f"allowed flows do not get through: {named(closed)}",
    )
    if not any(packet.trial.claimed for packet in packets):
        raise InconclusiveError(
            Text(
                "aucun flux autorisé entre périmètres où éprouver une source usurpée",
                "no allowed flow between perimeters to try a forged source on",
            )
        )
    complete(lab, lost, packets, proof)


def reachable(lab: Lab, proof: Proof) -> tuple[dict[str, Machine], dict[str, str]]:
    """Return the machines that answer, and why the others do not."""
    lost: dict[str, str] = {}

    def reach(name: str) -> Machine | None:
        try:
            return proof.machine(name)
        except ProbeError as error:
            lost[name] = error.what.en
            return None

    found = zip(lab.machines, parallel.each(reach, lab.machines, workers=16), strict=True)
    return {name: machine for name, machine in found if machine}, lost


def complete(lab: Lab, lost: Iterable[str], packets: Sequence[Seen], proof: Proof) -> None:
    """Tell what could not be tried from a machine that others of its perimeter stand for.

    Raises:
        InconclusiveError: something could not be told that nothing else stands for.
    """
    homes = matrix.senders(lab)
    named_by_flows = {flow.source for flow in lab.flows}
    told = [packet for packet in packets if flows.told(packet) != "not_told"]
    telling = {packet.trial.source for packet in told}
    silent = [name for name in homes if name not in telling and (name in lost or has_sent(name, packets))]
    replaced = [
        name
        for name in silent
        if name not in named_by_flows and any(homes[other] == homes[name] for other in telling)
    ]
    missing = [name for name in silent if name not in replaced]
    untold = [p for p in packets if flows.told(p) == "not_told" and p.trial.source in telling]
    if missing or untold:
        names = ", ".join(missing)
        raise InconclusiveError(
            Text(
                f"des cases de la matrice n'ont pas pu être éprouvées : "
                f"{f'rien depuis {names}' if missing else f'{named(untold)} ({untold[0].detail})'}",
                f"cells of the matrix could not be tried: "
                f"{f'nothing from {names}' if missing else f'{named(untold)} ({untold[0].detail})'}",
            ),
            todo=Text(
                "les machines aux deux bouts doivent répondre, avec python3, et à root",
                "the machines at both ends must answer, with python3, to root",
            ),
        )
    if replaced:
        names = ", ".join(replaced)
        proof.remark(
            fr=f"rien n'a été envoyé depuis {names} ; d'autres machines du même périmètre ont été éprouvées",
            en=f"nothing was sent from {names}; other machines of the same perimeter were tried",
        )


def has_sent(name: str, packets: Iterable[Seen]) -> bool:
    """Return whether something was to be sent from the machine ``name``."""
    return any(packet.trial.source == name for packet in packets)


def named(packets: Sequence[Seen]) -> str:
    """Return the first few of ``packets`` in words."""
    words = list(dict.fromkeys(f"{flows.pair(packet)} {port(packet)}" for packet in packets))
    more = f", + {len(words) - SHOWN}" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


def port(packet: Seen) -> str:
    """Return ``tcp/443``, or ``icmp``."""
    trial = packet.trial
    return f"{trial.protocol}/{trial.port}" if trial.port else trial.protocol
