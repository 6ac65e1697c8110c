"""One disruption: watch a service, cut a part of it, give it back, wait for the nominal state, tell all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep, time

from sio_lab.audit.timeline import Timeline
from sio_lab.disruption import cuts, journal, watch
from sio_lab.disruption.cuts import Cut, Ways
from sio_lab.disruption.watch import Outage, Sample, Watch
from sio_lab.errors import InconclusiveError, ProbeError, ProviderError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence, Observation
from sio_lab.text import Text

BEFORE = 2.0
"""Seconds of good service that must be seen before anything is cut, and again once all is back."""

_SLOWEST = 20.0  # requests a second below which an outage is not measured well enough
_TICK = 0.1
_ASKING = 0.5  # seconds between questions whether the state is nominal: each is kept as evidence
_STEPS = 120  # numbers of a series that a drawing shows, about
_SHORTEST_STEP = 0.25  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CutObservation(Observation):
    """Whether what was to be cut was: ``refused`` once it no longer works, ``granted`` where it still does."""

    cut: Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchObservation(Observation):
    """What a service answered for a while. ``granted`` where it answered every request well."""

    samples: Sequence[Sample]

    @property
    def served(self) -> dict[str, int]:
        """How many HTTP requests each machine answered."""
        return watch.served(self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptionObservation(Observation):
    """What users saw of a disruption. ``granted`` where they are served again at its end.

    Attributes:
        cut: what was seen of the cut itself.
        samples: the requests.
        outages: the times without service, the longest first.
        cut_at: when it was cut, on the client's clock.
        restored_at: when it began to be given back.
        back_at: when it was back.
        nominal_at: when the service was seen in its nominal state; ``None``: it was not, in time.
        timeline: the same for the report.
    """

    cut: CutObservation
    samples: Sequence[Sample]
    outages: Sequence[Outage]
    cut_at: float
    restored_at: float
    back_at: float
    nominal_at: float | None
    timeline: Timeline

    @property
    def outage(self) -> Outage:
        """The longest time without service; of no length where nothing failed."""
        return self.outages[0] if self.outages else Outage(self.cut_at, 0.0, 0.0, over=True)

    def served(self, start: float | None = None, end: float | None = None) -> dict[str, int]:
        """Return how many HTTP requests each machine answered, of those that began between both times."""
        return watch.served(self.samples, start or 0.0, end or float("inf"))

    @property
    def answered_percent(self) -> float:
        """Share of all requests that were answered well in time."""
        return 100 * sum(sample.ok for sample in self.samples) / len(self.samples)


@dataclass(slots=True)
class Times:
    """When things happened, on this host's clock."""

    cut: float = 0.0
    restored: float = 0.0
    back: float = 0.0
    nominal: float | None = None


@dataclass(frozen=True, slots=True)
class Disruption:
    """What a check asks for.

    Attributes:
        cut: what is cut.
        watch: what is watched meanwhile.
        hold: seconds that it stays cut.
        until: tells whether the service is back in its nominal state; asked once the cut is undone.
        within: seconds that this may take.
    """

    cut: Cut
    watch: Watch
    hold: float
    until: Callable[[], bool] = field(default=lambda: True)
    within: float = 60.0


def run(
    asked: Disruption, ways: Ways, ca: Path, record: Callable[[Evidence], None], goes_on: Callable[[], bool]
) -> DisruptionObservation:
    """Disrupt as ``asked``. What was cut is given back however this ends, and stands in the journal until it is.

    Args:
        asked: what to cut, and what to watch.
        ways: the lab, and how to act on it.
        ca: PEM bundle of the authorities that the service's certificate must descend from.
        record: keeps evidence.
        goes_on: whether somebody still waits for the result; once not, only what was cut is given back.

    Raises:
        InconclusiveError: nothing could be told: the service was not well before the cut, too few requests were
            made, or nobody waits any more.
        ProbeError, ProviderError: something could not be asked, cut or given back.
    """
    # Recorded as a whole at the end: what ends a check that nobody waits for must not keep us from giving back.
    client = Machine(asked.watch.client, ways.sessions.session(asked.watch.client), lambda _: None)
    cuts.ready(asked.cut, ways)
    times, at, start = Times(), datetime.now(UTC), monotonic()
    with watch.watching(client, asked.watch, ca) as end_of_watch:
        ahead = _clock(client)
        _wait(BEFORE, goes_on)
        done = _while_cut(asked, ways, times, goes_on)
        record(done.evidence)
        _nominal(asked, times, goes_on)
        _wait(BEFORE, goes_on)
        samples = end_of_watch()
    return _observed(asked, samples, times, ahead, done, _Recorder(client.name, record, at, start))


