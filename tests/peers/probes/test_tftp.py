from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from loopback import machine

from sio_lab.errors import ProtocolError
from sio_lab.probes import tftp
from sio_lab.probes.observation import Evidence

PROGRAM = bytes(range(256)) * 9  # whole blocks but for the last


def serve(server: socket.socket, files: dict[str, bytes]) -> None:
    """Answer read requests as RFC 1350 §4 wants: each from a port of its own."""
    while True:
        try:
            request, client = server.recvfrom(2048)
        except OSError:
            return
        if not request:
            return
        path = request[2:].split(b"\0")[0].decode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.settimeout(2)
            if path not in files:
                channel.sendto(struct.pack("!HH", 5, 1) + b"File not found\0", client)
                continue
            send(channel, client, files[path])


def send(channel: socket.socket, client: tuple[str, int], content: bytes) -> None:
    for number, start in enumerate(range(0, len(content) + 1, 512), start=1):
        # Twice: a block that comes again must not count again.
        for _ in range(2):
            channel.sendto(struct.pack("!HH", 3, number) + content[start : start + 512], client)
        kind, said = 0, 0
        while (kind, said) != (4, number):
            kind, said = struct.unpack("!HH", channel.recv(512)[:4])
            if kind == 5:
                return


@contextmanager
def server(files: dict[str, bytes]) -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        address = listening.getsockname()
        thread = threading.Thread(target=serve, args=(listening, files))
        thread.start()
        yield f"tftp://127.0.0.1:{address[1]}/"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", address)
        thread.join()


def test_file() -> None:
    record: list[Evidence] = []
    with server({"boot/program": PROGRAM, "script": b"#!ipxe\n"}) as root:
        assert tftp.fetch(machine(record=record), root + "boot/program").content == PROGRAM
        assert tftp.fetch(machine(record=record), root + "script").text == "#!ipxe\n"
    assert record[0].received.startswith("2304 bytes\n00010203")
    assert record[1].received == "7 bytes\n#!ipxe\n"


def test_file_of_whole_blocks() -> None:
    with server({"program": PROGRAM[:1024]}) as root:
        assert len(tftp.fetch(machine(), root + "program").content) == 1024


def test_beginning_of_a_file() -> None:
    with server({"kernel": PROGRAM}) as root:
        assert tftp.fetch(machine(), root + "kernel", limit=600).content == PROGRAM[:600]


def test_no_such_file() -> None:
    with server({}) as root:
        seen = tftp.fetch(machine(), root + "../etc/hostname")
    assert (seen.answer, seen.detail) == ("refused", "TFTP error 1 File not found")


def test_nobody_answers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        seen = tftp.fetch(machine(), f"tftp://127.0.0.1:{silent.getsockname()[1]}/x", deadline=0.1)
    assert seen.answer == "unavailable"


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "tftp:///x"])
def test_address_that_is_none(url: str) -> None:
    with pytest.raises(ProtocolError):
        tftp.fetch(machine(), url)


def test_name_without_address() -> None:
    with pytest.raises(ProtocolError):
        tftp.fetch(machine(), "tftp://nothing.invalid/x")
