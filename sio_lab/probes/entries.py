"""Entries that a user adds to a service again and again, and reads again, while something happens to it.

The service (``entries_url`` in the lab file) answers ``POST`` of a form with what it added and a path
(``retrait``) whose ``DELETE`` removes it, and ``GET`` with a JSON list of all that is there. Never judges.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep, time
from urllib.parse import urlsplit

from sio_lab.errors import ProbeError
from sio_lab.probes import web
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.probes.web import WebObservation

PERIOD = 0.3
"""Seconds between two entries."""
READ_EVERY = 3
"""Entries after which all is read again."""

_DEADLINE = 4.0  # seconds that each answer may take
_REMOVAL = 15.0  # seconds for entries that cannot be removed at once
_NAME = "Essai sio-lab"
_DAY = "2000-01-01"


@dataclass(frozen=True, slots=True)
class Try:
    """One entry that was asked for, or all of them read.

    Attributes:
        at: when it began, on this host's clock.
        end: when its answer was there, or nobody waited for it any more.
        ok: whether it was acknowledged, or answered.
        why: how it failed.
        missing: tokens of entries acknowledged before it began that were not read.
    """

    at: float
    end: float
    ok: bool
    why: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesObservation(Observation):
    """What became of entries: ``granted`` where some were acknowledged, and all of those are read at the end.

    Attributes:
        writes: the entries, in order.
        reads: the times that all was read, in order; the last one is after everything else.
    """

    writes: Sequence[Try]
    reads: Sequence[Try]


def within(tries: Sequence[Try], start: float, end: float) -> list[Try]:
    """Return those that were answered well, begun and ended between both times (this host's clock)."""
    return [each for each in tries if each.ok and start <= each.at and each.end <= end]


def longest_gap(writes: Sequence[Try]) -> tuple[float, float]:
    """Return the longest time in which entries were refused, at least and at most, in seconds.

    From the last acknowledgement before the first that failed to the first one after; without end, infinite.
    """
    gaps, failed = [(0.0, 0.0)], list[Try]()
    last = writes[0].at if writes else 0.0
    for write in writes:
        if not write.ok:
            failed.append(write)
            continue
        if failed:
            gaps.append((failed[-1].at - failed[0].at, write.end - last))
        failed, last = [], write.end
    if failed:
        gaps.append((failed[-1].at - failed[0].at, float("inf")))
    return max(gaps, key=lambda gap: gap[1])


@contextmanager
def writing(machine: Machine, url: str, ca: Path, aside: Callable[[], object] = lambda: None) -> Iterator[Writer]:
    """Add entries at ``url`` from ``machine`` while the context lasts; all of them are removed on leaving it.

    Args:
        machine: the user's machine.
        url: where entries are read and added (https).
        ca: PEM bundle of the authorities that the service's certificate must descend from.
        aside: what else is asked after each reading; it records nothing by itself.
    """
    writer = Writer(machine, url, ca, aside)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()
        writer.remove()


class Writer:
    """Adds entries and reads them until it is stopped; made by ``writing``."""

    def __init__(self, machine: Machine, url: str, ca: Path, aside: Callable[[], object]) -> None:
        self.left: list[str] = []
        """Tokens of the entries that could not be removed."""
        self._machine, self._url, self._ca, self._aside = machine, url, ca, aside
        # Told as a whole at the end; and what ends a check that nobody waits for must not keep us from removing.
        self._quiet = Machine(machine.name, machine.session, lambda _: None)
        self._added: dict[str, str] = {}  # by token, the path that removes it; empty: not acknowledged
        self._writes: list[Try] = []
        self._reads: list[Try] = []
        self._over = Event()
        self._thread = Thread(target=self._go_on, name="entries", daemon=True)
        self._at, self._start = datetime.now(UTC), monotonic()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Add nothing any more; can be called twice."""
        self._over.set()
        self._thread.join()

    def end(self) -> EntriesObservation:
        """Stop, read all once more, and tell what was seen."""
        self.stop()
        self._read()
        last, acknowledged = self._reads[-1], [token for token, path in self._added.items() if path]
        why = last.why or (f"{len(last.missing)} of {len(acknowledged)} entries lost" if last.missing else "")
        if not acknowledged:
            why = why or next((write.why for write in self._writes if write.why), "no entry was added")
        least, most = longest_gap(self._writes)
        told = {
            "acknowledged": len(acknowledged),
            "not acknowledged": len(self._writes) - len(acknowledged),
            "readings": sum(read.ok for read in self._reads),
            "longest gap": f"{least:.1f}-{most:.1f} s",
            "lost": list(last.missing),
        }
        evidence = self._machine.saw(
            "entries.write",
            target=self._url,
            sent=f"{len(self._writes)} POST, {len(self._reads)} GET",
            received=json.dumps(told, indent=1),
            at=self._at,
            start=self._start,
        )
        answer: Answer = "granted" if not why else "refused" if last.ok and acknowledged else "unavailable"
        return EntriesObservation(evidence, answer, why, writes=tuple(self._writes), reads=tuple(self._reads))

    def remove(self) -> None:
        """Remove all that was added; what was not acknowledged may be there all the same."""
        end = monotonic() + _REMOVAL
        self.left = list(self._added)
        while self.left:
            self.left = [token for token in self.left if not self._removed(token)]
            if not self.left or monotonic() > end:
                return
            sleep(PERIOD)

    def _go_on(self) -> None:
        while not self._over.is_set():
            start = monotonic()
            self._write()
            if len(self._writes) % READ_EVERY == 0:
                self._read()
                with suppress(ProbeError):
                    self._aside()
            self._over.wait(max(0.0, PERIOD - (monotonic() - start)))

    def _write(self) -> None:
        token, at = secrets.token_hex(8), time()
        self._added[token] = ""
        self._added[token], why = self._add(token)
        self._writes.append(Try(at, time(), not why, why))

    def _add(self, token: str) -> tuple[str, str]:
        """Return the path that removes the entry of ``token``, and how adding it failed."""
        # Sent again under the same key, it is the same entry (draft-ietf-httpapi-idempotency-key-header).
        seen, why = self._ask(
            "POST", headers={"Idempotency-Key": token}, form={"nom": f"{_NAME} {token}", "jour": _DAY}
        )
        if why or seen is None:
            return "", why
        given = seen.json()
        path = given.get("retrait") if isinstance(given, dict) else None
        return (str(path), "") if path else ("", "the answer names no way to remove the entry")

    def _read(self) -> None:
        expected, at = [token for token, path in self._added.items() if path], time()
        seen, why = self._ask("GET")
        body = seen.body if seen else ""
        if not why and seen and not isinstance(seen.json(), list):
            why = "the answer is no list"
        missing = () if why else tuple(token for token in expected if token not in body)
        self._reads.append(Try(at, time(), not why, why, missing))

    def _removed(self, token: str) -> bool:
        path = self._added[token] or self._add(token)[0]
        if not path:
            return False
        self._added[token] = path
        seen, why = self._ask("DELETE", path)
        return not why or (seen is not None and seen.status in {404, 410})

    def _ask(
        self,
        method: str,
        path: str = "",
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
    ) -> tuple[WebObservation | None, str]:
        """Return the answer to one request, each on a connection of its own, and how it failed."""
        parts = urlsplit(self._url)
        try:
            with web.client(self._quiet, self._url, self._ca, deadline=_DEADLINE) as browser:
                seen = browser.ask(method, path or parts.path or "/", headers=headers, form=form)
        except ProbeError as error:
            return None, error.what.en
        return seen, "" if seen.granted else seen.detail
