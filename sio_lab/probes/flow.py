"""Flows: what opens from a machine towards others, port by port. Never judges.

The connections are made by the machine's own kernel, through its own routes and filters, with nothing between.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Literal

from sio_lab.errors import ProtocolError
from sio_lab.probes import flow_prober
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.text import Text

State = Literal["open", "filtered", "closed"]
"""``open``: the connection was made. ``filtered``: somebody on the way lets nothing through (no answer, or an ICMP
error that says "prohibited" or "port unreachable", which no closed TCP port sends: RFC 9293 §3.5.2 wants a reset).
``closed``: the way there is free, but nobody listens (reset), or the host or its network is not there."""

_ANSWERS: dict[State, Answer] = {"open": "granted", "filtered": "refused", "closed": "unavailable"}
_STARTING = 5.0  # seconds for the interpreter and the names, beyond the connections' own

# Codes of "destination unreachable" that a filter sends: RFC 1122 §3.2.2.1 and RFC 1812 §5.2.7.1; RFC 4443 §3.1.
FILTER_V4 = frozenset({2, 3, 9, 10, 13})  # protocol, port, network, host, communication
_FILTER_V6 = frozenset({1, 4, 5, 6})  # communication, port, policy of the source, route rejected
_HERE = frozenset({errno.EPERM, errno.EACCES})  # the machine's own filter

_PYTHON_MISSING = 127
_COMMAND = f"command -v python3 >/dev/null || exit {_PYTHON_MISSING}; exec python3 -IS - {{}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowObservation(Observation):
    """One port, tried from one machine.

    ``granted``: open. ``refused``: filtered, somebody on the way says no. ``unavailable``: closed, which says
    nothing of filters: one that lets everything through would look the same in front of a dead server.

    Attributes:
        host: name or address that was asked for.
        port: TCP port.
        state: ``open``, ``filtered`` or ``closed``.
        address: address that the machine found for ``host``.
        filtered_by: address of who said that it is prohibited; empty where nobody did, or that could not be seen
            (only root sees ICMP).
    """

    host: str
    port: int
    state: State
    address: str = ""
    filtered_by: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a connection to one address: ``state``, and how that was told."""

    address: str
    state: State
    detail: str
    filtered_by: str = ""


def tcp(machine: Machine, targets: Sequence[tuple[str, int]], *, deadline: float = 3.0) -> list[FlowObservation]:
    """Try to connect from ``machine`` to each of ``targets`` (host, port), all at once; return one each, in order.

    Of a host with several addresses the most open one counts: that is where a client gets through. Names are
    resolved by the machine. Connections are closed as soon as they are made; nothing is sent on them.

    Args:
        machine: where they start.
        targets: host and port of each.
        deadline: seconds without answer after which a port is ``filtered``; from 3 on, a lost packet was sent
            again in between (RFC 6298 §2.1: after one second).

    Raises:
        Unreachable: ``machine`` does not answer.
        ProbeTimeout: it took longer than it could.
        ProtocolError: a name has no address there, or the machine has no Python.
    """
    at, start = datetime.now(UTC), monotonic()
    rounds = 1 + len(targets) // flow_prober.AT_ONCE
    arguments = [f"{deadline:g}", *(part for host, port in targets for part in (host, str(port)))]
    status, stdout, stderr = machine.session.run(
        _COMMAND.format(shlex.join(arguments)),
        stdin=Path(flow_prober.__file__).read_text(encoding="utf-8"),
        deadline=deadline * rounds + _STARTING,
    )
    found = reading(stdout, deadline) if status == 0 else {}
    seen = []
    for number, (host, port) in enumerate(targets):
        best = found.get(number)
        evidence = machine.saw(
            "flow.tcp",
            target=f"{host}:{port}",
            sent=f"connect tcp {host} port {port}",
            received=f"{best.state}: {best.detail} ({best.address})" if best else stderr or stdout,
            at=at,
            start=start,
        )
        if best is None:
            raise _no_address(machine, host) if status == 0 else _no_prober(machine, status, stderr)
        seen.append(
            FlowObservation(
                evidence,
                _ANSWERS[best.state],
                best.detail,
                host=host,
                port=port,
                state=best.state,
                address=best.address,
                filtered_by=best.filtered_by,
            )
        )
    return seen


def reading(output: str, deadline: float) -> dict[int, Attempt]:
    """Return the most open attempt at each target, by its number; targets without address are left out.

    Raises:
        ProtocolError: that is not what a prober prints.
    """
    best: dict[int, Attempt] = {}
    openness = list(_ANSWERS)
    for line in output.splitlines():
        try:
            number, address, outcome, code, sender = line.split("\t")
            if int(outcome) == flow_prober.NO_ADDRESS:
                continue
            attempt = _attempt(address, int(outcome), int(code) if code else None, sender, deadline)
            known = best.setdefault(int(number), attempt)
        except ValueError as error:
            raise ProtocolError(
                Text(f"réponse inattendue de la machine : {line!r}", f"unexpected answer of the machine: {line!r}")
            ) from error
        if openness.index(attempt.state) < openness.index(known.state):
            best[int(number)] = attempt
    return best


def _attempt(address: str, outcome: int, code: int | None, sender: str, deadline: float) -> Attempt:
    if outcome == 0:
        return Attempt(address, "open", "connected")
    if outcome == flow_prober.NO_ANSWER:
        return Attempt(address, "filtered", f"no answer within {deadline:g} s")
    if code is not None:
        filters = code in (_FILTER_V6 if ":" in address else FILTER_V4)
        said = f"ICMP unreachable, code {code}, from {sender}"
        return Attempt(address, "filtered" if filters else "closed", said, sender if filters else "")
    if outcome in _HERE:
        return Attempt(address, "filtered", "prohibited by the machine itself")
    name = errno.errorcode.get(outcome, str(outcome))
    return Attempt(address, "closed", "reset by the peer" if name == "ECONNREFUSED" else f"no way there ({name})")


def _no_address(machine: Machine, host: str) -> ProtocolError:
    return ProtocolError(
        Text(f"la machine ne trouve pas l'adresse de {host}", f"the machine cannot resolve {host}"),
        where=machine.name,
        todo=Text(
            "vérifiez ce nom dans le fichier de labo, et la résolution de noms de la machine",
            "check this name in the lab file, and how the machine resolves names",
        ),
    )


def _no_prober(machine: Machine, status: int, stderr: str) -> ProtocolError:
    if status == _PYTHON_MISSING:
        return ProtocolError(
            Text(
                "python3 manque : aucun flux sondé de là",
                "no python3: no flow can be tried from it",
            ),
            where=machine.name,
            todo=Text("installez-le : apt install python3-minimal", "install it: apt install python3-minimal"),
        )
    said = (stderr.strip() or f"exit {status}").splitlines()[-1]
    return ProtocolError(
        Text(f"le sondage des flux a échoué : {said}", f"trying flows failed: {said}"), where=machine.name
    )
