from __future__ import annotations

import os
import socket
from ipaddress import ip_address

import pytest
from loopback import LocalSession, closed_port, machine

from sio_lab.errors import ProtocolError
from sio_lab.probes import dialogue, dialogue_prober

LOOPBACK = ip_address("127.0.0.1")
# From 172.29.10.31:40112 to 172.29.10.32:443, with 3 bytes of content and the padding of a short frame.
PACKET = bytes.fromhex(
    "4500002b000040004006 0000 ac1d0a1f ac1d0a20 9cb001bb 00000000 00000000 5018ffff 00000000 616263 0000"
)


def test_packet() -> None:
    assert dialogue_prober.reading(PACKET) == ("172.29.10.31", 40112, "172.29.10.32", 443, 3)


@pytest.mark.parametrize("packet", [b"", PACKET[:30], b"\x60" + PACKET[1:], PACKET[:9] + b"\x11" + PACKET[10:]])
def test_something_else(packet: bytes) -> None:
    assert dialogue_prober.reading(packet) is None


def test_answers() -> None:
    here = machine(LocalSession({"command -v python3": "172.29.10.31:40112 172.29.10.32:443 517\n"}))
    seen = dialogue.during(here, [ip_address("172.29.10.32")], 443, lambda: None, seconds=5)
    assert (seen.answer, seen.client, seen.server) == ("granted", "172.29.10.31:40112", "172.29.10.32:443")
    silent = machine(LocalSession({"command -v python3": ""}))
    assert dialogue.during(silent, [LOOPBACK], 443, lambda: None, seconds=5).answer == "refused"


def test_no_right_to() -> None:
    with pytest.raises(ProtocolError):
        dialogue.during(machine(LocalSession({})), [LOOPBACK], 443, lambda: None, seconds=5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees packets")
def test_real_packets() -> None:
    """Run for real, on the loopback interface: what is sent is seen, a connection without content is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def say(words: bytes) -> None:
            with socket.create_connection(("127.0.0.1", port)) as channel:
                channel.sendall(words)
            server.accept()[0].close()

        seen = dialogue.during(machine(), [LOOPBACK], port, lambda: say(b"hello"), seconds=5)
        assert (seen.answer, seen.server) == ("granted", f"127.0.0.1:{port}")
        assert not dialogue.during(machine(), [LOOPBACK], port, lambda: say(b""), seconds=1).granted
        assert not dialogue.during(machine(), [LOOPBACK], closed_port(), lambda: say(b"x"), seconds=1).granted
