"""2.1.h: continuity of a service, with its data."""

from __future__ import annotations

from sio_lab.audit import continuity, outage
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.disruption import cuts
from sio_lab.disruption.watch import Watch
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import Continuity
from sio_lab.probes import entries
from sio_lab.probes.entries import EntriesObservation
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Ran
from sio_lab.text import Text

SETTLING = 60.0
"""Seconds that the nominal state gets to be there at first: all may have started just now."""
RETURN = 120.0
"""Seconds within which the nominal state must be back, once the machine is."""
USE = 3.0
"""Seconds that the service is used while the nominal machine is away, beyond those that it may be out."""


@requirement(
    "2.1.h",
    title=Text("Arrêt de la machine nominale", "Loss of the nominal machine"),
    intensity="disrupt",
    uses=["continuity"],
    # Those that use the data, and those that look at every machine or at every service.
    disturbs=[
        *("continuity", "dbms", "website", "load_balancer", "backup", "operating_systems"),
        *("supervision", "remote_administration", "encryption"),
    ],
    deadline=400,
)
def test_the_nominal_machine_is_lost(proof: Proof, service: Continuity) -> None:
    """A user goes on adding entries and reading them while the nominal machine loses its power and comes back.

    Satisfied: the service is out for no longer than declared, for who reads and for who writes; while the machine
    is cut, another says that it replaces it, all that was acknowledged before is read, and entries are added; each
    acknowledged one is there at the end, when the nominal machine leads again.
    Not satisfied: the nominal state is not there at first or does not come back, the service is out for longer,
    nobody replaces the machine, or an acknowledged entry is lost.
    Unverified: disruption is not allowed, the service was not well before, or the outage could not be measured.
    Reads: services.continuity.
    """
    nominal = service.machines[0]
    proof.holds(
        (ready := continuity.await_nominal(proof, service, SETTLING)).stdout.strip() == service.nominal,
        ready,
        side="positive",
        fr=f"{nominal} ne peut pas être remplacée sans perte ({told(ready)})",
        en=f"{nominal} cannot be replaced without loss ({told(ready)})",
    )
    hold = service.recovery_seconds + USE
    said = Witness(proof.machine(service.machines[-1]), service)
    user = proof.machine(service.client)
    with entries.writing(user, service.entries_url, proof.ca, said.ask) as writer:
        seen = proof.disrupt(
            cuts.stopped(nominal, service.unit) if service.unit else cuts.power(nominal),
            watch=Watch(service.entries_url, service.client),
            hold=hold,
            until=lambda: continuity.is_nominal(proof, service),
            within=RETURN,
        )
        wrote = writer.end()
    if writer.left:
        proof.remark(
            fr=f"{len(writer.left)} entrées ajoutées n'ont pas pu être retirées",
            en=f"{len(writer.left)} entries that were added could not be removed",
        )
    outage.really_cut(proof, seen)
    cut = seen.cut.evidence
    away = (cut.at.timestamp() + cut.duration, cut.at.timestamp() + hold)
    judge_data(proof, wrote, away)
    judge_replacement(proof, service, said, away)
    outage.short_enough(proof, seen, service.recovery_seconds)
    judge_gap(proof, wrote, service)
    outage.back(proof, seen)


class Witness:
    """What the machine that takes over says that it is, asked now and then."""

    def __init__(self, machine: Machine, service: Continuity) -> None:
        self.heard: list[Ran] = []
        # Asked from another thread: what is worth keeping is recorded when it is judged.
        self._machine = Machine(machine.name, machine.session, lambda _: None)
        self._service = service

    def ask(self) -> None:
        """Ask once more."""
        self.heard.append(self._machine.run(self._service.role))


def judge_data(proof: Proof, wrote: EntriesObservation, away: tuple[float, float]) -> None:
    """Judge that no acknowledged entry is lost: not while the machine is away, and not at the end."""
    read = entries.within(wrote.reads, *away)
    lost = max((len(each.missing) for each in read), default=0)
    proof.holds(
        bool(read),
        wrote,
        side="positive",
        fr="rien n'a pu être lu pendant la coupure",
        en="nothing could be read during the cut",
    )
    proof.holds(
        not lost,
        wrote,
        side="positive",
        fr=f"{lost} entrées confirmées manquent pendant la coupure",
        en=f"{lost} acknowledged entries are missing during the cut",
    )
    proof.works(
        wrote, fr="des entrées confirmées sont perdues à la fin", en="acknowledged entries are lost at the end"
    )


def judge_replacement(proof: Proof, service: Continuity, said: Witness, away: tuple[float, float]) -> None:
    """Judge that another machine says, while the nominal one is away, that it replaces it."""
    during = [ran for ran in said.heard if away[0] <= ran.at.timestamp() <= away[1]]
    if not during:
        raise InconclusiveError(
            Text("n'a rien dit pendant la coupure", "said nothing during the cut"), where=service.machines[-1]
        )
    last = next((ran for ran in during if ran.stdout.strip() == service.replacing), during[-1])
    proof.record(last.evidence)
    proof.holds(
        last.stdout.strip() == service.replacing,
        last,
        side="positive",
        fr=f"{service.machines[-1]} ne remplace pas {service.machines[0]} ({told(last)})",
        en=f"{service.machines[-1]} does not replace {service.machines[0]} ({told(last)})",
    )


def judge_gap(proof: Proof, wrote: EntriesObservation, service: Continuity) -> None:
    """Judge how long no entry could be added."""
    least, most = entries.longest_gap(wrote.writes)
    limit = service.recovery_seconds
    proof.holds(
        least <= limit and most != float("inf"),
        wrote,
        side="positive",
        fr=f"{least:.1f} s sans pouvoir ajouter une entrée, pour {limit:g} s promises",
        en=f"{least:.1f} s without any way to add an entry, for {limit:g} s promised",
    )
    if most > limit:
        raise InconclusiveError(
            Text(
                f"écritures interrompues pendant {least:.1f}–{most:.1f} s, trop peu précis pour {limit:g} s",
                f"writes interrupted for {least:.1f}–{most:.1f} s, not well enough measured for {limit:g} s",
            ),
            where=service.entries_url,
        )


def told(seen: Ran) -> str:
    """Return what a machine said that it is."""
    return seen.stdout.strip() or seen.detail or "—"
