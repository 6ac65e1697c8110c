"""Disruptions of a real service on loopback, whose process is really killed and started again."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback import certificate
from small_service import Service

from sio_lab.disruption import cuts, engine, journal
from sio_lab.disruption.engine import Disruption, DisruptionObservation
from sio_lab.disruption.watch import Watch
from sio_lab.errors import InconclusiveError, ProviderError
from sio_lab.probes.observation import Evidence

UNIT = cuts.stopped("web", "apache2")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(engine, "BEFORE", 0.6)
    made = Service(tmp_path).install()
    assert made.listens()
    yield made
    made.remove()


@pytest.fixture
def record() -> list[Evidence]:
    return []


Disrupt = Callable[..., DisruptionObservation]


@pytest.fixture
def disrupt(service: Service, record: list[Evidence]) -> Disrupt:
    def run(
        cut: cuts.Cut = UNIT,
        *,
        url: str = "",
        until: Callable[[], bool] = service.listens,
        hold: float = 0.8,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> DisruptionObservation:
        asked = Disruption(cut, Watch(url or service.url, "poste"), hold, until, within=2.0)
        return engine.run(asked, service.ways(), service.ca, record.append, goes_on)

    return run


def test_a_service_that_is_stopped(disrupt: Disrupt, record: list[Evidence], service: Service) -> None:
    seen = disrupt()
    assert seen.cut.answer == "refused"
    assert 0.6 <= seen.outage.at_least <= seen.outage.at_most <= 2.5
    assert seen.outage.at_most - seen.outage.at_least <= 0.2
    assert seen.granted
    assert seen.nominal_at is not None
    assert seen.cut_at < seen.restored_at <= seen.back_at <= seen.nominal_at
    assert set(seen.served()) == {"web"}
    assert not seen.served(seen.cut_at + 0.3, seen.restored_at)
    assert seen.timeline.rate >= 20
    assert [evidence.probe for evidence in record] == ["disruption.unit", "disruption.watch"]
    assert journal.read("petit") == []
    assert service.systemctl("is-active")


def test_a_machine_without_power(disrupt: Disrupt, service: Service) -> None:
    seen = disrupt(cuts.power("web"))
    assert seen.cut.answer == "refused"
    assert seen.outage.at_least >= 0.6
    assert service.powered == []


def test_what_never_comes_back_to_its_nominal_state(disrupt: Disrupt) -> None:
    assert disrupt(until=lambda: False).nominal_at is None


def test_the_journal_holds_what_is_cut_while_it_is(disrupt: Disrupt, service: Service) -> None:
    held: list[list[cuts.Cut]] = []

    def goes_on() -> bool:
        held.append(journal.read("petit"))
        return True

    disrupt(goes_on=goes_on)
    assert [UNIT] in held


def test_nobody_waits_any_more(disrupt: Disrupt, service: Service) -> None:
    """What was cut is given back at once, not when its time is over."""

    def goes_on() -> bool:
        return service.systemctl("is-active")

    with pytest.raises(InconclusiveError):
        disrupt(goes_on=goes_on, hold=60)
    assert service.listens()
    assert journal.read("petit") == []


def test_a_check_that_breaks(disrupt: Disrupt, service: Service) -> None:
    def until() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        disrupt(until=until)
    assert service.listens()
    assert journal.read("petit") == []


def test_what_cannot_be_given_back_stays_in_the_journal(disrupt: Disrupt, service: Service) -> None:
    broken = service.folder / "broken"

    def goes_on() -> bool:
        if not service.systemctl("is-active"):
            broken.touch()
        return True

    with pytest.raises(ProviderError):
        disrupt(goes_on=goes_on)
    assert journal.read("petit") == [UNIT]
    broken.unlink()
    assert journal.restore(service.ways(), lambda _: None) == [UNIT]
    assert service.listens()
    assert journal.read("petit") == []


def test_a_cut_that_is_refused_is_none(disrupt: Disrupt, service: Service) -> None:
    with pytest.raises(ProviderError):
        disrupt(cuts.power("fw"))
    assert service.listens()


def test_nothing_is_cut_that_does_not_work(disrupt: Disrupt, service: Service) -> None:
    service.systemctl("stop")
    with pytest.raises(InconclusiveError, match="does not work"):
        disrupt()


def test_a_service_that_was_ill_before(disrupt: Disrupt, service: Service) -> None:
    ill = pytest.raises(InconclusiveError, match="did not answer well before")
    with socket.create_server(("127.0.0.1", 0)) as deaf, ill:
        disrupt(url=f"https://localhost:{deaf.getsockname()[1]}/")
    assert service.listens()


def test_the_certificate_is_verified(disrupt: Disrupt, service: Service) -> None:
    certificate(service.folder, "other")
    service.ca = service.folder / "other.pem"
    with pytest.raises(InconclusiveError, match="certificate"):
        disrupt()
