"""Packets captured on the way of a dialogue, and what can be read in them. Never judges."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import quote, quote_plus

from sio_lab.errors import ProtocolError
from sio_lab.probes import background
from sio_lab.probes.background import Background
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

_SECONDS = 60  # a capture that nobody stops ends by itself
_PACKETS = 50_000
# Whole packets, but a buffer (KiB) with room for hundreds of the largest: each takes up the room of a whole one.
_ROOM = ("-s", "65535", "-B", "32768")
# Each line of the standard input is searched for as it is; printf is a builtin: no secret in a list of processes.
_SEARCH = r"""
n=0; while IFS= read -r text; do
    n=$((n + 1)); printf '%s\n' "$text" | LC_ALL=C grep -qaF -f - {file} && echo "$n"
done; exit 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureObservation(Observation):
    """A capture that was searched. ``granted``: one at least of the texts is in it.

    Attributes:
        found: names of the texts that are in it.
        packets: how many packets it holds.
        missed: how many more the machine saw but could not keep.
    """

    found: frozenset[str]
    packets: int
    missed: int


class Capture:
    """A capture in progress; made by ``on``."""

    def __init__(self, program: Background) -> None:
        self._program = program

    def search(self, texts: Mapping[str, str]) -> CaptureObservation:
        """End the capture, and tell which of ``texts`` stand in it, in clear, within one packet.

        Args:
            texts: what to search for, by the name that stands for it in the evidence.

        Raises:
            Unreachable, ProbeTimeout: as every probe.
            ProtocolError: the capture was not written to its end.
        """
        at, start = datetime.now(UTC), monotonic()
        machine, file = self._program.machine, f"{self._program.folder}/packets"
        said = self._program.stop()
        if not said.granted:
            raise ProtocolError(
                Text("la capture ne s'arrête pas", "the capture does not stop"), where=machine.name
            )
        _, out, _ = machine.session.run(
            _SEARCH.format(file=shlex.quote(file)),
            stdin="".join(f"{text}\n" for text in texts.values()),
            deadline=10,
        )
        names = list(texts)
        found = frozenset(names[int(line) - 1] for line in out.split())
        packets, missed = _count(said.stdout, "captured"), _count(said.stdout, "dropped by kernel")
        evidence = machine.saw(
            "capture.search",
            target=machine.name,
            sent=f"search in the packets for: {', '.join(names)}",
            received=f"{packets} packets, {missed} missed; found: {', '.join(sorted(found)) or 'nothing'}",
            at=at,
            start=start,
        )
        return CaptureObservation(
            evidence, "granted" if found else "refused", found=found, packets=packets, missed=missed
        )


@contextmanager
def on(machine: Machine, interface: str, expression: str) -> Iterator[Capture]:
    """Capture on ``machine``; packets are seen from the moment the context is entered, and removed after it.

    Args:
        machine: a machine on the way, with tcpdump.
        interface: interface to listen on; ``any`` for all.
        expression: which packets to keep (pcap-filter(7)).

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: the capture does not start.
    """
    command = ["tcpdump", "-n", "-i", interface, "-Z", "root", "-U", "--immediate-mode", *_ROOM]
    command += ["-c", str(_PACKETS), "-w", "packets", expression]
    with background.running(machine, command, ready="listening on", seconds=_SECONDS) as program:
        if not program.started.granted:
            detail = program.started.detail
            raise ProtocolError(
                Text(f"la capture ne démarre pas : {detail}", f"the capture does not start: {detail}"),
                where=machine.name,
                todo=Text("installez tcpdump sur cette machine", "install tcpdump on this machine"),
            )
        yield Capture(program)


def credentials(account: str, password: str) -> dict[str, str]:
    """Return the forms in which common protocols send ``account`` and ``password``, by name.

    As it is (LDAP simple bind, RFC 4513; forms), percent-encoded (RFC 3986 and HTML forms), and in base64: HTTP
    (RFC 7617), SASL PLAIN (RFC 4616), SASL LOGIN.
    """

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    return {
        "password": password,
        "password (URL)": quote(password, safe=""),
        "password (form)": quote_plus(password),
        "HTTP Basic": encoded(f"{account}:{password}"),
        "SASL PLAIN": encoded(f"\0{account}\0{password}"),
        "SASL LOGIN": encoded(password),
    }


def _count(said: str, what: str) -> int:
    """Return the number that tcpdump gives for ``what``: ``12 packets captured``."""
    number = re.search(rf"^(\d+) packets? {what}", said, re.MULTILINE)
    return int(number[1]) if number else 0
