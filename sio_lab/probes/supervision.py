"""Supervision: what a supervisor says of what it watches, and the alerts that it delivers. Never judges."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Literal, Protocol
from urllib.parse import quote, urlsplit

from sio_lab.errors import InconclusiveError, ProtocolError
from sio_lab.lab.infrastructure import Supervision
from sio_lab.probes import web
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

POLL = 0.2  # seconds; also the resolution of measured delays

State = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class Sample:
    """The last value of an indicator for one target.

    Attributes:
        host: name or address in the label that names the target.
        value: the value; what it means is the indicator's own.
        taken: when it was taken, by the supervisor's own clock (seconds since 1970).
    """

    host: str
    value: float
    taken: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that raises an alert.

    Attributes:
        name: name of the alert.
        reads: names of the metrics that it reads, and any other word of its expression.
        working: whether its last evaluation went well.
    """

    name: str
    reads: frozenset[str]
    working: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert about one target.

    Attributes:
        name: name of the rule that raised it.
        host: name or address in the label that names the target.
        labels: all of its labels, which tell it from any other.
        state: ``firing`` or ``resolved``.
    """

    name: str
    host: str
    labels: frozenset[tuple[str, str]]
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorObservation(Observation):
    """An indicator. ``granted``: it has values; ``refused``: the supervisor answers that it has none."""

    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesObservation(Observation):
    """The rules that raise alerts. ``granted``: there are some."""

    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsObservation(Observation):
    """Alerts that are raised. ``granted``: there are some."""

    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryObservation(AlertsObservation):
    """Alerts that reached their receiver. ``granted``: there are some of those waited for.

    Attributes:
        delay: seconds that were waited for the first, within 0.2 s and the time of a command.
    """

    delay: float = 0.0


class Supervisor(Protocol):
    """A supervisor, through its API. One where nothing listens is an observation: ``unavailable``."""

    def indicator(self, expression: str) -> IndicatorObservation:
        """Read the last values of an indicator."""

    def rules(self) -> RulesObservation:
        """Read the rules that raise alerts."""

    def alerts(self) -> AlertsObservation:
        """Read the alerts that are raised now."""


def supervisor(machine: Machine, service: Supervision, ca: Path) -> Supervisor:
    """Return the supervisor, asked from ``machine``, its own.

    Every call of it may raise Unreachable, ProbeTimeout, or ProtocolError (certificate, unexpected answer).

    Raises:
        InconclusiveError: the product's interface is not known here.
    """
    if service.product != "prometheus":
        raise InconclusiveError(
            Text(
                f"le superviseur « {service.product} » n'est pas encore sondé, seul Prometheus l'est",
                f"the supervisor '{service.product}' is not probed yet, only Prometheus is",
            ),
            where="services.supervision.product",
            todo=Text("joignez une attestation pour 2.1.f", "add an attestation for 2.1.f"),
        )
    return Prometheus(machine, service, ca)


class Prometheus:
    """Prometheus 2 and 3: https://prometheus.io/docs/prometheus/latest/querying/api/."""

    def __init__(self, machine: Machine, service: Supervision, ca: Path) -> None:
        self._machine = machine
        self._url = service.api.rstrip("/")
        self._label = service.label
        self._ca = ca

    def indicator(self, expression: str) -> IndicatorObservation:
        """Read the last values of ``expression``, an instant vector selector, and when they were taken."""
        values, seen = self._query(expression)
        times, dated = self._query(f"timestamp({expression})") if seen.granted else ({}, seen)
        samples = tuple(
            Sample(_host(dict(labels).get(self._label, "")), values[labels], taken)
            for labels, taken in times.items()
            if labels in values
        )
        answer = seen.answer if not seen.granted else dated.answer if not dated.granted else None
        detail = seen.detail or dated.detail or ("" if samples else f"{expression}: no value")
        return IndicatorObservation(
            dated.evidence, answer or ("granted" if samples else "refused"), detail, samples=samples
        )

    def rules(self) -> RulesObservation:
        """Read the rules that raise alerts."""
        data, seen = self._ask("/api/v1/rules?type=alert")
        rules = tuple(
            Rule(
                str(rule.get("name")),
                frozenset(re.findall(r"[a-zA-Z_:][\w:]*", str(rule.get("query")))),
                rule.get("health") == "ok",
            )
            for group in _list(data, "groups")
            for rule in _list(group, "rules")
        )
        return RulesObservation(seen.evidence, _answer(seen, rules), seen.detail, rules=rules)

    def alerts(self) -> AlertsObservation:
        """Read the alerts that are raised now; those that are pending are not."""
        data, seen = self._ask("/api/v1/alerts")
        raised = (alert for alert in _list(data, "alerts") if alert.get("state") == "firing")
        alerts = tuple(_alert(alert, self._label, "firing") for alert in raised)
        return AlertsObservation(seen.evidence, _answer(seen, alerts), seen.detail, alerts=alerts)

    def _query(self, expression: str) -> tuple[dict[frozenset[tuple[str, str]], float], web.WebObservation]:
        """Return the value of each series, by its labels but its name."""
        data, seen = self._ask(f"/api/v1/query?query={quote(expression, safe='')}")
        found = {}
        for series in _list(data, "result"):
            labels = _labels(series.get("metric"))
            named = frozenset((name, text) for name, text in labels.items() if name != "__name__")
            found[named] = self._number(series.get("value"))
        return found, seen

    def _number(self, value: object) -> float:
        match value:
            case [_, str(text)]:  # time of evaluation, value
                with suppress(ValueError):
                    return float(text)
        raise self._unexpected(repr(value))

    def _ask(self, path: str) -> tuple[Mapping[str, object], web.WebObservation]:
        url = self._url + path
        secure = urlsplit(url).scheme == "https"
        seen = web.get(self._machine, url, self._ca) if secure else web.public_page(self._machine, url)
        if seen.answer == "unavailable":
            return {}, seen
        content = seen.json()
        data = content.get("data") if isinstance(content, dict) else None
        if not seen.granted or not isinstance(data, dict):
            raise self._unexpected(seen.detail or "no JSON object")
        return data, seen

    def _unexpected(self, what: str) -> ProtocolError:
        return ProtocolError(
            Text(f"réponse inattendue du superviseur : {what}", f"unexpected answer of the supervisor: {what}"),
            where=self._url,
        )


