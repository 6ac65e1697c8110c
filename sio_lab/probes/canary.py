"""A canary: a small web application of ours, sound or flawed, that a tool is tried on. Never judges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from sio_lab.errors import ProtocolError
from sio_lab.probes import background, canary_program
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryObservation(Observation):
    """What came to the canary.

    Attributes:
        requests: requests that it received.
        hostile: those among them that the flawed one fails on.
    """

    requests: int = 0
    hostile: int = 0


@dataclass(frozen=True, slots=True)
class Canary:
    """The application while it runs.

    Attributes:
        url: its search page, to which the words that are searched are added.
    """

    url: str
    _machine: Machine
    _program: background.Background

    def end(self) -> CanaryObservation:
        """End it; what came to it comes back.

        Raises:
            Unreachable, ProbeTimeout: as every probe.
            ProtocolError: it does not say what came to it.
        """
        at, start = datetime.now(UTC), monotonic()
        self._program.stop()
        said = self._machine.run(f"cat {self._program.folder}/out")
        try:
            counts = json.loads(said.stdout)
            requests, hostile = int(counts["requests"]), int(counts["hostile"])
        except (ValueError, KeyError, TypeError) as error:
            raise ProtocolError(
                Text(
                    f"l'application témoin ne dit pas ce qu'elle a reçu ({error})",
                    f"the canary does not say what came to it ({error})",
                ),
                where=self._machine.name,
            ) from error
        evidence = self._machine.saw(
            "canary", target=self.url, sent="", received=said.stdout.strip(), at=at, start=start
        )
        return CanaryObservation(evidence, "granted", requests=requests, hostile=hostile)


@contextmanager
def running(
    machine: Machine, *, flawed: bool, seconds: int, kept: Callable[[str], AbstractContextManager[None]]
) -> Iterator[Canary]:
    """Run the application on ``machine``, on a port of loopback, while the context lasts.

    Args:
        machine: where it runs; needs Python 3.9.
        flawed: whether it has defects: it fails on quotes and long words, and shows words as they are.
        seconds: how long it may run.
        kept: remembers, while its context lasts, the command that ends it should this process be killed.

    Raises:
        Unreachable, ProbeTimeout: ``machine`` does not answer.
        ProtocolError: it cannot run there.
    """
    program = Path(canary_program.__file__).read_text(encoding="utf-8")
    command = ["python3", "-IS", "-c", program, "flawed" if flawed else "sound"]
    with background.running(machine, command, ready="listening", seconds=seconds) as started:
        port = re.search(r"listening (\d+)", machine.run(f"cat {started.folder}/err").stdout)
        if not started.started.granted or not port:
            detail = started.started.detail or "no port"
            raise ProtocolError(
                Text(f"l'application témoin ne démarre pas : {detail}", f"the canary does not start: {detail}"),
                where=machine.name,
                todo=Text("il y faut python3", "it needs python3 there"),
            )
        with kept(started.removal):
            yield Canary(f"http://127.0.0.1:{port.group(1)}/cherche?q=", machine, started)
