"""TFTP (RFC 1350): files as a terminal that boots fetches them, from a machine of the lab. Never judges."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import urlsplit

from sio_lab.errors import ProtocolError
from sio_lab.probes import remote_python, tftp_prober
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.text import Text

_LARGEST = 4 * 1024 * 1024  # bytes: boot programs and texts; of what is larger, the beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class TftpObservation(Observation):
    """A file that was asked for. ``refused``: the server said no; ``unavailable``: nobody answered.

    Attributes:
        content: the file, or its beginning.
    """

    content: bytes = b""

    @property
    def text(self) -> str:
        """The file as text."""
        return self.content.decode(errors="replace")


def fetch(machine: Machine, url: str, *, limit: int = _LARGEST, deadline: float = 10.0) -> TftpObservation:
    """Fetch the file of ``url``, ``tftp://host[:port]/path`` (RFC 3617), or its first ``limit`` bytes.

    Args:
        machine: where it is asked from; it resolves the name.
        url: its path is sent as it is, without the first slash.
        limit: bytes after which the transfer is broken off.
        deadline: seconds that it may last.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: that is no such address, or the machine cannot ask.
    """
    parts = urlsplit(url)
    if parts.scheme != "tftp" or not parts.hostname:
        raise ProtocolError(
            Text(f"« {url} » n'est pas une adresse tftp", f"'{url}' is not a tftp address"), where=machine.name
        )
    at, start = datetime.now(UTC), monotonic()
    port, path = parts.port or 69, parts.path.removeprefix("/")
    arguments = [parts.hostname, str(port), path, f"{deadline:g}", str(limit)]
    kind, _, said = remote_python.run(machine, tftp_prober, arguments, deadline=deadline).strip().partition(" ")
    content = base64.b64decode(said) if kind == "data" else b""
    answer: Answer = "granted" if kind == "data" else "refused" if kind == "error" else "unavailable"
    detail = "" if answer == "granted" else f"TFTP error {said}" if answer == "refused" else "no answer"
    evidence = machine.saw(
        "tftp.fetch",
        target=f"{parts.hostname}:{port}",
        sent=f"read {path}" + (f" (first {limit} bytes)" if limit < _LARGEST else ""),
        received=detail or f"{len(content)} bytes\n{_shown(content)}",
        at=at,
        start=start,
    )
    return TftpObservation(evidence, answer, detail, content=content)


def _shown(content: bytes) -> str:
    """Return a file as evidence keeps it: texts as they are, programs by their first bytes."""
    return content[:32].hex() if b"\0" in content else content.decode(errors="replace")
