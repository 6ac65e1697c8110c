"""The check of the flow matrix: what could not be tried is told, unless another machine stands for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
from check_module import check_module
from lab_runner import ROOT

from sio_lab.audit.proof import Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab import load, matrix
from sio_lab.probes.flow_matrix import Seen

LAB = load(ROOT / "inventories" / "sisr").lab


def module() -> ModuleType:
    return check_module("sisr/test_security_perimeters.py")


def packets(*, without: str = "", blind: str = "") -> list[Seen]:
    """Return a sound matrix, sent by all but ``without``; what ``blind`` sends or receives is not known."""
    tried = matrix.trials(LAB, [name for name in LAB.machines if name != without])
    return [
        Seen(trial, "unknown" if blind in (trial.source, trial.target) else "open" if trial.allowed else "closed")
        for trial in tried
    ]


def remarks(lost: Sequence[str], found: list[Seen]) -> list[str]:
    proof = Proof(lambda *_: pytest.fail("nothing is asked"), {}, {}, Path())
    module().complete(LAB, lost, found, proof)
    return [remark.en for remark in proof.remarks]


def test_a_whole_matrix() -> None:
    assert remarks([], packets()) == []


def test_a_machine_for_which_another_stands() -> None:
    (said,) = remarks(["mobile"], packets(without="mobile"))
    assert said.startswith("nothing was sent from mobile; other machines")


def test_a_machine_that_a_flow_names_has_no_substitute() -> None:
    with pytest.raises(InconclusiveError, match="nothing from portail"):
        remarks(["portail"], packets(without="portail"))


def test_the_only_machine_of_a_perimeter_has_no_substitute() -> None:
    with pytest.raises(InconclusiveError, match="nothing from internet"):
        remarks(["internet"], packets(without="internet"))


def test_a_machine_that_cannot_be_watched() -> None:
    with pytest.raises(InconclusiveError, match="→ collab"):
        remarks([], packets(blind="collab"))
