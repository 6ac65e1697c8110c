"""What a machine is made of, as Incus takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_lab import SMALL, changed

from sio_lab.providers import incus_plan, ssh_keys


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Devices of each machine of a lab with a router."""
    monkeypatch.setattr(
        incus_plan, "sockets", lambda _: Path("/run")
    )  # pytest's own paths are too long for sockets
    router = {"kind": "network", "addresses": {"dmz": "10.9.1.40", "internet": "203.0.113.40"}}
    lab = changed(machines={**SMALL["machines"], "routeur": router})
    keys = ssh_keys.ensure(tmp_path, list(lab.machines))
    return {name: incus_plan.of_machine(lab, name, "image", keys).body["devices"] for name in lab.machines}


def test_routers_alone_have_tunnels_of_programs(devices: dict[str, Any]) -> None:
    assert [name for name in devices if "tun" in devices[name]] == ["routeur"]
    assert devices["routeur"]["tun"]["required"] == "false"


def test_interfaces_bear_the_names_of_perimeters(devices: dict[str, Any]) -> None:
    assert devices["routeur"]["net-dmz"]["name"] == "dmz"
    assert set(devices["routeur"]) == {"root", "ssh", "tun", "net-dmz", "net-internet"}
