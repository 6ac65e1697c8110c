"""The lab of both options is the two others put together: what is added to one of them is added to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sio_lab.lab import load

INVENTORIES = Path(__file__).parents[3] / "inventories"
BOTH, SISR, SLAM = (
    load(INVENTORIES / name).lab.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for name in ("both", "sisr", "slam")
)
OWN = ("development", "components", "forge", "robustness", "remote_data")
"""Services of option SLAM: the others are those of the SISR lab."""


def without(section: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in keys}


@pytest.mark.parametrize("name", SISR["machines"])
def test_machines_of_the_sisr_lab(name: str) -> None:
    machine, here = SISR["machines"][name], BOTH["machines"][name]
    assert without(here, "addresses", "memory") == without(machine, "addresses", "memory")
    assert machine["addresses"].items() <= here["addresses"].items()


def test_machines_of_the_slam_lab() -> None:
    added = BOTH["machines"].keys() - SISR["machines"].keys()
    assert added == {"donnees", "licences", "regates", "forge", "composants", "dev"}
    for name in added:
        machine, here = SLAM["machines"][name], BOTH["machines"][name]
        assert without(here, "addresses") == without(machine, "addresses")
        assert here["addresses"].keys() == machine["addresses"].keys()


def test_services() -> None:
    assert without(BOTH["services"], *OWN) == SISR["services"]
    assert {name: BOTH["services"][name] for name in OWN} == {name: SLAM["services"][name] for name in OWN}
    assert BOTH["contracts"] == SISR["contracts"]


def test_applications() -> None:
    for name, application in SLAM["applications"].items():
        here = BOTH["applications"][name]
        assert without(here, "source") == without(application, "source")
        assert (INVENTORIES / "both" / here["source"]).samefile(INVENTORIES / "slam" / application["source"])


def test_accounts_are_members_of_all_their_groups() -> None:
    for name, here in BOTH["accounts"].items():
        groups = {group for lab in (SISR, SLAM) for group in lab["accounts"][name]["groups"]}
        assert set(here["groups"]) == groups


def test_flows() -> None:
    for flow in SISR["flows"]:
        assert flow in BOTH["flows"]
    merged = {"bdd", "fw"}  # machines of the SLAM lab that the SISR lab has by other names
    for flow in SLAM["flows"]:
        assert flow in BOTH["flows"] or {flow["from"], flow["to"]} & merged, flow
