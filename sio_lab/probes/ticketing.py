"""Incident management: a ticket opened, found, answered and closed, as people do. Never judges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from sio_lab.errors import InconclusiveError
from sio_lab.lab.services import Ticketing
from sio_lab.probes import web
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

_DEADLINE = 15.0  # seconds, for each request
_CLOSED = frozenset({"resolved", "rejected", "deleted"})  # RT's inactive statuses, by default


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketObservation(Observation):
    """An exchange about a ticket.

    Attributes:
        number: the ticket's number; empty where there is none.
        subject: its subject, as it was read.
        closed: whether it was seen closed.
    """

    number: str = ""
    subject: str = ""
    closed: bool = False


class Desk(Protocol):
    """The incident management application, as one person sees it through their session."""

    def login(self, account: str, password: str) -> Observation:
        """Open the session of ``account``."""

    def open(self, subject: str, text: str) -> TicketObservation:
        """Report an incident; the observation holds its number."""

    def find(self, number: str) -> TicketObservation:
        """Look the ticket ``number`` up."""

    def answer(self, number: str, text: str) -> TicketObservation:
        """Answer the person who reported it."""

    def close(self, number: str) -> TicketObservation:
        """Close the ticket, and read that it is closed."""


@contextmanager
def desk(machine: Machine, service: Ticketing, ca: Path) -> Iterator[Desk]:
    """Open the application from ``machine``, over verified TLS; nobody is logged in yet.

    Every call of the desk may raise Unreachable, ProbeTimeout, or ProtocolError (certificate, unexpected
    answer). A service where nothing listens is an observation: ``unavailable``.

    Raises:
        InconclusiveError: the product's interface is not known here.
    """
    if service.product != "request-tracker":
        raise InconclusiveError(
            Text(
                f"l'outil « {service.product} » n'est pas encore sondé, seul Request Tracker l'est",
                f"the tool '{service.product}' is not probed yet, only Request Tracker is",
            ),
            where="services.ticketing.product",
            todo=Text("joignez une attestation pour 1.3.a", "add an attestation for 1.3.a"),
        )
    with web.client(machine, service.url, ca, deadline=_DEADLINE) as browser:
        yield RequestTracker(browser, service.url)


class RequestTracker:
    """Request Tracker 5: the login page of people, then its REST 2 interface within their session."""

    def __init__(self, browser: web.Client, url: str) -> None:
        parts = urlsplit(url)
        self._browser = browser
        self._root = parts.path.rstrip("/")
        # As pages of its own send them: without, RT takes what changes something for another site's request
        # (cross-site request forgery).
        origin = f"{parts.scheme}://{parts.netloc}"
        self._page = {"Origin": origin, "Referer": f"{origin}{self._root}/"}
        self._queue = ""

    def login(self, account: str, password: str) -> Observation:
        """Open the session of ``account``."""
        form = {"user": account, "pass": password}
        page = self._ask("ticketing.login", "POST", "/NoAuth/Login.html", form=form)
        if page.answer == "unavailable":
            return page
        # The page tells nothing: RT sends those that it lets in elsewhere (302), or shows its home page, and
        # shows its login page again, with status 200, to the others.
        queues = self._ask("ticketing.login", "GET", "/REST/2.0/queues/all")
        content = queues.json()
        items = content.get("items") if isinstance(content, dict) else None
        self._queue = str(items[0]["id"]) if items else ""
        return queues

    def open(self, subject: str, text: str) -> TicketObservation:
        """Report an incident in the first queue that this person sees."""
        body = {"Queue": self._queue, "Subject": subject, "Content": text, "ContentType": "text/plain"}
        return _ticket(self._ask("ticketing.open", "POST", "/REST/2.0/ticket", json=body))

    def find(self, number: str) -> TicketObservation:
        """Look the ticket ``number`` up."""
        return _ticket(self._ask("ticketing.find", "GET", f"/REST/2.0/ticket/{number}"), number)

    def answer(self, number: str, text: str) -> TicketObservation:
        """Answer the person who reported it."""
        body = {"Content": text, "ContentType": "text/plain"}
        return _ticket(
            self._ask("ticketing.answer", "POST", f"/REST/2.0/ticket/{number}/correspond", json=body), number
        )

    def close(self, number: str) -> TicketObservation:
        """Close the ticket, and read that it is closed."""
        done = self._ask("ticketing.close", "PUT", f"/REST/2.0/ticket/{number}", json={"Status": "resolved"})
        if not done.granted:
            return _ticket(done, number)
        # RT answers 200 "Permission Denied" here: only what is read afterwards counts.
        return self.find(number)

    def _ask(
        self, probe: str, method: str, path: str, *, form: dict[str, str] | None = None, json: object = None
    ) -> web.WebObservation:
        return self._browser.ask(method, self._root + path, probe=probe, headers=self._page, form=form, json=json)


def _ticket(seen: web.WebObservation, number: str = "") -> TicketObservation:
    content = seen.json()
    said: dict[str, object] = content if isinstance(content, dict) else {}
    return TicketObservation(
        seen.evidence,
        seen.answer,
        seen.detail or str(said.get("message", "")),
        number=number or str(said.get("id", "")),
        subject=str(said.get("Subject", "")),
        closed=said.get("Status") in _CLOSED,
    )
