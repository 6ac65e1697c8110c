"""Requests in clear, which whoever stands on the way can read: they are made to be seen. Never judges."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import urlsplit

from sio_lab.errors import ServiceUnavailable
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation

_ENOUGH = 2000  # characters of an answer that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearObservation(Observation):
    """A request sent in clear. ``granted``: something answered it, be it to complain; ``refused``: nothing did.

    Attributes:
        reply: how the answer begins.
    """

    reply: str = ""


def get(machine: Machine, url: str, *, deadline: float = 3.0) -> ClearObservation:
    """Send the request of ``url`` (HTTP/1.1, RFC 9112) in clear, whatever its port speaks, from ``machine``.

    Args:
        machine: where the connection starts from; it resolves the name of ``url``.
        url: ``http://host[:port]/path?query``, sent as it is, ``..`` included.
        deadline: seconds to wait for an answer.

    Raises:
        Unreachable: the machine does not answer.
        ProbeTimeout: the peer cannot be connected to within the deadline.
    """
    at, start = datetime.now(UTC), monotonic()
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: sio-lab\r\nConnection: close\r\n\r\n"
    answer: Answer = "unavailable"
    try:
        with machine.forward(parts.hostname or "", parts.port or 80) as address:
            reply = _exchange(address, request.encode(), deadline)
        answer, detail = ("granted", "") if reply else ("refused", "no answer")
    except ServiceUnavailable as error:
        reply, detail = "", error.what.en
    evidence = machine.saw(
        "cleartext.get", target=parts.netloc, sent=request.strip(), received=reply or detail, at=at, start=start
    )
    return ClearObservation(evidence, answer, detail, reply=reply)


def _exchange(address: tuple[str, int], request: bytes, deadline: float) -> str:
    """Return the beginning of the answer; empty where there is none."""
    try:
        with socket.create_connection(address, timeout=deadline) as channel:
            channel.sendall(request)
            return channel.recv(_ENOUGH).decode(errors="replace")
    except OSError:  # closed or silent after the request went out: it was there to be seen all the same
        return ""