def observe(asked: Watch, client: Machine, ca: Path, seconds: float) -> WatchObservation:
    """Watch a service for ``seconds``, nothing being cut; ``client`` records it.

    Raises:
        ProbeError: the client does not answer, or cannot watch.
    """
    at, start = datetime.now(UTC), monotonic()
    with watch.watching(Machine(client.name, client.session, lambda _: None), asked, ca) as end_of_watch:
        sleep(seconds)
        samples = end_of_watch()
    counts, failures = watch.served(samples), _failures(samples)
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


def _failures(samples: Sequence[Sample]) -> dict[str, int]:
    """Return how many requests failed, by reason."""
    found: dict[str, int] = {}
    for sample in samples:
        if not sample.ok:
            found[sample.why] = found.get(sample.why, 0) + 1
    return found


def _while_cut(asked: Disruption, ways: Ways, times: Times, goes_on: Callable[[], bool]) -> CutObservation:
    """Cut, hold, and give back, whatever happens."""
    cut, lab = asked.cut, ways.lab.lab
    at, start = datetime.now(UTC), monotonic()
    journal.add(lab, cut)
    with ExitStack() as stack:
        stack.callback(_give_back, cut, ways, times)
        times.cut = time()
        cuts.do(cut, ways)
        done = cuts.is_done(cut, ways)
        took = monotonic() - start
        _wait(asked.hold - took, goes_on)
    said = "no longer works" if done else "still works"
    evidence = Evidence.of(
        f"disruption.{cut.kind}",
        source="sio-lab",
        target=cut.machine,
        sent=cut.title.en,
        received=said,
        at=at,
        duration=took,
    )
    return CutObservation(evidence, "refused" if done else "granted", said, cut=cut)


def _give_back(cut: Cut, ways: Ways, times: Times) -> None:
    times.restored = time()
    cuts.undo(cut, ways)
    times.back = time()
    journal.strike(ways.lab.lab, cut)


def _nominal(asked: Disruption, times: Times, goes_on: Callable[[], bool]) -> None:
    end = monotonic() + asked.within
    while monotonic() < end:
        try:
            if asked.until():
                times.nominal = time()
                return
        except (ProbeError, ProviderError):
            pass  # a service that is coming back may not answer yet
        _wait(_ASKING, goes_on)


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


@dataclass(frozen=True, slots=True)
class _Recorder:
    client: str
    record: Callable[[Evidence], None]
    at: datetime
    start: float

    def saw(self, asked: Watch, samples: Sequence[Sample], timeline: Timeline) -> Evidence:
        kept = timeline.model_dump(
            mode="json", exclude={"title", "url", "client", "started", "failed", "answered"}
        )
        counts, failures = watch.served(samples), _failures(samples)
        evidence = Evidence.of(
            "disruption.watch",
            source=self.client,
            target=asked.url,
            sent=f"{len(samples)} TCP connections and GET requests, {timeline.rate:.1f} a second",
            received=json.dumps({**kept, "served": counts, "failures": failures}, indent=1),
            at=self.at,
            duration=monotonic() - self.start,
        )
        self.record(evidence)
        return evidence


