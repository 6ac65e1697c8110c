"""Incident management: a ticket opened, found, answered and closed, as people do. Never judges."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from sio_lab.audit.proof import InconclusiveError
from sio_lab.errors import ProbeTimeout, ProtocolError, ServiceUnavailable
from sio_lab.lab.services import Ticketing
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
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
    with ExitStack() as stack:
        yield RequestTracker(_Web(machine, service.url, ca, stack))


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    content: object
    observation: Observation

    def text(self, key: str) -> str:
        """Return a member of a JSON object as text; empty where there is none."""
        value = self.content.get(key) if isinstance(self.content, dict) else None
        return "" if value is None else str(value)


class _Web:
    """One browser's session: cookies kept, certificate verified, every exchange recorded."""

    def __init__(self, machine: Machine, url: str, ca: Path, stack: ExitStack) -> None:
        self._machine = machine
        self._url = urlsplit(url)
        self._ca = ca
        self._stack = stack
        self._client: httpx.Client | None = None

    def ask(
        self, probe: str, method: str, path: str, *, form: dict[str, str] | None = None, body: object = None
    ) -> _Reply:
        """Send one request; ``form`` (which is not recorded) or ``body`` (JSON) goes with it."""
        at, start = datetime.now(UTC), monotonic()
        path = self._url.path.rstrip("/") + path
        content: object = None
        try:
            response = self._request(method, path, form, body)
        except ServiceUnavailable as error:
            status, received, detail = 0, "", error.what.en
            answer: Answer = "unavailable"
        else:
            status, received = response.status_code, response.text
            detail = "" if response.is_success else f"HTTP {status}"
            # 5xx: the application is out of order, which is no refusal.
            answer = "granted" if response.is_success else "unavailable" if status >= 500 else "refused"
            if "json" in response.headers.get("content-type", ""):
                content = response.json()
        evidence = self._machine.saw(
            probe,
            target=self._url.geturl(),
            sent=f"{method} {path}" + (f" {body}" if body else "") + (f" {sorted(form)}" if form else ""),
            received=f"{detail or f'HTTP {status}'}\n{received}",
            at=at,
            start=start,
        )
        return _Reply(status, content, Observation(evidence, answer, detail))

    def _request(self, method: str, path: str, form: dict[str, str] | None, body: object) -> httpx.Response:
        host = self._url.hostname or ""
        try:
            if self._client is None:
                self._client = self._connect(host)
            return self._client.request(method, path, data=form, json=body, extensions={"sni_hostname": host})
        except httpx.TimeoutException as error:
            raise ProbeTimeout(
                Text(f"pas de réponse en {_DEADLINE:.0f} s", f"no answer within {_DEADLINE:.0f} s"),
                where=self._url.geturl(),
            ) from error
        except (httpx.HTTPError, ValueError) as error:
            raise ProtocolError(
                Text(f"dialogue impossible : {error}", f"no dialogue: {error}"), where=self._url.geturl()
            ) from error

    def _connect(self, host: str) -> httpx.Client:
        address, port = self._stack.enter_context(self._machine.forward(host, self._url.port or 443))
        # The client speaks to the tunnel's end; the name in the request and in the certificate is the service's.
        return self._stack.enter_context(
            httpx.Client(
                base_url=f"https://{address}:{port}",
                headers={"Host": self._url.netloc},
                verify=ssl.create_default_context(cafile=str(self._ca)),
                timeout=_DEADLINE,
                trust_env=False,
            )
        )


class RequestTracker:
    """Request Tracker 5: the login page of people, then its REST 2 interface within their session."""

    def __init__(self, web: _Web) -> None:
        self._web = web
        self._queue = ""

    def login(self, account: str, password: str) -> Observation:
        """Open the session of ``account``."""
        form = {"user": account, "pass": password}
        page = self._web.ask("ticketing.login", "POST", "/NoAuth/Login.html", form=form)
        if not page.observation.granted:
            return page.observation
        # RT shows its login page again, with status 200, to those that it does not let in.
        queues = self._web.ask("ticketing.login", "GET", "/REST/2.0/queues/all")
        items = queues.content.get("items") if isinstance(queues.content, dict) else None
        self._queue = str(items[0]["id"]) if items else ""
        return queues.observation

    def open(self, subject: str, text: str) -> TicketObservation:
        """Report an incident in the first queue that this person sees."""
        body = {"Queue": self._queue, "Subject": subject, "Content": text, "ContentType": "text/plain"}
        made = self._web.ask("ticketing.open", "POST", "/REST/2.0/ticket", body=body)
        return _ticket(made, number=made.text("id"))

    def find(self, number: str) -> TicketObservation:
        """Look the ticket ``number`` up."""
        return _ticket(self._web.ask("ticketing.find", "GET", f"/REST/2.0/ticket/{number}"), number=number)

    def answer(self, number: str, text: str) -> TicketObservation:
        """Answer the person who reported it."""
        path = f"/REST/2.0/ticket/{number}/correspond"
        body = {"Content": text, "ContentType": "text/plain"}
        return _ticket(self._web.ask("ticketing.answer", "POST", path, body=body), number=number)

    def close(self, number: str) -> TicketObservation:
        """Close the ticket, and read that it is closed."""
        done = self._web.ask("ticketing.close", "PUT", f"/REST/2.0/ticket/{number}", body={"Status": "resolved"})
        if not done.observation.granted:
            return _ticket(done, number=number)
        # RT answers 200 "Permission Denied" here: only what is read afterwards counts.
        return self.find(number)


def _ticket(reply: _Reply, number: str = "") -> TicketObservation:
    seen = reply.observation
    return TicketObservation(
        seen.evidence,
        seen.answer,
        seen.detail or reply.text("message"),
        number=number,
        subject=reply.text("Subject"),
        closed=reply.text("Status") in _CLOSED,
    )
