from __future__ import annotations

import socket

import pytest
from loopback import LocalSession, closed_port, machine

from sio_lab.errors import ProtocolError
from sio_lab.probes import scan
from sio_lab.probes.observation import Evidence


def test_each_port_is_asked_once_from_the_same_one() -> None:
    record: list[Evidence] = []
    mark = closed_port()
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        one.settimeout(2)
        other.settimeout(2)
        ports = [closed_port(), one.getsockname()[1], other.getsockname()[1]]
        seen = scan.tcp(machine(record=record), "127.0.0.1", ports, source_port=mark)
        peers = [server.accept()[1] for server in (one, other)]
    assert peers == [("127.0.0.1", mark)] * 2
    assert (seen.answer, seen.source, seen.target) == ("granted", "127.0.0.1", "127.0.0.1")
    assert record[0].received == "3 sent"


def test_marks_are_those_of_logs() -> None:
    seen = scan.tcp(
        machine(LocalSession({"command": "203.0.113.10 203.0.113.1 2"})), "fw", [1, 2], source_port=20123
    )
    eve = '{"src_ip":"203.0.113.10","src_port":20123,"dest_ip":"203.0.113.1"}'
    fast = "{TCP} 203.0.113.10:20123 -> 203.0.113.1:22"
    for line in (eve, fast):
        assert [mark for mark in seen.marks() if mark in line]
        assert not [mark for mark in seen.marks() if mark in line.replace("20123", "20124")]


def test_a_scan_is_bounded() -> None:
    session = LocalSession({})
    with pytest.raises(ProtocolError):
        scan.tcp(machine(session), "127.0.0.1", range(1, 62), source_port=20000)
    assert not session.asked


def test_scan_that_cannot_be_sent() -> None:
    with pytest.raises(ProtocolError):
        scan.tcp(machine(), "nothing.invalid", [80], source_port=closed_port())
    with pytest.raises(ProtocolError):
        scan.tcp(machine(LocalSession({"command": "?"})), "fw", [80], source_port=20000)
