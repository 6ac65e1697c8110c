from __future__ import annotations

import socket

import pytest
from loopback import LocalSession, closed_port, machine
from sshd import deaf_port

from sio_lab.errors import ProtocolError
from sio_lab.probes import flow, flow_prober
from sio_lab.probes.observation import Evidence


def test_open_closed_filtered() -> None:
    record: list[Evidence] = []
    with socket.create_server(("127.0.0.1", 0)) as server, deaf_port() as deaf:
        port, closed = server.getsockname()[1], closed_port()
        targets = [("127.0.0.1", port), ("127.0.0.1", closed), ("127.0.0.1", deaf), ("localhost", port)]
        seen = flow.tcp(machine(record=record), targets, deadline=0.3)
    assert [s.state for s in seen] == ["open", "closed", "filtered", "open"]
    assert [s.answer for s in seen] == ["granted", "unavailable", "refused", "granted"]
    assert [(s.host, s.port) for s in seen] == targets
    assert seen[3].address == "127.0.0.1"  # nobody listens on ::1: the most open address counts
    assert [e.received for e in record] == [
        "open: connected (127.0.0.1)",
        "closed: reset by the peer (127.0.0.1)",
        "filtered: no answer within 0.3 s (127.0.0.1)",
        "open: connected (127.0.0.1)",
    ]


def test_many_ports_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        port = server.getsockname()[1]
        assert {s.state for s in flow.tcp(machine(), [("127.0.0.1", port)] * 600)} == {"open"}


def test_name_without_address() -> None:
    record: list[Evidence] = []
    with pytest.raises(ProtocolError, match="cannot resolve no-such-name"):
        flow.tcp(machine(record=record), [("localhost", closed_port()), ("no-such-name.invalid", 1)])
    assert len(record) == 2


def test_nothing_to_try() -> None:
    assert flow.tcp(machine(), []) == []


def test_machine_without_python() -> None:
    class NoPython(LocalSession):
        def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
            return super().run(f"PATH=/nowhere; {command}", stdin=stdin, deadline=deadline)

    with pytest.raises(ProtocolError, match="no python3") as caught:
        flow.tcp(machine(NoPython()), [("localhost", 1)])
    assert caught.value.todo


def test_not_a_prober() -> None:
    class Chatty(LocalSession):
        def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
            return 0, "Welcome!\n", ""

    with pytest.raises(ProtocolError, match="unexpected answer"):
        flow.tcp(machine(Chatty()), [("localhost", 1)])


@pytest.mark.parametrize(
    ("line", "state", "filtered_by"),
    [
        ("0\t10.0.0.1\t0\t\t", "open", ""),
        ("0\t10.0.0.1\t-1\t\t", "filtered", ""),
        ("0\t10.0.0.1\t111\t\t", "closed", ""),
        ("0\t10.0.0.1\t113\t13\t10.0.0.254", "filtered", "10.0.0.254"),  # administratively prohibited
        ("0\t10.0.0.1\t111\t3\t10.0.0.254", "filtered", "10.0.0.254"),  # port unreachable: nftables' plain reject
        ("0\t10.0.0.1\t113\t1\t10.0.0.254", "closed", ""),  # the last router does not find the host
        ("0\t10.0.0.1\t113\t\t", "closed", ""),
        ("0\t10.0.0.1\t1\t\t", "filtered", ""),
        ("0\tfd00::1\t13\t1\tfd00::fe", "filtered", "fd00::fe"),
        ("0\tfd00::1\t113\t3\tfd00::fe", "closed", ""),
        ("0\tfd00::1\t111\t\t\n0\t10.0.0.1\t-1\t\t", "filtered", ""),
        ("0\t10.0.0.1\t0\t\t\n0\tfd00::1\t-1\t\t", "open", ""),
    ],
)
def test_reading(line: str, state: str, filtered_by: str) -> None:
    attempt = flow.reading(line + "\n", 3)[0]
    assert (attempt.state, attempt.filtered_by) == (state, filtered_by)


def test_icmp_errors_name_the_attempt() -> None:
    tcp = (40000).to_bytes(2, "big") + (443).to_bytes(2, "big") + bytes(4)
    quoted = bytes([0x45]) + bytes(8) + bytes([6]) + bytes(6) + socket.inet_aton("10.0.0.1") + tcp
    outer = bytes([0x46]) + bytes(23)  # a header with an option
    assert flow_prober._quoted_v4(outer + bytes([3, 13]) + bytes(6) + quoted) == (("10.0.0.1", 40000), 13)
    assert flow_prober._quoted_v4(outer + bytes([8, 0]) + bytes(6) + quoted) is None
    assert flow_prober._quoted_v4(outer + bytes([3, 13]) + bytes(6) + quoted[:20]) is None
    v6 = bytes([0x60]) + bytes(5) + bytes([6]) + bytes(17) + socket.inet_pton(socket.AF_INET6, "fd00::1") + tcp
    assert flow_prober._quoted_v6(bytes([1, 1]) + bytes(6) + v6) == (("fd00::1", 40000), 1)
    assert flow_prober._quoted_v6(bytes([135, 0]) + bytes(6) + v6) is None