def delivered(
    machine: Machine,
    service: Supervision,
    point: int,
    *,
    wanted: Callable[[Alert], bool],
    state: State,
    within: float,
    goes_on: Callable[[], bool] = lambda: True,
) -> DeliveryObservation:
    """Wait for an alert that reached its receiver after ``point``; an older one never counts.

    Args:
        machine: machine that keeps the receiver's file.
        service: says which file, and the label that names targets.
        point: where to read from (see ``alerts.end``).
        wanted: tells the alerts that are waited for.
        state: state that they must tell.
        within: seconds to wait for the first.
        goes_on: whether somebody still waits for the result.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
    """
    at, start = datetime.now(UTC), monotonic()
    command = f"tail -c +{point + 1} {shlex.quote(service.receiver.path)}"
    while True:
        _, out, err = machine.session.run(command, stdin="", deadline=10)
        found = tuple(each for each in notified(out, service.label) if each.state == state and wanted(each))
        delay = monotonic() - start
        if found or delay >= within or not goes_on():
            break
        sleep(POLL)
    evidence = machine.saw(
        "supervision.delivered",
        target=f"{machine.name}:{service.receiver.path}",
        sent=f"alerts {state} after byte {point}",
        received=out or err or "none",
        at=at,
        start=start,
    )
    detail = "" if found else f"none within {within:g} s"
    return DeliveryObservation(evidence, "granted" if found else "refused", detail, alerts=found, delay=delay)


def notified(lines: str, label: str) -> Iterator[Alert]:
    """Yield the alerts of Alertmanager's notifications (webhook, version 4), one a line."""
    for line in lines.splitlines():
        try:
            notification = json.loads(line)
        except ValueError:
            continue  # half written
        for alert in _list(notification, "alerts"):
            if alert.get("status") in {"firing", "resolved"}:
                yield _alert(alert, label, "firing" if alert["status"] == "firing" else "resolved")


def _alert(said: Mapping[str, object], label: str, state: State) -> Alert:
    labels = _labels(said.get("labels"))
    return Alert(labels.get("alertname", ""), _host(labels.get(label, "")), frozenset(labels.items()), state)


def _host(target: str) -> str:
    """Return the host of ``target``: a host, ``host:port``, or a URL."""
    try:
        return urlsplit(target if "://" in target else f"//{target}").hostname or ""
    except ValueError:
        return ""


def _answer(seen: web.WebObservation, found: Collection[object]) -> Literal["granted", "refused", "unavailable"]:
    return "unavailable" if seen.answer == "unavailable" else "granted" if found else "refused"


def _labels(said: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in said.items()} if isinstance(said, dict) else {}


def _list(said: object, key: str) -> list[dict[str, object]]:
    """Return the objects of the list ``key`` of ``said``; none where there is no such list."""
    items = said.get(key) if isinstance(said, Mapping) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
