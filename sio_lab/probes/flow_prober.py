"""Tries TCP connections from the machine that it runs on, all at the same time, and prints what became of each.

Sent to the machine as the input of ``python3 -IS - SECONDS HOST PORT [HOST PORT]…``: standard library only,
Python 3.9 or later. It judges nothing. One line an address, tab-separated: number of the target from 0, address,
outcome (errno; 0 for a connection, -1 for no answer, -2 for a name without address), and, for a refusal that was
seen to come by ICMP, its code and its sender.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
import time

AT_ONCE = 256  # well below the usual limit of open files (1024)
NO_ANSWER, NO_ADDRESS = -1, -2
_GRACE = 0.25  # seconds: kernels tell that nobody has an address after three (arp(7)), just after our deadline
_TCP = 6

_Key = tuple[str, int]  # address of the peer, our own port: names one attempt


class Attempt:
    """A connection that is being tried."""

    def __init__(self, number: int, family: int, address: tuple[object, ...], seconds: float) -> None:
        self.number, self.peer = number, str(address[0])
        self.end = time.monotonic() + seconds + _GRACE
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.at_once = self.socket.connect_ex(address)
        self.key = (self.peer, self.socket.getsockname()[1])

    def outcome(self, ready: bool) -> int:
        """Return the errno that it ended with."""
        if self.at_once != errno.EINPROGRESS:
            return self.at_once
        return self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if ready else NO_ANSWER


class Refusals:
    """ICMP errors that quote our attempts. TCP's errno tells a firewall's word from a missing host's no better
    than "no route", and a rejected port from a closed one not at all. Only root may listen."""

    def __init__(self) -> None:
        self.seen: dict[_Key, tuple[int, str]] = {}
        self.sockets = []
        for family, protocol, read in (
            (socket.AF_INET, socket.IPPROTO_ICMP, _quoted_v4),
            (socket.AF_INET6, socket.IPPROTO_ICMPV6, _quoted_v6),
        ):
            try:
                listener = socket.socket(family, socket.SOCK_RAW, protocol)
            except OSError:
                continue
            listener.setblocking(False)
            self.sockets.append((listener, read))

    def of(self, key: _Key) -> tuple[int, str] | None:
        """Return code and sender of the ICMP error that ended an attempt, if one was seen."""
        for listener, read in self.sockets:
            while True:
                try:
                    packet, sender = listener.recvfrom(2048)
                except OSError:
                    break
                quoted = read(packet)
                if quoted:
                    self.seen[quoted[0]] = (quoted[1], sender[0].partition("%")[0])
        return self.seen.get(key)


def _quoted_v4(packet: bytes) -> tuple[_Key, int] | None:
    """Read "destination unreachable" (RFC 792): it quotes the IPv4 header and 8 bytes of what it is about."""
    icmp = packet[(packet[0] & 15) * 4 :]
    inner = icmp[8:]
    if len(inner) < 28 or icmp[0] != 3 or inner[9] != _TCP:
        return None
    (port,) = struct.unpack_from("!H", inner, (inner[0] & 15) * 4)
    return (socket.inet_ntop(socket.AF_INET, inner[16:20]), port), icmp[1]


def _quoted_v6(icmp: bytes) -> tuple[_Key, int] | None:
    """Read the same of IPv6 (RFC 4443 §3.1); the kernel leaves the outer header out."""
    inner = icmp[8:]
    if len(inner) < 48 or icmp[0] != 1 or inner[6] != _TCP:
        return None
    (port,) = struct.unpack_from("!H", inner, 40)
    return (socket.inet_ntop(socket.AF_INET6, inner[24:40]), port), icmp[1]


def addresses(number: int, host: str, port: int) -> list[tuple[int, int, tuple[object, ...]]]:
    """Return number, family and address of each address of ``host``."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        tell(number, host, NO_ADDRESS, None)
        return []
    return [(number, family, address) for family, _, _, _, address in found]


def tell(number: int, address: str, outcome: int, icmp: tuple[int, str] | None) -> None:
    """Print one line of the answer."""
    print(number, address, outcome, *(icmp or ("", "")), sep="\t")  # noqa: T201  # this is how it answers


def main(seconds: float, targets: list[tuple[str, int]]) -> None:
    """Try each address of ``targets`` for ``seconds``."""
    refusals = Refusals()
    poll = select.poll()
    tried: dict[int, Attempt] = {}
    todo = [found for number, target in enumerate(targets) for found in addresses(number, *target)]
    while todo or tried:
        while todo and len(tried) < AT_ONCE:
            attempt = Attempt(*todo.pop(), seconds)
            tried[attempt.socket.fileno()] = attempt
            poll.register(attempt.socket, select.POLLOUT)
        wait = min(attempt.end for attempt in tried.values()) - time.monotonic()
        ready = {descriptor for descriptor, _ in poll.poll(max(0.0, wait * 1000))}
        now = time.monotonic()
        for descriptor, attempt in list(tried.items()):
            if descriptor in ready or attempt.end <= now:
                outcome = attempt.outcome(descriptor in ready)
                tell(attempt.number, attempt.peer, outcome, refusals.of(attempt.key) if outcome > 0 else None)
                poll.unregister(descriptor)
                del tried[descriptor]
                attempt.socket.close()


if __name__ == "__main__":
    _, limit, *pairs = sys.argv
    main(float(limit), [(pairs[at], int(pairs[at + 1])) for at in range(0, len(pairs), 2)])
