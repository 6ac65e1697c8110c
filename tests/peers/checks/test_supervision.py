"""The checks of supervision, against a supervisor that answers as recorded, sound and unsound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from check_module import check_module
from lab_runner import ROOT
from loopback import LocalSession, closed_port
from prometheus_server import Watched, notification, serving

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.disruption.cuts import Ways
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import AlertReceiver, Supervision
from sio_lab.lab.loading import load
from sio_lab.lab.model import Machine as Section
from sio_lab.probes import flow_prober
from sio_lab.probes.machine import Machine
from sio_lab.providers.existing import ExistingProvider

EMBEDDED = load(ROOT / "inventories" / "sisr").lab
ROUTERS = {f"routeur-{place}": Section(kind="network") for place in ("nord", "sud")}
LAB = EMBEDDED.model_copy(update={"machines": {**EMBEDDED.machines, **ROUTERS}})
TARGET = f"collab.{LAB.domain}:5232"
RULE = "ServiceInjoignable"


@pytest.fixture(scope="module")
def checks() -> ModuleType:
    made = check_module("sisr/test_supervision.py")
    vars(made).update(RENEWAL=0.0, SETTLING=0.0)  # what plays the supervisor answers at once
    return made


@pytest.fixture
def watched() -> Watched:
    return Watched(
        indicators={
            "probe_success": {**dict.fromkeys(LAB.machines, "1"), TARGET: "1"},
            "probe_duration_seconds": {**dict.fromkeys(LAB.machines, "0.004"), TARGET: "0.02"},
            "probe_ssl_earliest_cert_expiry": {TARGET: "1795564800"},
            "ifOperStatus": dict.fromkeys(LAB.equipment(), "2"),  # down: what is asked is that it be known
        },
        rules={
            RULE: "probe_success == 0",
            "ReponseLente": "probe_duration_seconds > 1",
            "CertificatBientotPerime": "probe_ssl_earliest_cert_expiry - time() < 604800",
        },
    )


def nothing() -> None:
    """Nothing happens."""


class Host(LocalSession):
    """The machines of the lab: commands run here, but those that stop and start, which are played.

    Args:
        stop: what happens when the unit is stopped.
        start: and when it is started again.
    """

    def __init__(self, stop: Callable[[], None], start: Callable[[], None]) -> None:
        super().__init__()
        self.acts: dict[str, Callable[[], object]] = {"stop": stop, "start": start}
        self.done: list[str] = []
        self.active = True

    def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
        if "list-units" in command:
            return 0, "", ""  # what this host runs is nobody's state
        if not command.startswith("systemctl "):
            return super().run(command, stdin=stdin, deadline=deadline)
        act = command.rpartition("systemctl ")[2].split()[0]
        if act in self.acts:
            self.done.append(act)
            self.active = act == "start"
            self.acts[act]()
        return (0 if self.active or act == "stop" else 3), "", ""

    def session(self, name: str) -> Host:
        return self


def declared(port: int, file: Path, delay: int = 1) -> Supervision:
    return Supervision(
        product="prometheus",
        machines=["fw"],
        api=f"http://127.0.0.1:{port}",
        receiver=AlertReceiver(machine="fw", path=str(file)),
        target="collab",
        unit="radicale",
        delay_seconds=delay,
    )


def proof_of(session: LocalSession, ca: Path, ways: Ways | None = None) -> Proof:
    return Proof(lambda name, record: Machine(name, session, record), {}, {}, ca, ways)


class Watcher(LocalSession):
    """The supervisor's machine; ``outcome``: what becomes of its connections to others (see ``flow_prober``)."""

    outcome = 0

    def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
        if "python3 -IS" not in command:
            return super().run(command, stdin=stdin, deadline=deadline)
        return 0, f"0\t172.30.20.11\t{self.outcome}\t\t\n", ""


@pytest.fixture
def look(checks: ModuleType, watched: Watched, tmp_path: Path) -> Iterator[Callable[[], Proof]]:
    def look() -> Proof:
        proof = proof_of(Watcher(), tmp_path)
        checks.test_all_machines_are_supervised(LAB, proof, declared(port, tmp_path / "alerts"))
        return proof

    with serving(watched) as port:
        yield look


def test_all_machines(look: Callable[[], Proof]) -> None:
    assert look().sides() == {"positive"}


def forget(watched: Watched) -> None:
    for targets in watched.indicators.values():
        targets.pop("annuaire", None)


def no_quality(watched: Watched) -> None:
    watched.indicators["probe_duration_seconds"].clear()


def no_security(watched: Watched) -> None:
    watched.indicators["probe_ssl_earliest_cert_expiry"] = {"www.elsewhere.test:443": "1795564800"}


def no_longer_watched(watched: Watched) -> None:
    watched.forgotten = {"annuaire"}


def blind(watched: Watched) -> None:
    watched.indicators["probe_success"]["annuaire"] = "0"


