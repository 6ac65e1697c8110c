"""Disruptions: watch a service, cut parts of it in turn, give each back, wait for the nominal state, tell all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep, time

from sio_lab.disruption import account, cuts, journal, state, watch
from sio_lab.disruption.account import (
    CutObservation,
    DisruptionObservation,
    Made,
    StateObservation,
    Times,
    WatchObservation,
)
from sio_lab.disruption.cuts import Cut, Ways
from sio_lab.disruption.state import State
from sio_lab.disruption.watch import Watch
from sio_lab.errors import InconclusiveError, ProbeError, ProviderError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence
from sio_lab.text import Text

BEFORE = 2.0
"""Seconds of good service that must be seen before anything is cut, and again once all is back."""
BETWEEN = 1.2
"""The same between two cuts, where the service has just been seen to be back."""

_TICK = 0.1
_ASKING = 0.2  # seconds between questions whether the state is nominal

Record = Callable[[Evidence], None]
GoesOn = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One part that is cut while a service is watched.

    Attributes:
        cut: what is cut.
        hold: seconds that it stays cut.
        until: tells whether the service is back in its nominal state; asked once the cut is undone and the
            machines concerned are as before.
        within: seconds that this may take.
    """

    cut: Cut
    hold: float
    until: Callable[[], bool] = field(default=lambda: True)
    within: float = 60.0


def run(
    steps: Sequence[Step], asked: Watch, ways: Ways, ca: Path, record: Record, goes_on: GoesOn
) -> Iterator[DisruptionObservation]:
    """Make all ``steps`` in turn under one watch; a step that does not come back to its nominal state is the last.

    What was cut is given back however this ends, and stands in the journal until it is. A step that was made
    before under the same watch (``ways.history``) is not made again: what was seen then is told, and whether the
    service is in its nominal state now.

    Args:
        steps: what to cut, one after the other.
        asked: what is watched meanwhile.
        ways: the lab, and how to act on it.
        ca: PEM bundle of the authorities that the service's certificate must descend from.
        record: keeps evidence.
        goes_on: whether somebody still waits for the result; once not, only what was cut is given back.

    Returns:
        What users saw of each step, once all are made. Where nothing could be told of one, asking for it raises
        InconclusiveError.

    Raises:
        InconclusiveError: what is to be cut does not work, or nobody waits any more.
        ProbeError, ProviderError: something could not be asked, cut or given back.
    """
    known = [ways.history.find(step.cut, asked, step.hold) for step in steps]
    new = [step for step, seen in zip(steps, known, strict=True) if seen is None]
    made = _make_all(new, asked, ways, ca, record, goes_on) if new else iter(())
    return _told(steps, known, made, asked, ways, record, goes_on)


def _told(
    steps: Sequence[Step],
    known: Sequence[DisruptionObservation | None],
    made: Iterator[DisruptionObservation],
    asked: Watch,
    ways: Ways,
    record: Record,
    goes_on: GoesOn,
) -> Iterator[DisruptionObservation]:
    for step, earlier in zip(steps, known, strict=True):
        if earlier is not None:
            record(earlier.cut.evidence)
            record(earlier.evidence)
            _, nominal = settled({}, ways, goes_on, until=step.until, within=step.within)
            yield earlier if nominal else replace(earlier, nominal_at=None)
            continue
        seen = next(made, None)
        if seen is None:
            return
        if seen.nominal_at is not None:
            ways.history.keep(step.cut, asked, step.hold, seen)
        yield seen


def _make_all(
    steps: Sequence[Step], asked: Watch, ways: Ways, ca: Path, record: Record, goes_on: GoesOn
) -> Iterator[DisruptionObservation]:
    # Recorded as a whole at the end: what ends a check that nobody waits for must not keep us from giving back.
    client = Machine(asked.client, ways.sessions.session(asked.client), lambda _: None)
    made: list[Made] = []

    def kept(removal: str) -> AbstractContextManager[None]:
        return put_back(cuts.command(asked.client, "", back=removal), ways)

    with watch.watching(client, asked, ca, kept) as end_of_watch:
        ahead = _clock(client)
        well = BEFORE
        for step in steps:
            made.append(_make(step, ways, record, goes_on, well))
            well = min(well, BETWEEN)
            if made[-1].times.nominal is None:
                break
        _wait(BEFORE, goes_on)
        samples = end_of_watch()
    return account.of(made, samples, asked, record, ahead=ahead, well=BEFORE / 2)