def _observed(
    asked: Disruption,
    samples: Sequence[Sample],
    times: Times,
    ahead: float,
    done: CutObservation,
    recorder: _Recorder,
) -> DisruptionObservation:
    cut_at, restored_at, back_at = (moment + ahead for moment in (times.cut, times.restored, times.back))
    nominal_at = None if times.nominal is None else times.nominal + ahead
    if not samples:
        raise InconclusiveError(
            Text("aucune requête n'a été faite", "no request was made"), where=asked.watch.client
        )
    outages = watch.outages(samples)
    timeline = _timeline(asked, samples, outages, (cut_at, restored_at, nominal_at))
    evidence = recorder.saw(asked.watch, samples, timeline)
    _worth(asked.watch, samples, cut_at)
    last = [sample for sample in samples if sample.at >= samples[-1].at - BEFORE / 2]
    well = all(sample.ok for sample in last)
    return DisruptionObservation(
        evidence,
        "granted" if well else "unavailable",
        "" if well else next(sample.why for sample in last if not sample.ok),
        cut=done,
        samples=samples,
        outages=outages,
        cut_at=cut_at,
        restored_at=restored_at,
        back_at=back_at,
        nominal_at=nominal_at,
        timeline=timeline,
    )


def _worth(asked: Watch, samples: Sequence[Sample], cut_at: float) -> None:
    """Make sure that the watch can tell something."""
    # What was still waiting for its answer at the cut says nothing, unless its time was over anyway.
    before = [s for s in samples if s.at + s.took < cut_at or s.at < cut_at - watch.TIMEOUT]
    bad = [sample for sample in before if not sample.ok]
    if bad or {sample.kind for sample in before} != {"tcp", "http"}:
        why = bad[0].why if bad else "timeout"
        raise InconclusiveError(
            Text(
                f"le service ne répondait pas bien avant toute coupure ({why})",
                f"the service did not answer well before anything was cut ({why})",
            ),
            where=asked.url,
        )
    pace = watch.rate(samples)
    if pace < _SLOWEST:
        raise InconclusiveError(
            Text(
                f"le client n'a fait que {pace:.1f} requêtes par seconde : la mesure ne vaut rien",
                f"the client made only {pace:.1f} requests a second: the measure is worth nothing",
            ),
            where=asked.client,
        )


def _timeline(
    asked: Disruption,
    samples: Sequence[Sample],
    outages: Sequence[Outage],
    marks: tuple[float, float, float | None],
) -> Timeline:
    begin = samples[0].at
    duration = max(sample.at + sample.took for sample in samples) - begin
    step = max(_SHORTEST_STEP, round(duration / _STEPS, 2))
    count = int(duration / step) + 1
    answered: dict[str, list[int]] = {}
    failed = [0] * count
    for sample in samples:
        place = int((sample.at - begin) / step)
        if not sample.ok:
            failed[place] += 1
        elif sample.kind == "http":
            answered.setdefault(sample.by, [0] * count)[place] += 1
    cut, restored, nominal = (None if mark is None else round(mark - begin, 2) for mark in marks)
    phases = {
        "before": watch.p95(samples, end=marks[0]),
        "during": watch.p95(samples, marks[0], marks[1]),
        "after": watch.p95(samples, marks[1]),
    }
    longest = outages[0] if outages else None
    return Timeline(
        title=asked.cut.title,
        url=asked.watch.url,
        client=asked.watch.client,
        started=datetime.fromtimestamp(begin, UTC),
        duration=round(duration, 2),
        step=step,
        answered=dict(sorted(answered.items())),
        failed=failed,
        cut=cut or 0.0,
        restored=restored,
        nominal=nominal,
        outage=round(longest.at_most, 2) if longest else 0.0,
        outage_at_least=round(longest.at_least, 2) if longest else 0.0,
        outage_start=round(longest.start - begin, 2) if longest else None,
        p95={phase: round(value, 3) for phase, value in phases.items() if value is not None},
        requests=len(samples),
        rate=round(watch.rate(samples), 1),
    )
