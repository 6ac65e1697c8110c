"""Packets between real network stacks: three machines as network namespaces, of which one filters."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from loopback import LocalSession

from sio_lab.lab import matrix
from sio_lab.lab.matrix import Trial
from sio_lab.lab.model import Lab
from sio_lab.probes import flow_matrix
from sio_lab.probes.flow_matrix import Seen, Sent
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("nft") is None or shutil.which("ip") is None, reason="needs root, ip and nft"
)

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
        },
        "flows": [{"from": "users", "to": "srv", "tcp": [443], "udp": [514], "icmp": True}],
    }
)
RULES = """
table inet filter {
    chain antispoofing {
        type filter hook prerouting priority raw; policy accept;
        fib saddr . iif oif missing drop
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "users" tcp dport 443 accept
        iifname "users" udp dport 514 accept
        iifname "users" icmp type echo-request accept
        reject with icmpx admin-prohibited
    }
    chain input {
        type filter hook input priority filter; policy drop;
    }
}
"""


class Namespace(LocalSession):
    """A machine that is a network namespace of this one."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
        ran = subprocess.run(
            ["ip", "netns", "exec", self.name, "sh", "-c", command],
            input=stdin, capture_output=True, text=True, timeout=deadline, check=False,
        )  # fmt: skip
        return ran.returncode, ran.stdout, ran.stderr


@pytest.fixture
def spaces() -> Iterator[dict[str, str]]:
    mark = secrets.token_hex(3)
    names = {name: f"sio-{mark}-{name}" for name in LAB.machines}
    made: list[str] = []

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    try:
        for space in names.values():
            ip("netns", "add", space)
            made.append(space)
            ip("-n", space, "link", "set", "lo", "up")
        for machine, perimeter in (("poste", "users"), ("srv", "servers")):
            ip(
                "-n",
                names["fw"],
                "link",
                "add",
                perimeter,
                "type",
                "veth",
                "peer",
                "eth0",
                "netns",
                names[machine],
            )
            for name, link in ((machine, "eth0"), ("fw", perimeter)):
                ip(
                    "-n",
                    names[name],
                    "address",
                    "add",
                    f"{LAB.machines[name].addresses[perimeter]}/24",
                    "dev",
                    link,
                )
                ip("-n", names[name], "link", "set", link, "up")
            ip(
                "-n",
                names[machine],
                "route",
                "add",
                "default",
                "via",
                str(LAB.machines["fw"].addresses[perimeter]),
            )
        Namespace(names["fw"]).run("sysctl -qw net.ipv4.ip_forward=1", stdin="", deadline=5)
        status, _, said = Namespace(names["fw"]).run("nft -f -", stdin=RULES, deadline=5)
        assert status == 0, said
        yield names
    finally:
        for space in made:
            subprocess.run(["ip", "netns", "delete", space], check=False)


def sent(spaces: dict[str, str], record: list[Evidence] | None = None) -> list[Sent]:
    keep = (record if record is not None else []).append
    machines = {name: Machine(name, Namespace(space), keep) for name, space in spaces.items()}
    return flow_matrix.send(LAB, machines, matrix.trials(LAB, machines))


def fates(seen: list[Sent]) -> dict[Trial, Seen]:
    return {packet.trial: packet for each in seen for packet in each.packets}


def test_what_is_allowed_arrives_and_nothing_else(spaces: dict[str, str]) -> None:
    record: list[Evidence] = []
    seen = sent(spaces, record)
    found = fates(seen)
    assert len(found) > 60
    for trial, packet in found.items():
        assert (packet.fate in ("open", "reached")) == trial.allowed, packet
        assert packet.fate != "unknown", packet
    forged = [trial for trial in found if trial.claimed]
    assert {trial.claimed for trial in forged} >= {"10.1.2.10", str(matrix.NOBODY)}
    assert {packet.fate for trial, packet in found.items() if trial.protocol == "icmp" and trial.allowed} == {
        "open"
    }
    assert [each.source for each in record] == ["poste", "poste", "srv"]
    assert record[0].received == "srv: icmp open, tcp/443 reached, udp/514 reached"
    assert [each.answer for each in seen] == ["granted", "refused", "refused"]


@pytest.mark.parametrize(
    ("change", "opened"),
    [
        ("flush chain inet filter antispoofing", {"forged"}),
        ("insert rule inet filter forward tcp dport 5432 accept", {"tcp/5432"}),
        ("insert rule inet filter forward udp dport 53 accept", {"udp/53"}),
        ("insert rule inet filter input udp dport 69 accept", {"udp/69"}),
    ],
)
def test_holes_are_seen(spaces: dict[str, str], change: str, opened: set[str]) -> None:
    assert Namespace(spaces["fw"]).run("nft -f -", stdin=change, deadline=5)[0] == 0
    found = {
        "forged" if trial.claimed else f"{trial.protocol}/{trial.port}"
        for trial, packet in fates(sent(spaces)).items()
        if not trial.allowed and packet.fate != "closed"
    }
    assert found == opened


def test_answers_that_do_not_come_back_are_seen(spaces: dict[str, str]) -> None:
    change = "insert rule inet filter forward iifname servers drop"
    assert Namespace(spaces["fw"]).run("nft -f -", stdin=change, deadline=5)[0] == 0
    found = {trial.protocol: packet.fate for trial, packet in fates(sent(spaces)).items() if trial.allowed}
    assert found == {"tcp": "cut", "udp": "reached", "icmp": "cut"}


def test_what_leads_nowhere_is_seen(spaces: dict[str, str]) -> None:
    change = "insert rule inet filter forward tcp dport 443 drop"
    assert Namespace(spaces["fw"]).run("nft -f -", stdin=change, deadline=5)[0] == 0
    found = {trial.protocol: packet.fate for trial, packet in fates(sent(spaces)).items() if trial.allowed}
    assert found["tcp"] == "closed"


def test_a_machine_that_cannot_watch_makes_unknown(spaces: dict[str, str]) -> None:
    class NoPython(Namespace):
        def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
            return super().run(f"PATH=/nowhere:/usr/local/nothing; {command}", stdin=stdin, deadline=deadline)

    machines = {name: Machine(name, Namespace(space), lambda _: None) for name, space in spaces.items()}
    machines["srv"] = Machine("srv", NoPython(spaces["srv"]), lambda _: None)
    found = fates(flow_matrix.send(LAB, machines, matrix.trials(LAB, machines)))
    assert {packet.fate for trial, packet in found.items() if trial.source == "srv"} == {"unknown"}
    silent = {
        packet.fate for t, packet in found.items() if t.target == "srv" and t.protocol == "udp" and t.allowed
    }
    assert silent == {"unknown"}
