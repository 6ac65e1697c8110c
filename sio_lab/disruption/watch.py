"""Watching a service as its users see it, request after request, and what can be said of that."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sio_lab.disruption import prober
from sio_lab.errors import ProtocolError
from sio_lab.probes import background
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

TIMEOUT = 0.9
"""Seconds after which a request counts as unanswered: below the second after which a lost SYN is sent again
(RFC 6298 §2), so that each request speaks of its own moment."""

_SETTLED = 0.5  # seconds without failure that end an outage: failures closer than that belong together
_BUNDLE = 1 << 16  # characters: an authority of a lab fits, the host's whole store does not


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched.

    Attributes:
        url: page that is asked for (http or https).
        client: machine that asks.
        served_by: header of the answers that names who answered.
        login: whether the service demands a login there: its demand (401, RFC 9110 §15.5.2) is then an answer too.
    """

    url: str
    client: str
    served_by: str = "X-Served-By"
    login: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One request.

    Attributes:
        at: when it began, in seconds on the client's clock.
        took: seconds until its answer, or until it failed.
        kind: a TCP connection, or a whole HTTP request.
        ok: whether it was answered well in time (HTTP: 2xx, or the demand of a login that is expected).
        by: who answered, as far as the answer says.
        why: how it failed.
    """

    at: float
    took: float
    kind: Literal["tcp", "http"]
    ok: bool
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time during which requests failed.

    Attributes:
        start: when the last answer before it came, on the client's clock.
        at_least: seconds from the first failed request to the last.
        at_most: seconds from the last answer before to the first answer after.
        over: whether there was an answer after.
    """

    start: float
    at_least: float
    at_most: float
    over: bool


def _unkept(_: str) -> AbstractContextManager[None]:
    """Remember nothing: the watch is short, and ends by itself."""
    return nullcontext()


@contextmanager
def watching(
    machine: Machine, watch: Watch, ca: Path, kept: Callable[[str], AbstractContextManager[None]] = _unkept
) -> Iterator[Callable[[], list[Sample]]]:
    """Ask for ``watch.url`` from ``machine`` while the context lasts, 40 times a second.

    Args:
        machine: the client; needs Python 3.9.
        watch: what is asked for.
        ca: PEM bundle of the authorities that the service's certificate must descend from.
        kept: remembers, while its context lasts, the command that ends the watch should this process be killed.

    Yields:
        What ends the watch and returns the requests, in the order in which they began.

    Raises:
        Unreachable, ProbeTimeout: ``machine`` does not answer.
        ProtocolError: it has no Python, or cannot resolve the name.
    """
    bundle = ca.read_text(encoding="utf-8") if ca.exists() else ""
    command = [
        *("python3", "-IS", "-c", Path(prober.__file__).read_text(encoding="utf-8")),
        *(watch.url, f"{TIMEOUT}", watch.served_by, bundle if len(bundle) <= _BUNDLE else ""),
        "401" if watch.login else "",
    ]
    with background.running(machine, command, ready="watching", seconds=600) as program:
        if not program.started.granted:
            raise ProtocolError(
                Text(
                    f"ne peut pas surveiller {watch.url} : {program.started.detail}",
                    f"cannot watch {watch.url}: {program.started.detail}",
                ),
                where=machine.name,
                todo=Text(
                    "il y faut python3, et que ce nom s'y résolve",
                    "it needs python3 there, and that the name resolves",
                ),
            )

        def end() -> list[Sample]:
            program.stop()
            return reading(machine.run(f"cat {shlex.quote(program.folder)}/out").stdout)

        with kept(program.removal):
            yield end


def reading(output: str) -> list[Sample]:
    """Return the requests in the ``output`` of the prober.

    Raises:
        ProtocolError: that is not what it prints.
    """
    try:
        return sorted((Sample(**json.loads(line)) for line in output.splitlines()), key=lambda sample: sample.at)
    except (ValueError, TypeError) as error:
        raise ProtocolError(
            Text("réponse inattendue de la sonde", "unexpected answer of the prober"), where="python3"
        ) from error


def outages(samples: Sequence[Sample]) -> list[Outage]:
    """Return the times without service, of connections and of requests apart, the longest first.

    A service whose port is open and that answers nothing is out as much as one whose port is closed, so neither
    kind of request makes up for the other.
    """
    found = [outage for kind in ("tcp", "http") for outage in _of_kind([s for s in samples if s.kind == kind])]
    return sorted(found, key=lambda outage: outage.at_most, reverse=True)


def _of_kind(samples: Sequence[Sample]) -> Iterator[Outage]:
    failures = [sample for sample in samples if not sample.ok]
    while failures:
        first = last = failures.pop(0)
        while failures and failures[0].at - last.at < _SETTLED:
            last = failures.pop(0)
        before = [s.at + s.took for s in samples if s.ok and s.at < first.at]
        after = [s.at + s.took for s in samples if s.ok and s.at > last.at]
        start = min(max(before, default=first.at), first.at)
        end = max(min(after, default=last.at + last.took), last.at)
        yield Outage(start, last.at - first.at, end - start, bool(after))


def p95(samples: Sequence[Sample], start: float = -math.inf, end: float = math.inf) -> float | None:
    """Return the response time that 95 % of the answers to requests begun between both kept to, in seconds."""
    times = sorted(s.took for s in samples if s.ok and s.kind == "http" and start <= s.at < end)
    return times[math.ceil(0.95 * len(times)) - 1] if times else None


def answered_percent(samples: Sequence[Sample]) -> float:
    """Return the share of requests that were answered well in time; at least one was made."""
    return 100 * sum(sample.ok for sample in samples) / len(samples)


def rate(samples: Sequence[Sample]) -> float:
    """Return how many requests a second began."""
    span = samples[-1].at - samples[0].at if len(samples) > 1 else 0.0
    return (len(samples) - 1) / span if span else 0.0


def served(samples: Sequence[Sample], start: float = -math.inf, end: float = math.inf) -> dict[str, int]:
    """Return how many HTTP requests begun between both each machine answered."""
    counts: dict[str, int] = {}
    for sample in samples:
        if sample.ok and sample.kind == "http" and start <= sample.at < end:
            counts[sample.by] = counts.get(sample.by, 0) + 1
    return counts
