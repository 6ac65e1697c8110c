"""What is told of disruptions: who was answered when, how long nobody was, and what is worth nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sio_lab.audit.timeline import Timeline
from sio_lab.disruption import watch
from sio_lab.disruption.cuts import Cut
from sio_lab.disruption.watch import Outage, Sample, Watch
from sio_lab.errors import InconclusiveError
from sio_lab.probes.observation import Evidence, Observation
from sio_lab.text import Text

_SLOWEST = 20.0  # requests a second below which an outage is not measured well enough
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

    @property
    def answered_percent(self) -> float:
        """Share of all requests that were answered well in time."""
        return watch.answered_percent(self.samples)


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
        left: what was not as before on the machines concerned by then.
        timeline: the same for the report.
    """

    cut: CutObservation
    samples: Sequence[Sample]
    outages: Sequence[Outage]
    cut_at: float
    restored_at: float
    back_at: float
    nominal_at: float | None
    left: Sequence[str]
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
        return watch.answered_percent(self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateObservation(Observation):
    """Whether machines were seen to be as before. ``refused`` where they were not, in time.

    Attributes:
        left: what was not as before, a line each.
    """

    left: Sequence[str]


@dataclass(slots=True)
class Times:
    """When things happened, on this host's clock."""

    cut: float = 0.0
    restored: float = 0.0
    back: float = 0.0
    nominal: float | None = None

    def ahead(self, seconds: float) -> Times:
        """Return the same on a clock that is ``seconds`` ahead."""
        nominal = None if self.nominal is None else self.nominal + seconds
        return Times(self.cut + seconds, self.restored + seconds, self.back + seconds, nominal)


@dataclass(frozen=True, slots=True)
class Made:
    """A disruption that was made while a service was watched.

    Attributes:
        done: what was seen of the cut.
        times: when things happened.
        settled: whether the machines concerned were as before at the end.
    """

    done: CutObservation
    times: Times
    settled: StateObservation


def of(
    made: Sequence[Made],
    samples: Sequence[Sample],
    asked: Watch,
    record: Callable[[Evidence], None],
    *,
    ahead: float,
    well: float,
) -> Iterator[DisruptionObservation]:
    """Yield what users saw of each disruption ``made`` under one watch, in turn.

    Each has the requests from the nominal state before it to the next cut: what lies between two disruptions is
    the end of the one and the beginning of the other.

    Args:
        made: the disruptions, on this host's clock.
        samples: all requests, on the client's clock.
        asked: what was watched.
        record: keeps evidence.
        ahead: how far the client's clock is ahead of ours, in seconds.
        well: seconds of nothing but good answers that end a disruption.

    Raises:
        InconclusiveError: nothing can be told of the one that comes next.
    """
    if not samples:
        raise InconclusiveError(Text("aucune requête n'a été faite", "no request was made"), where=asked.client)
    there = [replace(each, times=each.times.ahead(ahead)) for each in made]
    begin = samples[0].at
    for index, each in enumerate(there):
        end = there[index + 1].times.cut if index + 1 < len(there) else float("inf")
        own = [sample for sample in samples if begin <= sample.at and _over(sample, end)]
        seen = _observed(each, own, asked, well)
        record(seen.evidence)
        _worth(asked, seen)
        yield seen
        begin = each.times.nominal or end


def failures(samples: Sequence[Sample]) -> dict[str, int]:
    """Return how many requests failed, by reason."""
    found: dict[str, int] = {}
    for sample in samples:
        if not sample.ok:
            found[sample.why] = found.get(sample.why, 0) + 1
    return found


def _observed(made: Made, samples: Sequence[Sample], asked: Watch, well: float) -> DisruptionObservation:
    times = made.times
    outages = watch.outages(samples)
    timeline = _timeline(made, asked, samples, outages)
    bad = [sample for sample in samples if sample.at >= samples[-1].at - well and not sample.ok]
    return DisruptionObservation(
        _evidence(asked, samples, timeline),
        "unavailable" if bad else "granted",
        bad[0].why if bad else "",
        cut=made.done,
        samples=samples,
        outages=outages,
        cut_at=times.cut,
        restored_at=times.restored,
        back_at=times.back,
        nominal_at=times.nominal,
        left=made.settled.left,
        timeline=timeline,
    )


def _evidence(asked: Watch, samples: Sequence[Sample], timeline: Timeline) -> Evidence:
    kept = timeline.model_dump(mode="json", exclude={"title", "url", "client", "started", "failed", "answered"})
    told = {**kept, "served": watch.served(samples), "failures": failures(samples)}
    return Evidence.of(
        "disruption.watch",
        source=asked.client,
        target=asked.url,
        sent=f"{len(samples)} TCP connections and GET requests, {timeline.rate:.1f} a second",
        received=json.dumps(told, indent=1),
        at=timeline.started,
        duration=timeline.duration,
    )


def _over(sample: Sample, cut_at: float) -> bool:
    """Tell whether a request was over at a cut: what still waited for its answer says nothing of before."""
    return sample.at + sample.took < cut_at or sample.at < cut_at - watch.TIMEOUT


def _worth(asked: Watch, seen: DisruptionObservation) -> None:
    """Make sure that the watch can tell something."""
    samples, cut_at = seen.samples, seen.cut_at
    before = [sample for sample in samples if _over(sample, cut_at)]
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
                f"le client n'a fait que {pace:.1f} requêtes par seconde : la mesure n'est pas exploitable",
                f"the client made only {pace:.1f} requests a second: the measure is worth nothing",
            ),
            where=asked.client,
        )


def _timeline(made: Made, asked: Watch, samples: Sequence[Sample], outages: Sequence[Outage]) -> Timeline:
    marks = (made.times.cut, made.times.restored, made.times.nominal)
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
        title=made.done.cut.title,
        url=asked.url,
        client=asked.client,
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
