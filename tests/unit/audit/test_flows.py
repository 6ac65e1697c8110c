"""From packets to the cells that the report shows."""

from __future__ import annotations

from sio_lab.audit import flows
from sio_lab.lab.matrix import Trial
from sio_lab.lab.model import Lab
from sio_lab.probes.flow_matrix import Fate, Seen

LAB = Lab.model_validate(
    {
        "lab": "essai",
        "title": "Essai",
        "option": "SISR",
        "perimeters": {"users": "10.1.1.0/24", "servers": "10.1.2.0/24"},
        "machines": {
            "fw": {"kind": "firewall", "addresses": {"users": "10.1.1.1", "servers": "10.1.2.1"}},
            "poste": {"addresses": {"users": "10.1.1.10"}},
            "users": {"addresses": {"users": "10.1.1.11"}},  # as its perimeter
            "srv": {"addresses": {"servers": "10.1.2.10"}},
            "bdd": {"addresses": {"servers": "10.1.2.11"}},
        },
    }
)


def seen(target: str, fate: Fate, *, allowed: bool = False, claimed: str = "") -> Seen:
    there = "fw" if target == "fw" else "servers"
    trial = Trial("poste", "10.1.1.10", "users", target, "10.1.2.10", there, "tcp", 443, allowed, claimed)
    return Seen(trial, fate, "why")


def test_cells() -> None:
    found = flows.cells(
        LAB,
        [
            seen("fw", "unknown"),
            seen("srv", "open", allowed=True),
            seen("bdd", "closed"),
            seen("srv", "reached", claimed="10.1.2.11"),
        ],
    )
    assert (found.sources, found.targets) == (["users"], ["servers", "fw"])
    assert [(cell.target, cell.allowed, cell.seen, cell.pairs, cell.detail) for cell in found.cells] == [
        ("servers", True, "open", ["poste → srv"], ""),
        ("servers", False, "closed", [], ""),
        ("servers", False, "open", ["poste (10.1.2.11) → srv"], ""),
        ("fw", False, "not_told", ["poste → fw"], "why"),
    ]


def test_an_answer_that_is_stopped_closes_an_allowed_flow_but_hides_no_hole() -> None:
    assert flows.told(seen("srv", "cut", allowed=True)) == "closed"
    assert flows.told(seen("srv", "cut")) == "open"