def silent_router(watched: Watched) -> None:
    watched.indicators["ifOperStatus"].pop("routeur-sud")


def no_rule(watched: Watched) -> None:
    watched.rules["CertificatBientotPerime"] = "another_metric < 604800"


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (forget, "availability is not taken for annuaire$"),
        (no_quality, "the indicator of quality has no value"),
        (no_security, "security is not taken for any machine"),
        (no_longer_watched, "availability is not taken for annuaire$"),
        (blind, "'annuaire' down, although"),
        (silent_router, r"interfaces \(SNMP\) is not taken for routeur-sud$"),
        (no_rule, "reads the indicator of security"),
    ],
)
def test_unsound_supervision(
    look: Callable[[], Proof], watched: Watched, break_it: Callable[[Watched], None], reason: str
) -> None:
    break_it(watched)
    with pytest.raises(NotSatisfiedError, match=reason):
        look()


def test_what_is_down_is_on_the_way(
    look: Callable[[], Proof], watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind(watched)
    monkeypatch.setattr(Watcher, "outcome", flow_prober.NO_ANSWER)
    with pytest.raises(InconclusiveError, match="does not reach it either"):
        look()


def test_a_service_that_is_down_is_not_its_machine(look: Callable[[], Proof], watched: Watched) -> None:
    watched.indicators["probe_success"][TARGET] = "0"
    assert look().sides() == {"positive"}


def test_supervisor_stopped(checks: ModuleType, tmp_path: Path) -> None:
    service = declared(closed_port(), tmp_path / "alerts")
    with pytest.raises(NotSatisfiedError, match="availability has no value"):
        checks.test_all_machines_are_supervised(LAB, proof_of(LocalSession(), tmp_path), service)


class Alerting:
    """A supervisor and its receiver, around the check of alerts."""

    def __init__(self, check: Callable[..., None], watched: Watched, file: Path) -> None:
        self.check, self.watched, self.file = check, watched, file
        file.write_text(self.line("firing") + self.line("resolved"))  # of another day
        self.host = Host(self.raise_it, self.end_it)

    @staticmethod
    def line(status: str, target: str = TARGET) -> str:
        return notification(RULE, target, status)

    def deliver(self, status: str, target: str = TARGET) -> None:
        with self.file.open("a") as log:
            log.write(self.line(status, target))

    def raise_it(self) -> None:
        self.watched.firing[RULE] = TARGET
        threading.Timer(0.1, self.deliver, ["firing"]).start()

    def end_it(self) -> None:
        self.watched.firing.clear()
        threading.Timer(0.1, self.deliver, ["resolved"]).start()

    def run(self) -> Proof:
        with serving(self.watched) as port:
            proof = proof_of(self.host, self.file.parent, Ways(LAB, ExistingProvider(), self.host))
            self.check(LAB, proof, declared(port, self.file))
        return proof


@pytest.fixture
def alerting(checks: ModuleType, watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Alerting:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Alerting(checks.test_alert_is_delivered_and_resolved, watched, tmp_path / "alerts.jsonl")


def test_alert_delivered_and_resolved(alerting: Alerting) -> None:
    proof = alerting.run()
    assert proof.sides() == {"positive", "negative"}
    assert alerting.host.done == ["stop", "start"]
    (remark,) = proof.remarks
    assert "alert delivered 0." in remark.en


def refuses(alerting: Alerting, reason: str) -> None:
    with pytest.raises(NotSatisfiedError, match=reason):
        alerting.run()


def test_alert_not_raised(alerting: Alerting) -> None:
    alerting.host.acts["stop"] = nothing
    refuses(alerting, "no alert is raised")
    assert alerting.host.done[-1] == "start"


def test_alert_not_delivered(alerting: Alerting) -> None:
    alerting.host.acts["stop"] = lambda: alerting.watched.firing.update({RULE: TARGET})
    refuses(alerting, "raised, but not delivered")
    assert alerting.host.done[-1] == "start"


def test_alert_about_another_machine(alerting: Alerting) -> None:
    alerting.host.acts["stop"] = lambda: alerting.deliver("firing", "annuaire")
    refuses(alerting, "no alert is raised")


def test_alert_that_never_ends(alerting: Alerting) -> None:
    alerting.host.acts["start"] = nothing
    refuses(alerting, "the end of the alert is not delivered")


def test_alert_that_was_there_before(alerting: Alerting) -> None:
    alerting.watched.firing[RULE] = TARGET
    refuses(alerting, "is raised already")
    assert alerting.host.done == []


@pytest.mark.parametrize("alerts", [{}, {RULE: TARGET}])
def test_unit_that_does_not_run(alerting: Alerting, alerts: dict[str, str]) -> None:
    alerting.host.active = False
    alerting.watched.firing |= alerts
    with pytest.raises(InconclusiveError, match="does not work"):
        alerting.run()
    assert alerting.host.done == []
