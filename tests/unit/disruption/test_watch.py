"""What a watch says of requests that were recorded."""

from __future__ import annotations

import pytest

from sio_lab.disruption import watch
from sio_lab.disruption.watch import Sample
from sio_lab.errors import ProtocolError


def series(*parts: tuple[float, bool], kind: str = "http", took: float = 0.01, by: str = "web1") -> list[Sample]:
    """Return a request each 50 ms, for each of ``parts`` (seconds, whether answered)."""
    found, at = [], 100.0
    for seconds, ok in parts:
        for _ in range(round(seconds / 0.05)):
            found.append(Sample(round(at, 3), took, kind, ok, by if ok else "", "" if ok else "refused"))  # type: ignore[arg-type]
            at += 0.05
    return found


def test_an_outage_is_measured_to_a_tenth_of_a_second() -> None:
    (outage,) = watch.outages(series((2, True), (1.5, False), (2, True)))
    assert outage.at_least <= 1.5 <= outage.at_most <= 1.6
    assert outage.at_most - outage.at_least <= 0.11
    assert outage.start == pytest.approx(101.96)
    assert outage.over


def test_nothing_failed() -> None:
    assert watch.outages(series((3, True))) == []


def test_one_lost_request_is_a_short_outage() -> None:
    (outage,) = watch.outages(series((1, True), (0.05, False), (1, True)))
    assert outage.at_least == 0
    assert outage.at_most == pytest.approx(0.1)


def test_answers_here_and_there_end_no_outage() -> None:
    """Half of the requests go to a dead machine: the service is ill until they no longer do."""
    (outage,) = watch.outages(series((1, True), *[(0.05, False), (0.05, True)] * 10, (1, True)))
    assert outage.at_most >= 0.95


def test_outages_apart_are_counted_apart_the_longest_first() -> None:
    found = watch.outages(series((1, True), (0.2, False), (1, True), (0.6, False), (1, True)))
    assert [round(outage.at_least, 2) for outage in found] == [0.55, 0.15]


def test_an_open_port_does_not_make_up_for_missing_answers() -> None:
    samples = [*series((5, True), kind="tcp"), *series((1, True), (2, False), (2, True))]
    (outage,) = watch.outages(sorted(samples, key=lambda sample: sample.at))
    assert outage.at_least == pytest.approx(1.95)


def test_an_outage_that_does_not_end() -> None:
    (outage,) = watch.outages(series((1, True), (1, False)))
    assert not outage.over
    assert outage.at_most >= 0.95


def test_a_slow_answer_after_the_failures_still_belongs_to_the_outage() -> None:
    samples = series((1, True), (1, False))
    samples.append(Sample(102.0, 0.6, "http", True, "web1"))
    (outage,) = watch.outages(samples)
    assert outage.at_most >= 1.6


def test_response_times() -> None:
    samples = [Sample(float(n), n / 100, "http", True) for n in range(1, 101)]
    assert watch.p95(samples) == 0.95
    assert watch.p95(samples, end=11) == 0.10
    assert watch.p95(series((1, False))) is None
    assert watch.p95(series((1, True), kind="tcp")) is None


def test_who_answered() -> None:
    samples = [*series((1, True)), *series((0.5, True), by="web2"), *series((1, False))]
    assert watch.served(samples) == {"web1": 20, "web2": 10}
    assert watch.rate(series((2, True))) == pytest.approx(20)


@pytest.mark.parametrize("output", ["no JSON", '{"at": 1}', '{"other": 1}'])
def test_what_no_prober_prints(output: str) -> None:
    with pytest.raises(ProtocolError):
        watch.reading(output)
