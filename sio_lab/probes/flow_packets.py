"""Sends packets that can be told from all others, and tells which came in, on the machine that it runs on.

Sent to the machine as a whole: ``python3 -IS -c SOURCE MARK SECONDS`` listens, ``python3 -IS -`` with a call of
``send`` behind its source sends. Standard library only, Python 3.9 or later, Linux, root. It opens no port,
changes nothing, and judges nothing.

A packet bears its number where every translation of addresses leaves it: TCP in the sequence number of a SYN
(which its sender's kernel resets once it is answered: no server notices), UDP and ICMP in what they carry.

Lines of the listener, tab-separated: what, number of the packet, and what kind of answer from whom. ``came``: it
came in at an interface, before any filter of this machine. ``delivered``: this machine's filter let it through.
``replied``: this machine answered it. ``answered``: the answer came back to this machine. Last, ``missed`` and how
many packets could not be looked at.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator

NUMBERS = 20  # bits
_ALL_PROTOCOLS = 3  # ETH_P_ALL, linux/if_ether.h
_IPV4 = 0x0800
_TO_US, _FROM_US = 0, 4  # PACKET_HOST, PACKET_OUTGOING, linux/if_packet.h
_PACKET, _STATISTICS = 263, 6  # SOL_PACKET, PACKET_STATISTICS
_ICMP, _TCP, _UDP = 1, 6, 17
_SYN, _RST, _ACK = 2, 4, 16
_WORD = b"sio-lab "
_BUFFER = 4 << 20
_BATCH, _PAUSE = 20, 0.02  # packets a burst, seconds between two: a thousand a second overflow no buffer
_ROUNDS, _BETWEEN = 2, 0.8  # a packet that was lost is sent again

Probe = tuple[int, str, str, str, int]
"""Number, ``tcp``, ``udp`` or ``icmp``, source, destination, port."""


def token(mark: int, number: int) -> int:
    """Return the 32 bits that a packet bears: ``mark`` tells this run from others."""
    return mark << NUMBERS | number


def packet(mark: int, probe: Probe) -> bytes:
    """Return the IPv4 packet of ``probe``; the kernel fills in its checksum and identification (raw(7))."""
    number, protocol, source, destination, port = probe
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    # Firewalls remember who spoke to whom: no run may profit by what another opened.
    own = 32768 + (number + 7 * mark) % 28000
    word = _WORD + b"%08x" % token(mark, number)
    if protocol == "tcp":
        code = _TCP
        segment = struct.pack("!HHIIBBHHH", own, port, token(mark, number), 0, 5 << 4, _SYN, 1024, 0, 0)
        body = _summed(segment, 16, ends + struct.pack("!HH", code, len(segment)))
    elif protocol == "udp":
        code, length = _UDP, 8 + len(word)
        datagram = struct.pack("!HHHH", own, port, length, 0) + word
        body = _summed(datagram, 6, ends + struct.pack("!HH", code, length))
    else:
        code = _ICMP
        body = _summed(struct.pack("!BBHHH", 8, 0, 0, own, number & 0xFFFF) + word, 2, b"")
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, code, 0) + ends + body


def _summed(segment: bytes, at: int, pseudo_header: bytes) -> bytes:
    """Return ``segment`` with its checksum (RFC 1071) at offset ``at``."""
    whole = pseudo_header + segment
    total = sum(struct.unpack(f"!{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return segment[:at] + struct.pack("!H", ~total & 0xFFFF or 0xFFFF) + segment[at + 2 :]


def read(mark: int, data: bytes) -> tuple[str, int, str] | None:
    """Return what an IPv4 packet is to us: ``probe`` or ``answer``, its number, and what kind of answer."""
    if len(data) < 28 or data[0] >> 4 != 4:
        return None
    protocol, body = data[9], data[(data[0] & 15) * 4 :]
    if protocol == _TCP and len(body) >= 20:
        port, _, sequence, acknowledged, _, flags = struct.unpack_from("!HHIIBB", body)
        if flags == _SYN and sequence >> NUMBERS == mark:
            return "probe", _number(sequence), ""
        if flags & _ACK and flags & (_SYN | _RST) and (acknowledged - 1) % (1 << 32) >> NUMBERS == mark:
            return "answer", _number(acknowledged - 1), f"{'open' if flags & _SYN else 'reset'} {port}"
    if protocol == _UDP:
        number = _worded(mark, body[8:])
        return None if number is None else ("probe", number, "")
    if protocol == _ICMP:
        return _read_icmp(mark, body)
    return None


def _read_icmp(mark: int, body: bytes) -> tuple[str, int, str] | None:
    kind, code = body[0], body[1]
    if kind in (0, 8):
        number = _worded(mark, body[8:])
        if number is not None:
            return ("probe", number, "") if kind == 8 else ("answer", number, "echo 0")
    elif kind == 3:
        # An error quotes the header and at least 8 bytes (RFC 792): the number of a SYN is there.
        quoted = body[8:]
        inner = quoted[(quoted[0] & 15) * 4 :] if quoted else b""
        if len(inner) >= 8:
            sequence = struct.unpack_from("!I", inner, 4)[0]
            if quoted[9] == _TCP and sequence >> NUMBERS == mark:
                return "answer", _number(sequence), f"unreachable {code}"
            number = _worded(mark, inner[8:]) if quoted[9] in (_UDP, _ICMP) else None
            if number is not None:
                return "answer", number, f"unreachable {code}"
    return None


def _worded(mark: int, carried: bytes) -> int | None:
    if not carried.startswith(_WORD):
        return None
    try:
        found = int(carried[len(_WORD) : len(_WORD) + 8], 16)
    except ValueError:
        return None
    return _number(found) if found >> NUMBERS == mark else None


def _number(found: int) -> int:
    return found & ((1 << NUMBERS) - 1)


def _listeners() -> Iterator[tuple[socket.socket, bool]]:
    """Yield the sockets, each with whether it stands at the interfaces, before this machine's own filter."""
    at_interfaces = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL_PROTOCOLS))
    yield at_interfaces, True
    for protocol in (_TCP, _UDP, _ICMP):
        yield socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol), False


