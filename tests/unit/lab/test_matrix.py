"""What may arrive where, from the flows of a lab alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sio_lab.lab import matrix
from sio_lab.lab.matrix import Trial
from sio_lab.lab.model import Lab

PERIMETERS = {
    "internet": "203.0.113.0/24",
    "dmz": "10.1.1.0/24",
    "servers": "10.1.2.0/24",
    "users": "10.1.3.0/24",
    "admin": "10.1.4.0/24",
    "mirror": "10.1.9.0/24",
}
MACHINES: dict[str, dict[str, Any]] = {
    "monde": {"addresses": {"internet": "203.0.113.10"}},
    "fw": {
        "kind": "firewall",
        "addresses": {
            "internet": "203.0.113.1",
            "dmz": "10.1.1.1",
            "servers": "10.1.2.1",
            "users": "10.1.3.1",
            "admin": "10.1.4.1",
            "mirror": "10.1.9.1",
        },
    },
    "web": {"addresses": {"dmz": "10.1.1.10"}},
    "bdd": {"addresses": {"servers": "10.1.2.10"}},
    "ldap": {"addresses": {"servers": "10.1.2.11"}},
    "poste": {"addresses": {"users": "10.1.3.10"}},
    "ids": {"addresses": {"admin": "10.1.4.10", "mirror": "10.1.9.10"}},
}


def trials(*flows: dict[str, Any], **more: Any) -> list[Trial]:
    """Return what all machines of a lab with ``flows`` send."""
    made = {
        "lab": "essai",
        "title": "Essai",
        "option": "SISR",
        "perimeters": PERIMETERS,
        "machines": MACHINES,
        "flows": flows,
    }
    lab = Lab.model_validate({**made, **more})
    return matrix.trials(lab, lab.machines)


def allowed(found: Iterable[Trial]) -> set[str]:
    """Return who may reach whom, at which address and port."""
    return {
        f"{trial.source}>{trial.target}@{trial.address} {trial.protocol}/{trial.port}"
        for trial in found
        if trial.allowed
    }


def test_a_flow_of_perimeters_is_one_of_all_their_machines() -> None:
    found = trials({"from": "users", "to": "servers", "tcp": [443], "udp": [514], "icmp": True})
    ends = ("poste>bdd@10.1.2.10", "poste>ldap@10.1.2.11")
    assert allowed(found) == {f"{end} {port}" for end in ends for port in ("tcp/443", "udp/514", "icmp/0")}


def test_a_flow_of_machines_is_theirs_alone() -> None:
    assert allowed(trials({"from": "web", "to": "bdd", "tcp": [5432]})) == {"web>bdd@10.1.2.10 tcp/5432"}


def test_ports_that_one_flow_names_are_tried_everywhere() -> None:
    found = trials({"from": "web", "to": "bdd", "tcp": [7777], "udp": [8888]})
    for port in (("tcp", 7777), ("udp", 8888), *matrix.SAMPLE):
        between = {(t.source, t.target) for t in found if (t.protocol, t.port) == port and not t.claimed}
        assert {("poste", "bdd"), ("monde", "web"), ("bdd", "poste"), ("ids", "ldap"), ("poste", "fw")} <= between


def test_nothing_is_tried_where_nothing_filters() -> None:
    found = trials({"from": "web", "to": "bdd", "tcp": [5432]})
    assert not [trial for trial in found if trial.here == trial.there]
    assert not [trial for trial in found if {trial.source, trial.target} == {"bdd", "ldap"}]
    assert not [trial for trial in found if "mirror" in (trial.here, trial.there) or trial.source == "fw"]
    assert {trial.address for trial in found if trial.target == "ids"} == {"10.1.4.10"}


def test_what_is_published_is_reached_at_the_firewall() -> None:
    found = trials({"from": "internet", "to": "web", "tcp": [443], "published": True})
    assert allowed(found) == {"monde>web@203.0.113.1 tcp/443"}
    assert [t.there for t in found if t.allowed] == ["dmz"]
    to_web = [t.address for t in found if (t.source, t.target, t.port) == ("monde", "web", 443) and not t.claimed]
    assert to_web == ["203.0.113.1"]  # whether its own address answers too is not said
    assert not [t for t in found if (t.source, t.target, t.port) == ("monde", "fw", 443)]
    assert [t.allowed for t in found if (t.source, t.target, t.port) == ("monde", "fw", 80)] == [False]


def test_flows_to_the_firewall_itself() -> None:
    found = trials({"from": "users", "to": "fw", "udp": [53]})
    assert allowed(found) == {"poste>fw@10.1.3.1 udp/53"}
    assert {trial.there for trial in found if trial.target == "fw"} == {"fw"}


def test_administration_of_the_firewall_is_neither_owed_nor_forbidden() -> None:
    found = [trial for trial in trials({"from": "web", "to": "bdd", "tcp": [5432]}) if trial.target == "fw"]
    tried = {(trial.protocol, trial.port) for trial in found if trial.source == "ids"}
    assert not tried & {("tcp", 22), ("icmp", 0)}
    assert ("tcp", 443) in tried
    assert ("tcp", 22) in {(trial.protocol, trial.port) for trial in found if trial.source == "poste"}


def test_shared_addresses() -> None:
    pair = {"fw2": {"kind": "firewall", "addresses": {"users": "10.1.3.2", "dmz": "10.1.1.2"}}}
    webs = {"web2": {"addresses": {"dmz": "10.1.1.11"}}}
    shared = {
        "vip-fw": {"machines": ["fw", "fw2"], "addresses": {"users": "10.1.3.254", "dmz": "10.1.1.254"}},
        "site": {"machines": ["web", "web2"], "addresses": {"dmz": "10.1.1.100"}},
    }
    found = trials(
        {"from": "users", "to": "site", "tcp": [443]},
        {"from": "users", "to": "vip-fw", "udp": [53]},
        machines={**MACHINES, **pair, **webs},
        shared_addresses=shared,
    )
    assert allowed(found) == {
        "poste>site@10.1.1.100 tcp/443",
        "poste>vip-fw@10.1.3.254 udp/53",
        "poste>fw@10.1.3.1 udp/53",
        "poste>fw2@10.1.3.2 udp/53",
    }
    assert not [t for t in found if t.source in ("web", "web2") and t.target == "site"]


def test_forged_packets_differ_by_their_source_alone() -> None:
    found = trials({"from": "users", "to": "web", "tcp": [443]})
    honest = {(t.source, t.address, t.protocol, t.port) for t in found if t.allowed}
    forged = [trial for trial in found if trial.claimed and trial.source == "poste"]
    assert {(t.source, t.address, t.protocol, t.port) for t in forged} == honest
    assert {trial.claimed for trial in forged} == {"10.1.2.10", str(matrix.NOBODY)}
    assert not any(trial.allowed for trial in forged)


def test_where_nothing_is_allowed_the_place_of_another_is_taken() -> None:
    found = trials({"from": "users", "to": "web", "tcp": [443]})
    taken = {trial.source: trial for trial in found if trial.claimed and trial.source in ("bdd", "ids")}
    assert {trial.claimed for trial in taken.values()} == {"10.1.3.10"}
    assert {trial.address for trial in taken.values()} == {"10.1.1.10"}


def test_from_the_internet_strangers_come_under_any_address() -> None:
    found = trials({"from": "internet", "to": "web", "tcp": [443], "published": True})
    assert {trial.claimed for trial in found if trial.source == "monde" and trial.claimed} == {"10.1.2.10"}


def test_behind_a_router_of_the_lab() -> None:
    site = {**PERIMETERS, "annexe": {"cidr": "10.2.0.0/24", "via": "routeur"}}
    router = {"routeur": {"kind": "network", "addresses": {"dmz": "10.1.1.20", "annexe": "10.2.0.1"}}}
    far = {"agence": {"addresses": {"annexe": "10.2.0.10"}}}
    found = trials(
        {"from": "annexe", "to": "ldap", "tcp": [636]},
        perimeters=site,
        machines={**MACHINES, **router, **far},
    )
    assert allowed(found) == {"agence>ldap@10.1.2.11 tcp/636"}
    assert not [trial for trial in found if {trial.here, trial.there} == {"annexe", "dmz"}]


def test_a_perimeter_comes_before_a_machine_of_its_name() -> None:
    found = trials(
        {"from": "users", "to": "ldap", "tcp": [636]},
        machines={**MACHINES, "users": {"addresses": {"dmz": "10.1.1.30"}}},
    )
    assert allowed(found) == {"poste>ldap@10.1.2.11 tcp/636"}
