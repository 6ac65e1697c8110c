"""Disruptions of a real service on loopback, whose process is really killed and started again."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback import certificate
from small_service import Service

from sio_lab.disruption import cuts, engine, journal
from sio_lab.disruption.account import DisruptionObservation
from sio_lab.disruption.engine import Step
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
        steps = [Step(cut, hold, until, within=2.0)]
        asked = Watch(url or service.url, "poste")
        (seen,) = engine.run(steps, asked, service.ways(), service.ca, record.append, goes_on)
        return seen

    return run


def test_a_service_that_is_stopped(disrupt: Disrupt, record: list[Evidence], service: Service) -> None:
    seen = disrupt()
    assert seen.cut.answer == "refused"
    assert seen.nominal_at is not None
    assert 0.6 <= seen.outage.at_least <= seen.outage.at_most <= seen.nominal_at - seen.cut_at + 0.5
    assert seen.outage.at_most - seen.outage.at_least <= 0.2
    assert seen.granted
    assert seen.cut_at < seen.restored_at <= seen.back_at <= seen.nominal_at
    assert set(seen.served()) == {"web"}
    assert not seen.served(seen.cut_at + 0.3, seen.restored_at)
    assert seen.timeline.rate >= 20
    probes = [evidence.probe for evidence in record]
    assert probes == ["disruption.unit", "disruption.state", "disruption.watch"]
    assert journal.read("petit") == []
    assert service.systemctl("is-active")


def test_a_machine_without_power(disrupt: Disrupt, service: Service) -> None:
    seen = disrupt(cuts.power("web"))
    assert seen.cut.answer == "refused"
    assert seen.outage.at_least >= 0.6
    assert service.powered == []


def test_what_never_comes_back_to_its_nominal_state(disrupt: Disrupt) -> None:
    assert disrupt(until=lambda: False).nominal_at is None


def test_machines_must_be_as_they_were(disrupt: Disrupt, service: Service) -> None:
    """An address that does not come back is no nominal state, however well the service answers."""
    addresses = service.folder / "addresses"

    def goes_on() -> bool:
        if not service.systemctl("is-active"):
            addresses.write_text("")
        return True

    seen = disrupt(goes_on=goes_on)
    assert seen.granted
    assert seen.nominal_at is None
    assert "web: - address eth0 10.9.1.10/24" in seen.left


def test_several_in_turn_under_one_watch(service: Service) -> None:
    steps = [Step(cut, 0.8, service.listens, within=5) for cut in (UNIT, cuts.power("web"))]
    watched = Watch(service.url, "poste")
    first, second = engine.run(steps, watched, service.ways(), service.ca, lambda _: None, lambda: True)
    assert [first.cut.cut, second.cut.cut] == [UNIT, cuts.power("web")]
    for seen in (first, second):
        assert seen.granted
        assert len(seen.outages) <= 2  # of TCP and of HTTP
        assert seen.cut_at <= seen.outage.start + 0.5
        assert 0.6 <= seen.outage.at_least <= seen.outage.at_most <= 3
    assert first.nominal_at is not None
    assert second.samples[0].at >= first.nominal_at
    assert first.samples[-1].at < second.cut_at


def test_the_first_that_does_not_come_back_is_the_last(service: Service) -> None:
    steps = [Step(UNIT, 0.3, lambda: False, within=0.5), Step(cuts.power("web"), 0.3)]
    watched = Watch(service.url, "poste")
    (only,) = engine.run(steps, watched, service.ways(), service.ca, lambda _: None, lambda: True)
    assert only.nominal_at is None


def test_what_was_seen_is_not_cut_again(service: Service) -> None:
    ways, watched, nominal = service.ways(), Watch(service.url, "poste"), [True]

    def seen(hold: float, asked: Watch = watched) -> tuple[DisruptionObservation, list[Evidence]]:
        record: list[Evidence] = []
        steps = [Step(UNIT, hold, lambda: nominal[0] and service.listens(), within=1)]
        (found,) = engine.run(steps, asked, ways, service.ca, record.append, lambda: True)
        return found, record

    (first, made), (again, told) = seen(0.5), seen(0.4)
    assert again.samples == first.samples
    assert again.nominal_at == first.nominal_at
    assert [evidence.probe for evidence in told] == ["disruption.unit", "disruption.watch"]
    assert not {id(evidence) for evidence in made} & {id(evidence) for evidence in told}
    nominal[0] = False  # whether all is well is asked now
    assert seen(0.4)[0].nominal_at is None
    nominal[0] = True
    assert seen(0.7)[0].cut_at > first.cut_at  # it has to last longer
    assert seen(0.4, Watch(service.url, "poste", served_by="Server"))[0].cut_at > first.cut_at


def test_the_journal_holds_what_is_cut_while_it_is(disrupt: Disrupt, service: Service) -> None:
    held: list[list[cuts.Cut]] = []

    def goes_on() -> bool:
        held.append(journal.read("petit"))
        return True

    disrupt(goes_on=goes_on)
    (removal,) = held[0]  # of the watch
    assert (removal.kind, removal.machine) == ("command", "poste")
    assert [removal, UNIT] in held


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


def test_a_service_that_demands_a_login_is_there(service: Service) -> None:
    service.answer(401)

    def seen(*, login: bool) -> DisruptionObservation:
        watched = Watch(service.url, "poste", login=login)
        (found,) = engine.run([Step(UNIT, 0.8)], watched, service.ways(), service.ca, lambda _: None, lambda: True)
        return found

    assert 0.6 <= seen(login=True).outage.at_least <= 3
    assert service.listens()
    with pytest.raises(InconclusiveError, match="HTTP 401"):
        seen(login=False)


def test_the_certificate_is_verified(disrupt: Disrupt, service: Service) -> None:
    certificate(service.folder, "other")
    service.ca = service.folder / "other.pem"
    with pytest.raises(InconclusiveError, match="certificate"):
        disrupt()
