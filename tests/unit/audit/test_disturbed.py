"""What nobody can rely on while a check runs."""

from __future__ import annotations

from types import ModuleType

import pytest
from check_module import check_module
from lab_runner import ROOT

from sio_lab.audit.engine import disturbed
from sio_lab.audit.requirement import Binding
from sio_lab.lab import load
from sio_lab.lab.infrastructure import AlertReceiver, Supervision
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Services
from sio_lab.text import Text

LAB = load(ROOT / "inventories" / "sisr").lab
TITLE = Text.same("x")


def supervising(target: str) -> Lab:
    """Return the embedded lab, with a supervision that stops a service of ``target``."""
    receiver = AlertReceiver(machine="sauvegarde")
    section = Supervision(
        product="prometheus", machines=["sauvegarde"], receiver=receiver, target=target, unit="some-unit"
    )
    return LAB.model_copy(update={"services": LAB.services.model_copy(update={"supervision": section})})


@pytest.fixture
def supervision() -> ModuleType:
    return check_module("sisr/test_supervision.py")


def test_what_a_check_says() -> None:
    assert disturbed(Binding("2.1.j", TITLE, "disrupt", ["load_balancer"], ["website"]), LAB) == {"website"}
    assert disturbed(Binding("2.1.j", TITLE, "disrupt", [], lambda lab: lab.machines), LAB) == set(LAB.machines)
    assert disturbed(Binding("1.1.b", TITLE, "exercise", ["dbms"]), LAB) == frozenset()


def test_a_disruption_that_does_not_say_cuts_all_that_it_uses() -> None:
    assert disturbed(Binding("2.1.j", TITLE, "disrupt", ["load_balancer"]), LAB) == {"load_balancer"}
    assert disturbed(Binding("2.1.b", TITLE, "disrupt"), LAB) >= {*Services.model_fields, *LAB.machines}


def test_who_relies_on_the_service_that_supervision_stops(supervision: ModuleType) -> None:
    found = set(supervision.relying(supervising("collab")))
    assert found >= {"collaboration", "encryption", "supervision"}
    assert "restricted_area" not in found


def test_everybody_relies_on_the_directory(supervision: ModuleType) -> None:
    assert set(supervision.relying(supervising("annuaire"))) == set(Services.model_fields)