def listen(mark: int, seconds: float) -> None:
    """Tell what comes in, until SIGTERM, for ``seconds`` at most."""
    listeners = dict(_listeners())

    def taken(each: socket.socket) -> Iterator[tuple[str, int, str]]:
        return _taken(mark, each, at_interfaces=listeners[each])

    for each in listeners:
        each.setblocking(False)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    ours, ended = os.pipe()
    os.set_blocking(ended, False)
    signal.set_wakeup_fd(ended)
    signal.signal(signal.SIGTERM, lambda *_: None)
    print("listening", file=sys.stderr, flush=True)  # noqa: T201  # this is how it answers
    end, told = time.monotonic() + seconds, dict[tuple[str, int, str], None]()
    while time.monotonic() < end:
        ready, _, _ = select.select([ours, *map(socket.socket.fileno, listeners)], [], [], 1.0)
        told.update(dict.fromkeys(found for each in listeners if each.fileno() in ready for found in taken(each)))
        if ours in ready:
            break
    told.update(dict.fromkeys(found for each in listeners for found in taken(each)))
    for line in told:
        print(*line, sep="\t")  # noqa: T201
    missed = next(_missed(each) for each, at_interfaces in listeners.items() if at_interfaces)
    print("missed", missed, sep="\t", flush=True)  # noqa: T201


def _missed(listener: socket.socket) -> int:
    _, missed = struct.unpack("II", listener.getsockopt(_PACKET, _STATISTICS, 8))
    return int(missed)


def _taken(mark: int, listener: socket.socket, *, at_interfaces: bool) -> Iterator[tuple[str, int, str]]:
    """Yield what waits in ``listener``."""
    while True:
        try:
            data, sender = listener.recvfrom(2048)
        except OSError:
            return
        way = sender[2] if at_interfaces else _TO_US
        if (at_interfaces and sender[1] != _IPV4) or way not in (_TO_US, _FROM_US):
            continue
        found = read(mark, data)
        if found is None:
            continue
        what, number, kind = found
        if what == "probe":
            if way == _TO_US:
                yield "came" if at_interfaces else "delivered", number, ""
        elif at_interfaces:
            who = socket.inet_ntoa(data[12:16])
            yield "replied" if way == _FROM_US else "answered", number, f"{kind} {who}"


def send(mark: int, probes: list[Probe]) -> None:
    """Send ``probes``, and print ``unsent``, number and errno of each that this machine cannot send."""
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    unsent: dict[int, int] = {}
    for turn in range(_ROUNDS):
        if turn:
            time.sleep(_BETWEEN)
        for at in range(0, len(probes), _BATCH):
            for probe in probes[at : at + _BATCH]:
                failed = _sent(out, packet(mark, probe), probe[3])
                unsent.pop(probe[0], None)
                if failed:
                    unsent[probe[0]] = failed
            time.sleep(_PAUSE)
    for number, failed in unsent.items():
        print("unsent", number, errno.errorcode.get(failed, failed), sep="\t")  # noqa: T201


def _sent(out: socket.socket, data: bytes, destination: str) -> int:
    try:
        out.sendto(data, (destination, 0))
    except OSError as error:
        return error.errno or -1
    return 0


if __name__ == "__main__" and len(sys.argv) == 3:
    listen(int(sys.argv[1]), float(sys.argv[2]))
