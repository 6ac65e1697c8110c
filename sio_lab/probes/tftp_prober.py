"""Fetches a file over TFTP (RFC 1350) from the machine that it runs on, and prints it.

Sent to the machine as the input of ``python3 -IS - HOST PORT PATH SECONDS LIMIT``: standard library only,
Python 3.9 or later. It judges nothing. Prints one line: ``data BASE64`` (the file, or its first LIMIT bytes),
``error CODE MESSAGE``, or ``silent`` where nobody answers.
"""

from __future__ import annotations

import base64
import socket
import struct
import sys
import time
from typing import Any

_READ, _DATA, _ACK, _ERROR = 1, 3, 4, 5
_BLOCK = 512
_AGAIN = 1.0  # seconds without answer after which a packet is sent again
_ENOUGH = struct.pack("!HH", _ERROR, 0) + b"enough\0"


class Fetch:
    """One file that is being fetched."""

    def __init__(self, address: tuple[str, int], limit: int) -> None:
        self.channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.channel.settimeout(_AGAIN)
        self.peer: tuple[str, int] = address
        self.begun = False
        self.limit = limit
        self.content = b""
        self.block = 0

    def take(self, packet: bytes, sender: Any) -> str:
        """Read one packet; return the answer to print once there is one."""
        # The server goes on from a port of its own (§4); whoever else speaks is not listened to.
        if sender[0] != self.peer[0] or (self.begun and sender != self.peer) or len(packet) < 4:
            return ""
        kind, number = struct.unpack("!HH", packet[:4])
        if kind == _ERROR:
            return f"error {number} {packet[4:].rstrip(bytes(1)).decode(errors='replace')}"
        if kind != _DATA:
            return ""
        self.peer, self.begun = sender, True
        if number == (self.block + 1) & 0xFFFF:
            self.block, self.content = self.block + 1, self.content + packet[4:]
        if len(self.content) >= self.limit:
            self.channel.sendto(_ENOUGH, self.peer)
            return self.whole()
        self.acknowledge()
        return self.whole() if len(packet) < 4 + _BLOCK else ""

    def acknowledge(self) -> None:
        """Say which block came last."""
        self.channel.sendto(struct.pack("!HH", _ACK, self.block & 0xFFFF), self.peer)

    def whole(self) -> str:
        """Return the answer that holds the file."""
        return f"data {base64.b64encode(self.content[: self.limit]).decode()}"


def main(host: str, port: int, path: str, seconds: float, limit: int) -> None:
    """Fetch ``path`` within ``seconds``."""
    question = struct.pack("!H", _READ) + path.encode() + b"\0octet\0"
    fetch = Fetch((socket.gethostbyname(host), port), limit)
    fetch.channel.sendto(question, fetch.peer)
    end, answer = time.monotonic() + seconds, ""
    while not answer and time.monotonic() < end:
        try:
            answer = fetch.take(*fetch.channel.recvfrom(65535))
        except socket.timeout:  # noqa: UP041  # its name until Python 3.9
            fetch.acknowledge() if fetch.begun else fetch.channel.sendto(question, fetch.peer)
    print(answer or "silent")  # noqa: T201  # this is how it answers


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))
