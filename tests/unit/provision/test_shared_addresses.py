"""What shared addresses make of names, filtering, certificates and roles."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from small_lab import SMALL, changed

from sio_lab.lab.model import Lab
from sio_lab.provision import addressing, filtering, pki, roles


@pytest.fixture
def pair() -> Lab:
    """The small lab with two firewalls, and two machines that answer for the website."""
    own: dict[str, Any] = {
        name: {
            "kind": "firewall",
            "addresses": {"internet": f"203.0.113.{n}", "dmz": f"10.9.1.{n}", "users": f"10.9.2.{n}"},
        }
        for name, n in (("fw", 2), ("fw2", 3))
    }
    return changed(
        machines={**SMALL["machines"], **own},
        shared_addresses={
            "passerelle": {
                "machines": ["fw", "fw2"],
                "addresses": {"internet": "203.0.113.1", "dmz": "10.9.1.1", "users": "10.9.2.1"},
            },
            "www": {"machines": ["web", "bdd"], "addresses": {"dmz": "10.9.1.5"}},
        },
        flows=[
            {"from": "internet", "to": "www", "tcp": [443], "published": True},
            {"from": "users", "to": "www", "tcp": [443]},
            {"from": "users", "to": "passerelle", "icmp": True},
        ],
    )


def test_names_resolve_everywhere(pair: Lab) -> None:
    assert str(addressing.hosts(pair, "poste")["www"]) == "10.9.1.5"
    assert str(addressing.hosts(pair, "poste")["passerelle"]) == "10.9.2.1"
    assert str(addressing.hosts(pair, "dehors")["www"]) == "203.0.113.1"


@pytest.mark.parametrize("firewall", ["fw", "fw2"])
def test_both_firewalls_let_the_same_through(pair: Lab, firewall: str) -> None:
    assert filtering.crossings(pair, firewall) == [
        {
            "in": "internet", "source": None, "out": "dmz", "target": "10.9.1.5",
            "tcp": [443], "udp": [], "icmp": False, "published_at": "203.0.113.1",
        },
        {
            "in": "users", "source": None, "out": "dmz", "target": "10.9.1.5",
            "tcp": [443], "udp": [], "icmp": False, "published_at": None,
        },
    ]  # fmt: skip
    assert filtering.arrivals(pair, firewall) == [
        {"in": "users", "source": None, "tcp": [], "udp": [], "icmp": True}
    ]


def test_firewalls_know_each_other(pair: Lab) -> None:
    assert filtering.peers(pair, "fw2") == [
        {"in": "dmz", "peer": "10.9.1.2", "own": "10.9.1.3"},
        {"in": "internet", "peer": "203.0.113.2", "own": "203.0.113.3"},
        {"in": "users", "peer": "10.9.2.2", "own": "10.9.2.3"},
    ]
    assert filtering.peers(changed(), "fw") == []


def test_each_holder_has_a_certificate_for_the_name(pair: Lab) -> None:
    root = pki.ensure(pair)
    for machine in ("web", "bdd"):
        leaf = x509.load_pem_x509_certificate((root / f"{machine}.crt").read_bytes())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert {machine, "www", "www.petit.test"} <= set(names.get_values_for_type(x509.DNSName))
        addresses = set(map(str, names.get_values_for_type(x509.IPAddress)))
        assert {"10.9.1.5", "203.0.113.1"} <= addresses


def test_holders_have_the_role(pair: Lab) -> None:
    assert [name for name in pair.machines if "shared_address" in roles.of_machine(pair, name)] == [
        "fw", "web", "bdd", "fw2",
    ]  # fmt: skip
