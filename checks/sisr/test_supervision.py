"""2.1.f: supervision of quality, security and availability, with alerts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from time import monotonic, sleep

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.disruption import cuts
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import Supervision
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Services
from sio_lab.probes import alerts, flow, supervision
from sio_lab.probes.machine import Machine
from sio_lab.probes.supervision import Alert, AlertsObservation, IndicatorObservation, Supervisor
from sio_lab.text import Text

RENEWAL = 70.0
"""Seconds in which each value must have been taken anew: many supervisors ask once a minute."""
SETTLING = 20.0
"""Seconds that a machine gets to be seen up, or an alert to end: all may have started just now."""
SSH = 22
WORDS = {
    "availability": Text("disponibilité", "availability"),
    "quality": Text("qualité", "quality"),
    "security": Text("sécurité", "security"),
}
EQUIPMENT = Text("l'état des interfaces (SNMP)", "the state of interfaces (SNMP)")

BASES = ("directory", "dbms", "portal", "load_balancer")
"""Services that others are built upon, without naming them."""


def relying(lab: Lab) -> Collection[str]:
    """Return the services that cannot be relied on while the declared unit of the declared machine is stopped."""
    known = {name: getattr(lab.services, name) for name in Services.model_fields}
    service = lab.services.supervision
    if service is None or any(known[name] and service.target in known[name].machines for name in BASES):
        return tuple(known)
    named = {name for name, section in known.items() if section and service.target in section.machines_named()}
    # Encryption is asked of every service.
    return {*named, "encryption"}


@requirement(
    "2.1.f",
    title=Text("Supervision de toutes les machines", "Supervision of all machines"),
    intensity="observe",
    uses=["supervision"],
    deadline=240,
    one_sided="the supervisor is only read: what it must not alert on is seen where a service is stopped",
)
def test_all_machines_are_supervised(lab: Lab, proof: Proof, service: Supervision) -> None:
    """The supervisor watches every machine of the lab file, and quality, security and availability each alert.

    Satisfied: the indicators of availability and quality are seen to be renewed for each declared machine, that of
    security for one of them, that of SNMP for each that is network equipment; the machines that are up are seen
    up, and a rule on availability, quality and security works.
    Not satisfied: a machine is forgotten or seen down although it is up, an indicator has no value or no rule.
    Unverified: the supervisor's machine or one that is seen down does not answer, to us or to the supervisor's
    machine, or the product is not known.
    Reads: services.supervision, machines.
    """
    watcher = supervision.supervisor(proof.machine(service.machines[0]), service, proof.ca)
    words = {**WORDS, "equipment": EQUIPMENT} if lab.equipment() else WORDS
    selectors = {kind: getattr(service, kind) for kind in words}
    before = {kind: newest(lab, watcher.indicator(selector)) for kind, selector in selectors.items()}
    watched = {"security": (), "equipment": lab.equipment()}
    for kind, word in words.items():
        machines = watched.get(kind, lab.machines)
        known = renewed(lab, watcher, selectors[kind], before[kind], machines, up=kind == "availability")
        has_values(proof, known, word, machines)
        if kind == "availability":
            sees_what_is_up(lab, proof, proof.machine(service.machines[0]), known)
    rules = watcher.rules()
    proof.works(rules, fr="aucune règle d'alerte", en="there is no rule that raises alerts")
    for kind, word in WORDS.items():
        read = metric(selectors[kind])
        proof.holds(
            any(read in rule.reads and rule.working for rule in rules.rules),
            rules,
            side="positive",
            fr=f"aucune règle d'alerte en état de marche ne lit l'indicateur de {word.fr} ({read})",
            en=f"no working alert rule reads the indicator of {word.en} ({read})",
        )


@requirement(
    "2.1.f",
    title=Text("Alerte transmise puis close", "Alert delivered, then resolved"),
    intensity="disrupt",
    uses=["supervision"],
    disturbs=relying,
    deadline=240,
)
def test_alert_is_delivered_and_resolved(lab: Lab, proof: Proof, service: Supervision) -> None:
    """A service is stopped: its alert reaches the receiver in time, and its end too once the service is back.

    Satisfied: no alert of unavailability about the machine before; one delivered within the declared delay after
    the declared unit was stopped, and its end delivered within the same delay after it was started again.
    Not satisfied: the alert was there before, or is not raised, not delivered, or not resolved in time.
    Unverified: a machine does not answer, the product is not known, or the unit does not run beforehand.
    Reads: services.supervision.
    """
    watcher = supervision.supervisor(proof.machine(service.machines[0]), service, proof.ca)
    receiver = proof.machine(service.receiver.machine)
    rules = watcher.rules()
    proof.works(rules, fr="aucune règle d'alerte", en="there is no rule that raises alerts")
    names = {rule.name for rule in rules.rules if metric(service.availability) in rule.reads}

    def relevant(alert: Alert) -> bool:
        return alert.name in names and lab.machine_of(alert.host) == service.target

    def wait(state: supervision.State) -> supervision.DeliveryObservation:
        return supervision.delivered(
            receiver,
            service,
            point,
            wanted=relevant,
            state=state,
            within=service.delay_seconds,
            goes_on=proof.goes_on,  # the service must not stay stopped for nobody
        )

    stop = cuts.stopped(service.target, service.unit)
    proof.cuttable(stop)  # or the alert that is raised already would be right
    before = quiet(watcher, relevant)
    proof.holds(
        before.answer != "unavailable" and not any(map(relevant, before.alerts)),
        before,
        side="negative",
        fr=f"une alerte sur « {service.target} » est déjà en cours, alors que {service.unit} y tourne",
        en=f"an alert on '{service.target}' is raised already, while {service.unit} runs there",
    )
    point = alerts.end(receiver, service.receiver.path)
    with proof.cut(stop) as cut:
        proof.refused(
            cut,
            fr=f"{service.unit} ne s'arrête pas sur « {service.target} »",
            en=f"{service.unit} does not stop on '{service.target}'",
        )
        raised = wait("firing")
        known = raised.granted or any(map(relevant, watcher.alerts().alerts))
        proof.works(
            raised,
            fr="alerte déclenchée, mais pas transmise à son destinataire" if known else "aucune alerte déclenchée",
            en="the alert is raised, but not delivered to its receiver" if known else "no alert is raised",
        )
    resolved = wait("resolved")
    proof.works(
        resolved,
        fr=f"{service.unit} relancé sur « {service.target} » : la fin de l'alerte n'est pas transmise",
        en=f"{service.unit} started again on '{service.target}': the end of the alert is not delivered",
    )
    proof.remark(
        fr=f"alerte reçue {raised.delay:.1f} s après l'arrêt de {service.unit} sur « {service.target} », sa fin "
        f"{resolved.delay:.1f} s après la reprise (mesures à {supervision.POLL} s près)",
        en=f"alert delivered {raised.delay:.1f} s after {service.unit} stopped on '{service.target}', its end "
        f"{resolved.delay:.1f} s after it was back (measured within {supervision.POLL} s)",
    )


def metric(selector: str) -> str:
    """Return the name of the metric that ``selector`` selects."""
    return selector.partition("{")[0]


@dataclass(frozen=True, slots=True)
class Renewed:
    """An indicator, and what it says anew: for each machine, whether one of its values is not zero."""

    seen: IndicatorObservation
    machines: Mapping[str, bool]


def newest(lab: Lab, seen: IndicatorObservation) -> dict[str, float]:
    """Return when the last value of each machine was taken."""
    found: dict[str, float] = {}
    for sample in seen.samples:
        machine = lab.machine_of(sample.host)
        if machine:
            found[machine] = max(sample.taken, found.get(machine, sample.taken))
    return found


def renewed(
    lab: Lab,
    watcher: Supervisor,
    indicator: str,
    before: Mapping[str, float],
    machines: Collection[str],
    *,
    up: bool,
) -> Renewed:
    """Read ``indicator`` until ``machines`` (one in any case) have newer values than ``before``, and are ``up``.

    What is no longer watched keeps its last value for minutes: only a newer one tells that it still is.
    """
    start = monotonic()
    while True:
        seen = watcher.indicator(indicator)
        found: dict[str, bool] = {}
        for sample in seen.samples:
            machine = lab.machine_of(sample.host)
            if machine and sample.taken > before.get(machine, 0):
                found[machine] = found.get(machine, False) or sample.value != 0
        waited = monotonic() - start
        complete = (bool(found) and found.keys() >= set(machines)) or seen.answer == "unavailable"
        well = complete and seen.granted and (not up or all(found.values()))
        if well or waited >= RENEWAL or (complete and waited >= SETTLING):
            return Renewed(seen, found)
        sleep(1)


def has_values(proof: Proof, known: Renewed, word: Text, machines: Collection[str]) -> None:
    """Judge that an indicator has new values: for each of ``machines``, for one in any case."""
    proof.works(
        known.seen,
        fr=f"l'indicateur de {word.fr} n'a pas de valeur",
        en=f"the indicator of {word.en} has no value",
    )
    missing = ", ".join(name for name in machines if name not in known.machines)
    proof.holds(
        bool(known.machines) and not missing,
        known.seen,
        side="positive",
        fr=f"l'indicateur de {word.fr} n'est pas relevé pour {missing or 'une seule machine du labo'}",
        en=f"the indicator of {word.en} is not taken for {missing or 'any machine of the lab'}",
    )


def sees_what_is_up(lab: Lab, proof: Proof, watcher: Machine, known: Renewed) -> None:
    """Judge that no machine is seen down that answers, to us and to the supervisor's own machine.

    Raises:
        Unreachable: one does not answer us: nothing is concluded.
        InconclusiveError: nor does it from where the supervisor stands: what is down is on the way.
    """
    down = [name for name, up in known.machines.items() if not up]
    ways = flow.tcp(watcher, [(lab.fqdn(name), SSH) for name in down]) if down else []
    for name, way in zip(down, ways, strict=True):
        proof.machine(name).run("true")
        if not way.granted:
            raise InconclusiveError(
                Text(
                    f"« {name} » est vue arrêtée : la machine du superviseur ne l'atteint pas non plus",
                    f"'{name}' is seen down: the supervisor's own machine does not reach it either",
                ),
                where=watcher.name,
            )
        proof.holds(
            False,
            known.seen,
            way,
            side="positive",
            fr=f"la supervision voit « {name} » arrêtée, alors qu'elle répond",
            en=f"supervision sees '{name}' down, although it answers",
        )


def quiet(watcher: Supervisor, relevant: Callable[[Alert], bool]) -> AlertsObservation:
    """Read the alerts until none is ``relevant``, or for ``SETTLING`` seconds: one of before may be ending."""
    end = monotonic() + SETTLING
    while True:
        seen = watcher.alerts()
        if not any(map(relevant, seen.alerts)) or monotonic() >= end:
            return seen
        sleep(1)
