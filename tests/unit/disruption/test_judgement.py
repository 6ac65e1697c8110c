"""What checks of redundancy conclude from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from check_module import check_module
from small_lab import SMALL, changed

from sio_lab.audit import outage
from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.audit.timeline import Timeline
from sio_lab.disruption import cuts
from sio_lab.disruption.account import CutObservation, DisruptionObservation
from sio_lab.disruption.watch import Outage
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Services
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Evidence
from sio_lab.text import Text


def proof() -> Proof:
    def nobody(name: str, record: object) -> Machine:
        raise AssertionError(name)

    return Proof(nobody, {}, {}, Path("ca.crt"))


def evidence() -> Evidence:
    return Evidence.of("x", source="a", target="b", sent="", received="", at=datetime.now(UTC), duration=0)


def seen(
    *found: Outage,
    cut: Answer = "refused",
    end: Answer = "granted",
    nominal: float | None = 6.0,
    left: Sequence[str] = (),
) -> DisruptionObservation:
    timeline = Timeline(
        title=Text.same("x"), url="https://x/", client="poste", started=datetime.now(UTC), duration=9, step=1,
        answered={}, failed=[], cut=2, outage=0, outage_at_least=0, p95={}, requests=1, rate=40,
    )  # fmt: skip
    return DisruptionObservation(
        evidence(),
        end,
        cut=CutObservation(evidence(), cut, cut=cuts.power("fw1")),
        samples=[],
        outages=found,
        cut_at=2.0,
        restored_at=4.0,
        back_at=5.0,
        nominal_at=nominal,
        left=left,
        timeline=timeline,
    )


def test_kept() -> None:
    for found in (seen(), seen(Outage(2, 1.0, 1.1, over=True))):
        outage.really_cut(proof(), found)
        outage.short_enough(proof(), found, 3)
        outage.back(proof(), found)


def test_too_long() -> None:
    with pytest.raises(NotSatisfiedError, match=r"3\.2 s"):
        outage.short_enough(proof(), seen(Outage(2, 3.1, 3.2, over=True)), 3)


def test_it_never_came_back() -> None:
    with pytest.raises(NotSatisfiedError):
        outage.short_enough(proof(), seen(Outage(2, 1.0, 1.1, over=False)), 3)


def test_a_limit_between_the_bounds_concludes_nothing() -> None:
    with pytest.raises(InconclusiveError):
        outage.short_enough(proof(), seen(Outage(2, 2.95, 3.05, over=True)), 3)


def test_a_cut_that_did_not_take_place_concludes_nothing() -> None:
    with pytest.raises(InconclusiveError):
        outage.really_cut(proof(), seen(cut="granted"))


@pytest.mark.parametrize("found", [seen(nominal=None), seen(end="unavailable"), seen(left=["lb1: - link dmz UP"])])
def test_not_back(found: DisruptionObservation) -> None:
    with pytest.raises(NotSatisfiedError):
        outage.back(proof(), found)


@pytest.fixture
def check() -> ModuleType:
    return check_module("sisr/test_fault_tolerance.py")


def paired() -> Lab:
    machines = {
        **SMALL["machines"],
        "fw2": {"kind": "firewall", "addresses": {"dmz": "10.9.1.2", "users": "10.9.2.2"}},
        "lb": {"addresses": {"dmz": "10.9.1.30"}},
    }
    shared = {
        "garde": {"machines": ["fw", "fw2"], "addresses": {"dmz": "10.9.1.254", "users": "10.9.2.254"}},
        "www": {"machines": ["web", "lb"], "addresses": {"dmz": "10.9.1.80"}},
    }
    return changed(machines=machines, shared_addresses=shared)


@pytest.mark.parametrize(
    ("pair", "client", "url", "wanted"),
    [
        ("www", "poste", "https://www.petit.test/", True),
        ("www", "poste", "https://10.9.1.80/", True),
        ("www", "poste", "https://web.petit.test/", False),
        ("garde", "poste", "https://www.petit.test/", True),
        ("garde", "poste", "https://web.petit.test/", True),
        ("garde", "bdd", "https://web.petit.test/", False),
        ("garde", "poste", "https://ailleurs.test/", False),
    ],
)
def test_what_is_reached_through_a_pair(check: ModuleType, pair: str, client: str, url: str, wanted: bool) -> None:
    assert check.passes(paired(), pair, client, url) is wanted


def test_a_pair_that_nothing_goes_through(check: ModuleType) -> None:
    assert list(check.candidates(paired(), "www")) == []
    with pytest.raises(InconclusiveError):
        check.through(paired(), proof(), "www")


def test_a_pair_that_keeps_the_data_of_a_service(check: ModuleType) -> None:
    url = "https://fw.petit.test/courses"
    section = {
        "product": "postgresql",
        "machines": ["lb", "web"],
        "entries_url": url,
        "client": "poste",
        "role": "x",
    }
    lab = paired().model_copy(update={"services": Services.model_validate({"continuity": section})})
    assert list(check.candidates(lab, "www")) == [(url, "poste")]
    assert list(check.candidates(lab, "garde")) == []


@pytest.mark.parametrize(
    ("answers", "url", "login"),
    [((401, 200), "https://b/", False), ((401, 401), "https://a/", True), ((500, 401), "https://b/", True)],
)
def test_what_answers_is_watched(
    check: ModuleType, monkeypatch: pytest.MonkeyPatch, answers: tuple[int, int], url: str, login: bool
) -> None:
    found = dict(zip(("https://a/", "https://b/"), answers, strict=True))
    monkeypatch.setattr(check, "candidates", lambda *_: [(url, "poste") for url in found])
    monkeypatch.setattr(check, "status", lambda _, url, client: found[url])
    watch = check.through(paired(), proof(), "www")
    assert (watch.url, watch.login) == (url, login)
