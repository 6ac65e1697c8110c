"""The check of 2.0: real servers and real interconnection, for an exam."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from check_module import check_module
from loopback import machine
from small_lab import SMALL, changed

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab


def lab(purpose: str = "certification", **switch: Any) -> Lab:
    machines = {**SMALL["machines"], "commutateur": switch} if switch else SMALL["machines"]
    return changed(purpose=purpose, machines=machines)


def judge(found: Lab, *real: str, monkeypatch: pytest.MonkeyPatch) -> Proof:
    """Run the check on machines that are containers, but for the ``real`` ones."""
    check = check_module("sisr/test_real_infrastructure.py")

    def identify(asked: Any) -> SimpleNamespace:
        ran = machine().run("true")
        return SimpleNamespace(nature="physical" if asked.name in real else "container", evidence=ran.evidence)

    monkeypatch.setattr(check.system, "identify", identify)
    proof = Proof(lambda name, _: SimpleNamespace(name=name), {}, {}, Path())
    check.test_nature_of_infrastructure(found, proof)
    return proof


def test_real_server_and_real_firewall(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = judge(lab(), "web", "fw", monkeypatch=monkeypatch)
    assert "web: physical" in proof.remarks[0].en
    assert "poste" not in proof.remarks[0].en


@pytest.mark.parametrize(("real", "missing"), [("web", "interconnection devices"), ("fw", "servers")])
def test_one_of_both_is_simulated(real: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotSatisfiedError, match=missing):
        judge(lab(), real, monkeypatch=monkeypatch)


def test_training_demands_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    judge(lab("training"), monkeypatch=monkeypatch)


def test_equipment_that_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"type": "network", "host": "192.0.2.1", "user": "audit"}
    with pytest.raises(InconclusiveError, match="commutateur"):
        judge(lab(kind="network", device_type="cisco_ios", connection=connection), "web", monkeypatch=monkeypatch)
