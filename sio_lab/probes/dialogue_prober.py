"""Waits for a packet with content that the machine it runs on sends to a service, and prints where it goes.

Sent to the machine as the input of ``python3 -IS - SECONDS PORT ADDRESS…``: standard library only, Python 3.9 or
later; only root may. It judges nothing. Prints the packet's two ends and the length of its content, or nothing.
"""

from __future__ import annotations

import socket
import sys
import time

_IPV4 = 0x0800  # ETH_P_IP, <linux/if_ether.h>; sent ones are seen by who asks for all kinds only
_EVERYTHING = 3
_OUTGOING = 4  # PACKET_OUTGOING, packet(7)
_TCP = 6
_LARGEST = 65535


def reading(packet: bytes) -> tuple[str, int, str, int, int] | None:
    """Return source, its port, destination, its port and length of content of a TCP packet (RFC 791, RFC 9293)."""
    header = 4 * (packet[0] & 15) if packet else 0
    if header < 20 or packet[0] >> 4 != 4 or packet[9] != _TCP or len(packet) < header + 20:
        return None
    content = int.from_bytes(packet[2:4], "big") - header - 4 * (packet[header + 12] >> 4)
    return (
        socket.inet_ntoa(packet[12:16]),
        int.from_bytes(packet[header : header + 2], "big"),
        socket.inet_ntoa(packet[16:20]),
        int.from_bytes(packet[header + 2 : header + 4], "big"),
        content,
    )


def main(seconds: float, port: int, addresses: list[str]) -> None:
    """Wait for ``seconds`` at most."""
    end = time.monotonic() + seconds
    # Cooked: packets begin with the IP header, whatever the link.
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERYTHING)) as channel:
        while (left := end - time.monotonic()) > 0:
            channel.settimeout(left)
            try:
                packet, sender = channel.recvfrom(_LARGEST)
            except socket.timeout:  # noqa: UP041  # its name until Python 3.9
                return
            if sender[1] != _IPV4 or sender[2] != _OUTGOING:
                continue
            found = reading(packet)
            if found and found[2] in addresses and found[3] == port and found[4] > 0:
                print(f"{found[0]}:{found[1]} {found[2]}:{found[3]} {found[4]}")  # noqa: T201  # how it answers
                return


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
