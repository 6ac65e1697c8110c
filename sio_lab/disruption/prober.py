"""Asks one service again and again from the machine that it runs on, and prints what became of each request.

Run on the machine as ``python3 -IS -c SCRIPT URL TIMEOUT HEADER CA ALSO``: standard library only, Python 3.9 or
later. It judges nothing. TCP connections and HTTP requests alternate, each in a thread of its own, so that one
that waits holds up no other. ALSO is an HTTP status that is as good as 2xx, if it is not empty. On SIGTERM it
prints one JSON object a line: ``at`` (seconds since 1970), ``took``, ``kind`` (tcp, http), ``ok``, ``by`` (who
answered: the value of HEADER) and ``why`` (how it failed).
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

PERIOD = 0.025  # seconds between requests: 20 of each kind a second
_LONGEST = 64  # characters of a header that are kept


class Target:
    """What is asked: the address is looked up once, the certificate verified each time."""

    def __init__(self, url: str, timeout: float, header: str, ca: str, also: str) -> None:
        self.parts = urlsplit(url)
        self.timeout, self.header, self.also = timeout, header, also
        secure = self.parts.scheme == "https"
        port = self.parts.port or (443 if secure else 80)
        found = socket.getaddrinfo(self.parts.hostname, port, type=socket.SOCK_STREAM)
        self.family, self.address = found[0][0], found[0][4]
        self.context = ssl.create_default_context(cadata=ca or None) if secure else None

    def connect(self, end: float) -> socket.socket:
        """Return a connection made before ``end``."""
        peer = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            peer.settimeout(_left(end))
            peer.connect(self.address)
        except OSError:
            peer.close()
            raise
        return peer

    def tcp(self, end: float) -> tuple[bool, str, str]:
        """Connect, no more."""
        self.connect(end).close()
        return True, "", ""

    def http(self, end: float) -> tuple[bool, str, str]:
        """Ask for the page and read all of the answer."""
        path = (self.parts.path or "/") + (f"?{self.parts.query}" if self.parts.query else "")
        head = (
            f"GET {path} HTTP/1.1",
            f"Host: {self.parts.netloc}",
            "Connection: close",
            "Cache-Control: no-cache",
        )
        peer = self.connect(end)
        try:
            if self.context:
                peer.settimeout(_left(end))
                peer = self.context.wrap_socket(peer, server_hostname=self.parts.hostname)
            peer.settimeout(_left(end))
            peer.sendall("\r\n".join((*head, "", "")).encode())
            answer = http.client.HTTPResponse(peer)
            answer.begin()
            answer.read()
            by = (answer.getheader(self.header) or "")[:_LONGEST]
        finally:
            peer.close()
        good = 200 <= answer.status < 300 or str(answer.status) == self.also
        return good, by, "" if good else f"HTTP {answer.status}"


class Samples:
    """What became of the requests so far."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.lock = threading.Lock()
        self.lines: list[dict[str, Any]] = []

    def take(self, kind: str) -> None:
        """Make one request and note what became of it."""
        at, start = time.time(), time.monotonic()
        ask = self.target.http if kind == "http" else self.target.tcp
        try:
            ok, by, why = ask(start + self.target.timeout)
        except Exception as error:  # noqa: BLE001  # whatever it is, the user of the service got no answer
            ok, by, why = False, "", _why(error)
        took = time.monotonic() - start
        if ok and took > self.target.timeout:
            ok, why = False, "timeout"
        line = {"at": round(at, 4), "took": round(took, 4), "kind": kind, "ok": ok, "by": by, "why": why}
        with self.lock:
            self.lines.append(line)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise socket.timeout  # noqa: UP041  # another class before Python 3.10
    return left


def _why(error: Exception) -> str:
    if isinstance(error, socket.timeout):
        return "timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return type(error).__name__


def main(url: str, timeout: str, header: str, ca: str, also: str) -> None:
    """Ask until SIGTERM comes, then print."""
    # Asked for between requests, not a handler: one that ran while this thread held a lock could wait for it.
    ends = {signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    samples = Samples(Target(url, float(timeout), header, ca, also))
    print("watching", file=sys.stderr, flush=True)  # noqa: T201  # whoever started it waits for this word
    waiting: list[threading.Thread] = []
    turn, due = 0, time.monotonic()
    while signal.sigtimedwait(ends, max(0.0, due - time.monotonic())) is None:
        request = threading.Thread(target=samples.take, args=(("http", "tcp")[turn % 2],), daemon=True)
        request.start()
        waiting = [*(thread for thread in waiting if thread.is_alive()), request]
        turn += 1
        # A machine that was kept from working does not make up for it: that would be another load than users'.
        due = max(due + PERIOD, time.monotonic())
    end = time.monotonic() + float(timeout) + 0.1
    for request in waiting:
        request.join(max(0.0, end - time.monotonic()))
    with samples.lock:
        for line in sorted(samples.lines, key=lambda line: float(line["at"])):
            print(json.dumps(line))  # noqa: T201  # this is how it answers


if __name__ == "__main__":
    main(*sys.argv[1:])