def observe(asked: Watch, client: Machine, ca: Path, seconds: float) -> WatchObservation:
    """Watch a service for ``seconds``, nothing being cut; ``client`` records it.

    Raises:
        ProbeError: the client does not answer, or cannot watch.
    """
    at, start = datetime.now(UTC), monotonic()
    with watch.watching(Machine(client.name, client.session, lambda _: None), asked, ca) as end_of_watch:
        sleep(seconds)
        samples = end_of_watch()
    counts, failures = watch.served(samples), account.failures(samples)
    evidence = client.saw(
        "disruption.watch",
        target=asked.url,
        sent=f"{len(samples)} TCP connections and GET requests, {watch.rate(samples):.1f} a second",
        received=json.dumps({"served": counts, "failures": failures}, indent=1),
        at=at,
        start=start,
    )
    why = next(iter(failures), "")
    return WatchObservation(evidence, "unavailable" if why or not counts else "granted", why, samples=samples)


def before(cut: Cut, ways: Ways) -> dict[str, State]:
    """Make sure that there is something to cut, and return what the machines concerned are like.

    Raises:
        InconclusiveError: what is to be cut does not work, or its machine does not answer.
    """
    cuts.ready(cut, ways)
    known = state.of(state.concerned(ways.lab, cut.machine), ways)
    if cut.machine not in known:
        raise InconclusiveError(
            Text("ne répond pas avant la coupure", "does not answer before the cut"), where=cut.machine
        )
    return known


@contextmanager
def cut(cut: Cut, ways: Ways, times: Times | None = None) -> Iterator[CutObservation]:
    """Cut while the context lasts, journalled first; give back however it ends.

    Raises:
        ProbeError, ProviderError: it could not be cut or given back.
    """
    at, start, times = datetime.now(UTC), monotonic(), times or Times()
    journal.add(ways.lab.lab, cut)
    try:
        times.cut = time()
        cuts.do(cut, ways)
        done = cuts.is_done(cut, ways)
        said = "no longer works" if done else "still works"
        evidence = Evidence.of(
            f"disruption.{cut.kind}",
            source="sio-lab",
            target=cut.machine,
            sent=cut.title.en,
            received=said if cut.kind != "command" else "exit 0",
            at=at,
            duration=monotonic() - start,
        )
        yield CutObservation(evidence, "refused" if done else "granted", said, cut=cut)
    finally:
        times.restored = time()
        journal.give_back(cut, ways)
        times.back = time()


@contextmanager
def put_back(change: Cut, ways: Ways) -> Iterator[None]:
    """Give back ``change`` on leaving, journalled first: whoever makes it does so while the context lasts.

    Raises:
        ProbeError, ProviderError: the machine does not answer; it stays in the journal.
    """
    journal.add(ways.lab.lab, change)
    try:
        yield
    finally:
        journal.give_back(change, ways)


def settled(
    known: Mapping[str, State],
    ways: Ways,
    goes_on: GoesOn,
    *,
    until: Callable[[], bool] = lambda: True,
    within: float = 60.0,
) -> tuple[StateObservation, bool]:
    """Wait until machines are as they were ``known``, and ``until`` says so too; return whether they were.

    Raises:
        InconclusiveError: nobody waits any more.
    """
    at, start = datetime.now(UTC), monotonic()
    while True:
        left = state.differences(known, state.of(list(known), ways))
        nominal = not left and _is(until)
        if nominal or monotonic() - start >= within:
            break
        _wait(_ASKING, goes_on)
    told = [f"{name}: {len(facts)} facts" for name, facts in known.items()]
    evidence = Evidence.of(
        "disruption.state",
        source="sio-lab",
        target=", ".join(known),
        sent="services, links, addresses, routes and firewall rules, as before?",
        received="\n".join(left or [f"{each}, as before" for each in told]),
        at=at,
        duration=monotonic() - start,
    )
    return StateObservation(evidence, "refused" if left else "granted", "".join(left[:1]), left=left), nominal


def _make(step: Step, ways: Ways, record: Record, goes_on: GoesOn, well: float) -> Made:
    times, start = Times(), monotonic()
    known = before(step.cut, ways)
    _wait(well - (monotonic() - start), goes_on)
    with cut(step.cut, ways, times) as done:
        _wait(step.hold - (time() - times.cut), goes_on)
    record(done.evidence)
    seen, nominal = settled(known, ways, goes_on, until=step.until, within=step.within)
    record(seen.evidence)
    if nominal:
        times.nominal = time()
    return Made(done, times, seen)


def _is(until: Callable[[], bool]) -> bool:
    try:
        return until()
    except (ProbeError, ProviderError):
        return False  # a service that is coming back may not answer yet


def _wait(seconds: float, goes_on: Callable[[], bool]) -> None:
    end = monotonic() + seconds
    while (left := end - monotonic()) > 0 or not goes_on():
        if not goes_on():
            raise InconclusiveError(Text("coupure interrompue", "disruption cut short"))
        sleep(min(left, _TICK))


def _clock(client: Machine) -> float:
    """Return how far the client's clock is ahead of ours, in seconds."""
    before = time()
    said = client.run("date +%s.%N").stdout.strip()
    try:
        return float(said) - (before + time()) / 2
    except ValueError:  # a date(1) without nanoseconds: the marks of the drawing are then one second off at most
        return 0.0
