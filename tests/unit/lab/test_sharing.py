"""Shared addresses: who is reached by them, and those that no machines could hold."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from small_lab import SMALL, changed

from sio_lab.lab import consistency
from sio_lab.lab.model import Lab

WEB = {"machines": ["web", "bdd"], "addresses": {"dmz": "10.9.1.5"}}


def pair(**changes: Any) -> Lab:
    """Return the small lab with two firewalls and two web servers, ``changes`` at the website's shared address."""
    second = {"internet": "203.0.113.3", "dmz": "10.9.1.3", "users": "10.9.2.3"}
    first = {"internet": "203.0.113.2", "dmz": "10.9.1.2", "users": "10.9.2.2"}
    way = {"internet": "203.0.113.1", "dmz": "10.9.1.1", "users": "10.9.2.1"}
    firewalls = {name: {"kind": "firewall", "addresses": own} for name, own in (("fw", first), ("fw2", second))}
    return changed(
        machines={**SMALL["machines"], **firewalls},
        shared_addresses={"passerelle": {"machines": ["fw", "fw2"], "addresses": way}, "www": {**WEB, **changes}},
        flows=[
            {"from": "internet", "to": "www", "tcp": [443], "published": True},
            {"from": "users", "to": "www", "tcp": [443]},
            {"from": "users", "to": "passerelle", "icmp": True},
        ],
    )


def test_the_shared_address_of_the_firewalls_is_the_gateway() -> None:
    lab = pair()
    assert lab.gateway("web") == IPv4Address("10.9.1.1")
    assert lab.gateway("fw2") is None
    assert lab.firewall_at("users") == IPv4Address("10.9.2.1")
    assert lab.firewall_at("mirror") is None
    assert changed().firewall_at("mirror") == IPv4Address("10.9.9.1")


def test_a_shared_name_stands_for_its_nominal_holder() -> None:
    lab = pair()
    for host in ("www", "www.petit.test", "10.9.1.5"):
        assert lab.machine_of(host) == "web"
    assert lab.machine_of("passerelle") == "fw"
    assert lab.holders("www") == ["web", "bdd"]
    assert lab.holders("bdd") == ["bdd"]
    assert lab.holders("nobody") == []


def test_the_pair_is_possible() -> None:
    assert consistency.check(pair()) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"machines": ["web", "wep"]}, "undeclared machine: wep"),
        ({"machines": ["web", "web"]}, "'web' written twice"),
        ({"machines": ["web", "poste"]}, "'poste' has no address of its own in 'dmz'"),
        ({"addresses": {"dnz": "10.9.1.5"}}, "undeclared perimeter: dnz"),
        ({"addresses": {"dmz": "10.9.2.5"}}, "10.9.2.5 is outside perimeter 'dmz' (10.9.1.0/24)"),
        ({"addresses": {"dmz": "10.9.1.11"}}, "10.9.1.11 is already the address of 'bdd'"),
        ({"addresses": {"dmz": "10.9.1.1"}}, "10.9.1.1 is already the address of 'passerelle'"),
    ],
)
def test_refused(changes: dict[str, Any], says: str) -> None:
    assert says in [each.what.en for each in consistency.check(pair(**changes))]


@pytest.mark.parametrize("name", ["bdd", "dmz"])
def test_a_name_stands_for_one_thing(name: str) -> None:
    lab = changed(shared_addresses={name: WEB})
    assert [each.what.en for each in consistency.check(lab)] == [f"name already taken: {name}"]


def test_connections_come_from_machines_themselves() -> None:
    lab = changed(shared_addresses={"www": WEB}, flows=[{"from": "www", "to": "users", "tcp": [443]}])
    assert [each.what.en for each in consistency.check(lab)] == ["neither perimeter nor machine: www"]
