"""What is concluded of packets, from what machines told of them."""

from __future__ import annotations

import pytest

from sio_lab.errors import ProtocolError
from sio_lab.lab.matrix import Protocol, Trial
from sio_lab.lab.model import Lab
from sio_lab.probes import flow_matrix, flow_packets
from sio_lab.probes.flow_matrix import Record, Seen

LAB = Lab.model_validate(
    {
        "lab": "essai",
        "title": "Essai",
        "option": "SISR",
        "perimeters": {"users": "10.1.1.0/24", "servers": "10.1.2.0/24"},
        "machines": {
            "fw": {"kind": "firewall", "addresses": {"users": "10.1.1.1", "servers": "10.1.2.1"}},
            "poste": {"addresses": {"users": "10.1.1.10"}},
            "srv": {"addresses": {"servers": "10.1.2.10"}},
            "rt": {"kind": "network", "addresses": {"users": "10.1.1.2"}},
        },
    }
)
ALL = frozenset({"fw", "poste", "srv"})


def trial(protocol: Protocol = "tcp", target: str = "srv", claimed: str = "") -> Trial:
    address = {"srv": "10.1.2.10", "fw": "10.1.1.1"}[target]
    return Trial(
        "poste",
        "10.1.1.10",
        "users",
        target,
        address,
        "servers",
        protocol,
        443,
        allowed=False,
        claimed=claimed,
    )


def fate(
    told: str, tried: Trial | None = None, watched: frozenset[str] = ALL, problem: str = "", alive: str = ""
) -> Seen:
    """Return the fate of packet 0, from lines of listeners: ``srv: came 0``."""
    record = Record()
    for line in told.split("; ") if told else ():
        machine, _, said = line.partition(": ")
        record.take(machine, said.replace(" ", "\t", 2), {0: "poste"})
    for machine in watched:
        record.take(machine, "missed\t0", {})
    record.alive.add(alive)
    problems = {problem: "no python3"} if problem else {}
    seen = flow_matrix.fate(LAB, 0, tried or trial(), record, problems)
    return flow_matrix._with_control(LAB, [seen], record)[0]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("srv: came 0; srv: replied 0 open 443 10.1.2.10; poste: answered 0 open 443 10.1.2.10", "open"),
        ("srv: came 0; srv: replied 0 reset 443 10.1.2.10; poste: answered 0 reset 443 10.1.2.10", "reached"),
        ("fw: came 0; srv: came 0", "reached"),
        ("fw: came 0; srv: came 0; srv: replied 0 open 443 10.1.2.10", "cut"),
        ("fw: came 0; srv: came 0; srv: replied 0 unreachable 3 10.1.2.10", "reached"),
        ("fw: came 0", "closed"),
        ("fw: came 0; poste: answered 0 unreachable 13 10.1.1.1", "closed"),
        ("poste: answered 0 unreachable 13 10.1.1.1", "closed"),
        ("fw: came 0; poste: answered 0 reset 443 10.1.2.10", "closed"),  # by the firewall
        ("", "unknown"),  # nobody saw it leave
        ("poste: unsent 0 ENETUNREACH", "unknown"),
        ("fw: came 0; poste: delivered 0", "closed"),  # its own sender does not count
        ("rt: missed 0; rt: came 0", "closed"),  # a router drops as well as a firewall
    ],
)  # fmt: skip
def test_towards_a_machine(told: str, expected: str) -> None:
    assert fate(told).fate == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("fw: came 0", "closed"),
        ("fw: came 0; fw: delivered 0", "reached"),
        ("fw: came 0; srv: delivered 0", "reached"),
    ],
)
def test_towards_the_firewall_itself(told: str, expected: str) -> None:
    assert fate(told, trial(target="fw")).fate == expected


def test_a_machine_that_is_not_watched() -> None:
    two = frozenset({"fw", "poste"})
    assert fate("fw: came 0", trial("udp"), two).fate == "unknown"
    assert fate("fw: came 0", trial("tcp"), two).fate == "unknown"  # it may be off
    assert fate("fw: came 0", trial("tcp"), two, alive="srv").fate == "closed"  # it would have answered
    assert fate("fw: came 0; poste: answered 0 reset 443 10.1.2.10", trial("tcp"), two).fate == "unknown"
    assert fate("fw: came 0; poste: answered 0 unreachable 3 10.1.2.10", trial("udp"), two).fate == "unknown"
    assert fate("fw: came 0; poste: answered 0 unreachable 13 10.1.1.1", trial("udp"), two).fate == "closed"
    assert fate("fw: came 0", trial("tcp", claimed="10.1.2.10"), two).fate == "unknown"


def test_a_machine_that_missed_packets() -> None:
    assert fate("fw: came 0; srv: missed 3", trial("udp"), ALL).fate == "unknown"


def test_a_sender_that_cannot_send() -> None:
    seen = fate("", problem="poste")
    assert (seen.fate, seen.detail) == ("unknown", "poste: no python3")


def test_without_a_watched_firewall_others_show_that_packets_leave() -> None:
    record = Record()
    for machine in ("poste", "srv"):
        record.take(machine, "missed\t0", {})
    record.take("srv", "came\t1\t", {})
    seen = [flow_matrix.fate(LAB, number, trial("udp"), record, {}) for number in (0, 1)]
    assert [each.fate for each in flow_matrix._with_control(LAB, seen, record)] == ["closed", "reached"]
    assert [each.fate for each in flow_matrix._with_control(LAB, seen[:1], record)] == ["unknown"]


def test_not_a_listener() -> None:
    with pytest.raises(ProtocolError, match="unexpected answer"):
        Record().take("srv", "Welcome!", {})


@pytest.mark.parametrize("protocol", ["tcp", "udp", "icmp"])
def test_packets_are_told_from_all_others(protocol: str) -> None:
    sent = flow_packets.packet(0x5A5, (77, protocol, "10.1.1.10", "10.1.2.10", 443))
    assert flow_packets.read(0x5A5, sent) == ("probe", 77, "")
    assert flow_packets.read(0x5A6, sent) is None
    assert flow_packets.read(0x5A5, sent[:24]) is None
    body = sent[20:]
    code = {"tcp": 6, "udp": 17, "icmp": 1}[protocol]
    pseudo = b"" if protocol == "icmp" else sent[12:20] + bytes([0, code]) + len(body).to_bytes(2, "big")
    whole = pseudo + body
    total = sum(int.from_bytes(whole[at : at + 2], "big") for at in range(0, len(whole), 2))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF  # RFC 1071
    refusal = bytes([0x45]) + bytes(8) + bytes([1]) + bytes(10) + bytes([3, 13]) + bytes(6) + sent
    assert flow_packets.read(0x5A5, refusal) == ("answer", 77, "unreachable 13")
