"""Who reaches whom at which address, and what the firewall makes of the flow matrix."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from small_lab import SMALL, changed

from sio_lab.lab.model import Lab
from sio_lab.provision import addressing, filtering


def seen(lab: Lab, viewer: str) -> dict[str, str]:
    return {name: str(address) for name, address in addressing.hosts(lab, viewer).items()}


def test_interfaces_fit_the_kernel() -> None:
    assert addressing.interface("dmz") == "dmz"
    assert addressing.interface("perimeter-of-servers") == "perimeter-of-se"


def test_inside_machines_meet_where_they_both_stand(small: Lab) -> None:
    assert seen(small, "web") == {
        "dehors": "203.0.113.9",
        "fw": "10.9.1.1",
        "web": "10.9.1.10",
        "bdd": "10.9.1.11",
        "poste": "10.9.2.10",
    }


def test_from_outside_a_published_machine_is_the_firewall(small: Lab) -> None:
    assert seen(small, "dehors")["web"] == "203.0.113.1"
    assert seen(small, "dehors")["fw"] == "203.0.113.1"
    assert seen(small, "dehors")["poste"] == "10.9.2.10"  # never published: its own, which is no use there


def test_a_mirror_is_no_way_to_anybody(small: Lab) -> None:
    assert seen(small, "fw")["bdd"] == "10.9.1.11"
    mirrored = changed(machines={**SMALL["machines"], "ids": {"addresses": {"mirror": "10.9.9.20"}}})
    assert seen(mirrored, "bdd")["fw"] == "10.9.1.1"
    assert seen(mirrored, "ids")["bdd"] == "10.9.1.11"


def test_machines_without_address_are_left_out() -> None:
    lab = changed(
        provider="existing",
        machines={**SMALL["machines"], "ad": {"connection": {"host": "ad", "user": "x"}}},
    )
    assert "ad" not in seen(lab, "web")
    assert "web" in seen(lab, "ad")


def test_public_addresses(small: Lab) -> None:
    assert addressing.public_addresses(small, "web") == {"internet": IPv4Address("203.0.113.1")}
    assert addressing.public_addresses(small, "bdd") == {}


def test_sites_of_the_internet(sisr: Lab, small: Lab) -> None:
    sites = addressing.sites(sisr)
    assert set(sites) >= {"www.meteo-marine.test", "www.paris-en-ligne.test"}
    assert set(map(str, sites.values())) == {"203.0.113.10"}
    assert addressing.sites_of(sisr, "internet") == list(sites)
    assert addressing.sites_of(sisr, "proxy") == []
    assert addressing.sites(small) == {}


def test_crossings(small: Lab) -> None:
    assert filtering.crossings(small, "fw") == [
        {
            "in": "internet", "source": None, "out": "dmz", "target": "10.9.1.10",
            "tcp": [443], "udp": [], "icmp": False, "published_at": "203.0.113.1",
        },
        {
            "in": "users", "source": None, "out": "dmz", "target": "10.9.1.10",
            "tcp": [443], "udp": [], "icmp": False, "published_at": None,
        },
        {
            "in": "users", "source": "10.9.2.10", "out": "dmz", "target": None,
            "tcp": [], "udp": [], "icmp": True, "published_at": None,
        },
        {
            "in": "dmz", "source": "10.9.1.10", "out": "internet", "target": None,
            "tcp": [], "udp": [123], "icmp": False, "published_at": None,
        },
    ]  # fmt: skip


def test_arrivals(small: Lab) -> None:
    assert filtering.arrivals(small, "fw") == [
        {"in": "users", "source": "10.9.2.10", "tcp": [22], "udp": [], "icmp": False}
    ]


def test_mirrors(small: Lab) -> None:
    assert filtering.mirrors(small, "fw") == ["mirror"]


@pytest.mark.parametrize("source", ["mirror", "bdd"])
def test_nothing_crosses_from_a_mirror_nor_within_a_perimeter(source: str) -> None:
    assert filtering.crossings(changed(flows=[{"from": source, "to": "web", "tcp": [1]}]), "fw") == []


REMOTE = {
    "perimeters": {**SMALL["perimeters"], "escale": {"cidr": "10.8.1.0/24", "via": "routeur"}},
    "machines": {
        **SMALL["machines"],
        "routeur": {"kind": "network", "addresses": {"internet": "203.0.113.40", "dmz": "10.9.1.40"}},
        "loin": {"addresses": {"escale": "10.8.1.50"}},
    },
}


def test_a_network_behind_a_router_is_told_apart_from_the_one_that_leads_there() -> None:
    flows = [
        {"from": "escale", "to": "users", "tcp": [1]},
        {"from": "dmz", "to": "users", "tcp": [2]},
        {"from": "poste", "to": "loin", "tcp": [3]},
        {"from": "loin", "to": "fw", "tcp": [4]},
    ]
    lab = changed(**REMOTE, flows=flows)
    sides = [
        tuple(crossing[key] for key in ("in", "source", "out", "target"))  # type: ignore[index, call-overload]
        for crossing in filtering.crossings(lab, "fw")
    ]
    assert sides == [
        ("dmz", "10.8.1.0/24", "users", None),
        ("dmz", "10.9.1.0/24", "users", None),
        ("users", "10.9.2.10", "dmz", "10.8.1.50"),
    ]
    assert filtering.arrivals(lab, "fw") == [
        {"in": "dmz", "source": "10.8.1.50", "tcp": [4], "udp": [], "icmp": False}
    ]
    assert filtering.routes(lab, "fw") == [{"network": "10.8.1.0/24", "through": "10.9.1.40"}]


def test_without_a_router_no_route(small: Lab) -> None:
    assert filtering.routes(small, "fw") == []
