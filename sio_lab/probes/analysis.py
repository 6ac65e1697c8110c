"""Traffic analysis: what the declared analyser decodes of the traffic that it is shown. Never judges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep

from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import FrameAnalyser
from sio_lab.lab.services import TrafficAnalysis
from sio_lab.probes import background
from sio_lab.probes.background import Background
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

DELAY = 12.0
"""Seconds that the analyser has to decode what it has seen."""
_ATTEMPTS = 4  # times that a control flow is made, until the analyser shows it
_SECONDS = 30  # an analysis that nobody stops ends by itself
_FIELDS = (
    "ip.src", "ip.dst", "frame.protocols", "http.request.method", "http.host", "http.request.uri",
    "tls.handshake.extensions_server_name", "ssh.protocol",
)  # fmt: skip
# Requests in clear, the first message of TLS (RFC 8446 §4.1.2), which bears the server's name, and the first one
# of SSH (RFC 4253 §4.2), in which each side names its software.
_SHOWN = "http.request or tls.handshake.type == 1 or ssh.protocol"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A request, as the analyser decoded it.

    Attributes:
        source: address that it comes from.
        target: address that it goes to.
        protocol: what carries it: ``http``, ``tls`` or ``ssh``.
        method: HTTP method.
        host: name of the server: in HTTP, or in TLS.
        path: path and query; in SSH, what the sender says that it is.
    """

    source: str
    target: str
    protocol: str
    method: str
    host: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisObservation(Observation):
    """What the analyser has decoded so far. ``granted``: something of what was asked for.

    Attributes:
        requests: the decoded requests that hold what was asked for.
    """

    requests: tuple[Decoded, ...] = ()


class Analysis:
    """An analysis in progress; made by ``listening``.

    Attributes:
        started: whether the analyser listens; ``refused`` says why not.
    """

    def __init__(self, program: Background) -> None:
        self._program = program
        self.started: Observation = program.started

    def control(self, make: Callable[[], None], token: str) -> AnalysisObservation:
        """Make a flow marked with ``token`` until it is shown: "listening" may be announced a little early.

        Args:
            make: makes the flow.
            token: mark that the flow bears.

        Raises:
            Unreachable, ProbeTimeout: as every probe; and whatever ``make`` raises.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            make()
            seen = self.seen(token, within=DELAY / _ATTEMPTS)
            if attempt > 1:
                seen.evidence.attempt = attempt
                seen.evidence.retry_reason = "the analyser may not have listened yet"
            if seen.granted:
                break
        return seen

    def seen(self, text: str, *, within: float) -> AnalysisObservation:
        """Tell which requests with ``text`` in their path or server's name were decoded; wait for the first.

        Args:
            text: what to look for.
            within: seconds to wait; 0 to look once.

        Raises:
            Unreachable, ProbeTimeout: as every probe.
        """
        at, start = datetime.now(UTC), monotonic()
        machine = self._program.machine
        # Its last words, once it has ended.
        command = f"cd {self._program.folder} && cat out; [ ! -e status ] || tail -n1 err >&2"
        while True:
            _, out, ended = machine.session.run(command, stdin="", deadline=10)
            requests = tuple(row for row in decoded(out) if text in row.path or text in row.host)
            if requests or ended or monotonic() - start >= within:
                break
            sleep(0.2)
        evidence = machine.saw(
            "analysis.seen",
            target=machine.name,
            sent=f"what was decoded, with {text}",
            received=out + ended,
            at=at,
            start=start,
        )
        detail = "" if requests else ended.strip() or f"{len(decoded(out))} requests decoded, none with {text}"
        return AnalysisObservation(evidence, "granted" if requests else "refused", detail, requests=requests)


@contextmanager
def listening(
    machine: Machine, service: TrafficAnalysis | FrameAnalyser, about: Collection[object] = ()
) -> Iterator[Analysis]:
    """Have the analyser listen; it sees what comes from the moment the context is entered.

    Args:
        machine: the analyser.
        service: how it is run.
        about: addresses whose traffic is captured (any of them); empty for all. On a busy network an analyser that
            decodes everything falls behind.

    Raises:
        InconclusiveError: the product's output is not known here.
        Unreachable, ProbeTimeout: as every probe.
    """
    if service.product not in {"tshark", "wireshark"}:
        raise InconclusiveError(
            Text(
                f"l'analyseur « {service.product} » n'est pas encore sondé, seul tshark l'est",
                f"the analyser '{service.product}' is not probed yet, only tshark is",
            ),
            where=machine.name,
            todo=Text("joignez une attestation", "add an attestation"),
        )
    command = ["tshark", "-l", "-n", "-i", service.interface, "-a", f"duration:{_SECONDS}", "-Y", _SHOWN]
    if about:
        command += ["-f", " or ".join(f"host {address}" for address in about)]
    command += ["-T", "fields", "-E", "occurrence=f"]
    for field in _FIELDS:
        command += ["-e", field]
    with background.running(machine, command, ready="Capturing on", seconds=_SECONDS + 5) as program:
        yield Analysis(program)


def decoded(output: str) -> list[Decoded]:
    """Return the requests in the ``output`` of tshark (``-T fields``): one a line, fields separated by tabs."""
    rows = []
    for line in output.splitlines():
        fields = line.split("\t")
        if len(fields) == len(_FIELDS):  # the last line may be half written
            source, target, protocols, method, host, path, server, software = fields
            layers = protocols.split(":")  # eth:ethertype:ip:tcp:http
            protocol = next((name for name in ("http", "tls", "ssh") if name in layers), layers[-1])
            rows.append(Decoded(source, target, protocol, method, host or server, path or software))
    return rows
