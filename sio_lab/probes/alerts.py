"""Alerts that an intrusion detection system writes, in Suricata's EVE format or one line each. Never judges."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep

from sio_lab.errors import ProtocolError
from sio_lab.probes import observation
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

_POLL = 0.2  # seconds; also the resolution of the measured delay


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertObservation(Observation):
    """Alerts that were written after a point of the log. ``granted``: there is one.

    Attributes:
        alerts: their text, in order.
        delay: seconds until the first was seen, within 0.2 s.
    """

    alerts: tuple[str, ...] = ()
    delay: float = 0.0


def end(machine: Machine, log: str) -> int:
    """Return how long the ``log`` of ``machine`` is now, in bytes; 0 where there is none yet.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: the log cannot be read.
    """
    size = machine.run(f"[ ! -e {shlex.quote(log)} ] || wc -c <{shlex.quote(log)}")
    if not size.granted:
        raise ProtocolError(
            Text(f"journal illisible : {size.detail}", f"unreadable log: {size.detail}"), where=machine.name
        )
    return int(size.stdout or 0)


def after(
    machine: Machine, log: str, point: int, *, signature: str, about: Collection[str], within: float
) -> AlertObservation:
    """Wait for an alert of ``signature`` that was written after ``point``; an older one never counts.

    Args:
        machine: machine that keeps the log.
        log: path of the log.
        point: where to read from (see ``end``); a log that has shrunk since was rotated: it is read whole.
        signature: text that the alert must hold.
        about: texts of which the alert must hold one: the mark of a request, an address.
        within: seconds to wait for the first.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
    """
    at, start = datetime.now(UTC), monotonic()
    file = shlex.quote(log)
    wanted = " ".join(f"-e {shlex.quote(text)}" for text in about)
    # What is searched for here is neither escaped nor split by any format: marks and addresses.
    command = (
        f"[ $(wc -c <{file}) -ge {point} ] && from={point} || from=0; "
        f"tail -c +$((from + 1)) {file} | LC_ALL=C grep -aF {wanted}"
    )
    while True:
        _, out, err = machine.session.run(command, stdin="", deadline=10)
        alerts = matching(out, signature)
        delay = monotonic() - start
        if alerts or delay >= within:
            break
        sleep(_POLL)
    evidence = machine.saw(
        "alerts.after",
        target=f"{machine.name}:{log}",
        sent=f"alerts '{signature}' after byte {point} about {' or '.join(about)}",
        received="\n".join(alerts) or err or "none",
        at=at,
        start=start,
    )
    detail = "" if alerts else f"no alert within {within:g} s"
    return AlertObservation(evidence, "granted" if alerts else "refused", detail, alerts=alerts, delay=delay)


def matching(lines: str, signature: str) -> tuple[str, ...]:
    """Return the alerts among ``lines`` whose signature holds ``signature``."""
    return tuple(line for line in lines.splitlines() if signature in _signature(line))


def _signature(line: str) -> str:
    """Return what names the signature: a field of EVE's alerts, or else the whole line."""
    if not line.startswith("{"):
        return line
    try:
        event = json.loads(line)
        return str(event["alert"]["signature"]) if event.get("event_type") == "alert" else ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""  # half written, or another product's events


def tried_again(attack: Callable[[], AlertObservation]) -> AlertObservation:
    """Return what became of ``attack``, which is made once more where it raised no alert."""
    return observation.tried_again(attack, "a sensor that other checks keep busy loses a packet now and then")
