"""What a machine says of itself, and what is told to differ."""

from __future__ import annotations

from small_lab import SMALL, changed

from sio_lab.disruption import state

SAID = """\
# service
dbus.service     loaded active running D-Bus System Message Bus
haproxy.service  loaded active running HAProxy Load Balancer
user@0.service   loaded active running User Manager for UID 0
# link
lo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP>
dmz@if27         UP             10:66:6a:7a:e7:b7 <BROADCAST,MULTICAST,UP,LOWER_UP>
# address
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
26: dmz    inet 172.30.10.31/24 brd 172.30.10.255 scope global dmz\\       valid_lft forever preferred_lft forever
26: dmz    inet6 fe80::1266:6aff:fe7a:e7b7/64 scope link \\       valid_lft forever preferred_lft forever
# route
172.31.10.0/24 nhid 28 via 10.255.255.2 dev wg0 proto ospf metric 20 \n\
# rule
table inet f2b-table {
\tset addr-set-extranet {
\t\ttype ipv4_addr
\t\tflags timeout
\t\telements = { 203.0.113.10 expires 9m }
\t}

\tset own {
\t\ttype ipv4_addr
\t\telements = { 172.30.10.31,
\t\t\t     172.30.10.32 }
\t}

\tchain f2b-chain {
\t\ttype filter hook input priority filter - 1; policy accept;
\t\ttcp dport 443 ip saddr @addr-set-extranet reject
\t\ttcp dport { 80, 443 } counter accept
\t}
}
"""


def test_what_is_read() -> None:
    assert {line for line in state.read(SAID) if not line.startswith("rule")} == {
        "service dbus.service running",
        "service haproxy.service running",
        "link lo UNKNOWN",
        "link dmz UP",
        "address lo 127.0.0.1/8",
        "address dmz 172.30.10.31/24",
        "route 172.31.10.0/24 via 10.255.255.2 dev wg0 proto ospf metric 20",
    }


def test_what_changes_by_itself_is_no_difference() -> None:
    later = SAID.replace("203.0.113.10 expires 9m", "").replace("if27", "if31").replace("nhid 28", "nhid 30")
    assert state.differences({"lb1": state.read(SAID)}, {"lb1": state.read(later)}) == []


def test_an_empty_set_that_fills() -> None:
    before = SAID.replace("\t\telements = { 203.0.113.10 expires 9m }\n", "")
    assert state.read(before) == state.read(SAID)


def test_what_differs() -> None:
    for old, new, wanted in (
        ("haproxy.service  loaded active running", "haproxy.service  loaded failed failed", 2),
        ("inet 172.30.10.31/24", "inet 172.30.10.39/24", 2),
        ("dmz@if27         UP", "dmz@if27         DOWN", 2),
        ("172.30.10.32 }", "172.30.10.33 }", 2),
        ("policy accept", "policy drop", 2),
        ("\t\ttcp dport { 80, 443 } counter accept\n", "", 1),
    ):
        found = state.differences({"lb1": state.read(SAID)}, {"lb1": state.read(SAID.replace(old, new))})
        assert len(found) == wanted, (old, found)


def test_a_machine_that_no_longer_answers() -> None:
    assert state.differences({"lb1": state.read(SAID)}, {}) == ["lb1: no answer"]


def test_what_starts_or_is_mended_meanwhile_is_no_harm() -> None:
    ill = SAID.replace("haproxy.service  loaded active running", "haproxy.service  loaded failed failed")
    assert state.differences({"lb1": state.read(ill)}, {"lb1": state.read(SAID)}) == []


def test_who_shares_the_work() -> None:
    machines = {**SMALL["machines"], "lb": {"addresses": {"dmz": "10.9.1.30"}}}
    lab = changed(
        machines=machines, shared_addresses={"www": {"machines": ["web", "lb"], "addresses": {"dmz": "10.9.1.80"}}}
    )
    assert state.concerned(lab, "web") == ["web", "lb"]
    assert state.concerned(lab, "poste")[0] == "poste"
