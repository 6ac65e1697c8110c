"""Issue tracking: an issue opened, read, seen to be linked to a commit, and removed. Never judges.

Each tracker is spoken to in its own way (``tracker_products.py``); what they have in common is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from sio_lab.errors import ProbeError
from sio_lab.lab.software import Forge
from sio_lab.probes import web
from sio_lab.probes.area import AreaObservation, Refusal
from sio_lab.probes.machine import Machine

PREFIX = "sio-lab-controle-"
"""How the titles of all issues that checks open begin: what bears it is nobody's work."""

_DEADLINE = 30.0  # seconds, for each request: a tracker that nobody used for long starts slowly


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueObservation(AreaObservation):
    """An exchange about an issue.

    Attributes:
        number: its number; empty where there is none.
        title: its title, as it was read.
        closed: whether it was seen closed, or gone.
        linked: whether the commit that was asked about was seen on it.
    """

    number: str = ""
    title: str = ""
    closed: bool = False
    linked: bool = False


class Tracker(ABC):
    """An issue tracker, as one person uses it; made by ``tracker``.

    Every call may raise Unreachable, ProbeTimeout or ProtocolError, as every probe.
    """

    def __init__(self, browser: web.Client, path: str, auth: tuple[str, str] | None) -> None:
        self._browser = browser
        self._path = path.rstrip("/")
        self._auth = auth

    @abstractmethod
    def open(self, title: str, text: str) -> IssueObservation:
        """Open an issue; the observation holds its number."""

    @abstractmethod
    def read(self, number: str) -> IssueObservation:
        """Read the issue ``number``."""

    @abstractmethod
    def link(self, number: str, commit: str) -> IssueObservation:
        """Read what the tracker ties to the issue, and whether ``commit`` (its 40 digits) is among it."""

    @abstractmethod
    def leftovers(self) -> list[str]:
        """Return the numbers of the open issues whose title begins with ``PREFIX``."""

    def remove(self, number: str) -> IssueObservation:
        """Delete the issue ``number``, or close it where this person may not delete; read what became of it."""
        if not self._delete(number).granted:
            self._close(number)
        seen = self.read(number)
        return replace(seen, closed=seen.closed or (not seen.granted and seen.refusal == "rights"))

    @abstractmethod
    def _delete(self, number: str) -> IssueObservation:
        """Ask for the issue to be deleted."""

    @abstractmethod
    def _close(self, number: str) -> IssueObservation:
        """Ask for the issue to be closed."""

    def _ask(
        self,
        what: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        hidden: str = "",
    ) -> web.WebObservation:
        return self._browser.ask(
            method,
            path,
            probe=f"tracker.{what}",
            auth=self._auth,
            headers=headers,
            form=form,
            json=json,
            hidden=hidden,
        )


@contextmanager
def tracker(machine: Machine, service: Forge, ca: Path, auth: tuple[str, str] | None) -> Iterator[Tracker]:
    """Reach the issue tracker of ``service`` from ``machine``, over verified TLS, as one person.

    Args:
        machine: where the connections start from.
        service: the forge.
        ca: PEM bundle of the authorities that the server's certificate must descend from.
        auth: login and password; ``None`` for a visitor who gives none.

    Raises:
        ProtocolError: its address is no https one.
    """
    from sio_lab.probes.tracker_products import PRODUCTS  # which need what is above

    with web.client(machine, service.tracker_url, ca, deadline=_DEADLINE) as browser:
        yield PRODUCTS[service.tracker](browser, urlsplit(service.tracker_url).path, auth)


def sweep(tracker: Tracker) -> None:
    """Remove the issues that an interrupted check left, as far as the tracker lets it be done."""
    with suppress(ProbeError):
        for number in tracker.leftovers():
            tracker.remove(number)


def issue(seen: web.WebObservation, *, number: str = "", title: str = "") -> IssueObservation:
    """Return what an answer says of an issue."""
    return IssueObservation(
        seen.evidence,
        seen.answer,
        seen.detail,
        refusal=_refusal(seen),
        content=seen.body,
        number=number,
        title=title,
    )


def made(seen: web.WebObservation, number: str) -> IssueObservation:
    """Return what became of a request for an issue: there is one where it has got a ``number``."""
    if number:
        return replace(issue(seen, number=number), answer="granted", detail="", refusal="")
    if seen.granted:
        return replace(issue(seen), answer="refused", detail="no issue was made", refusal="other")
    return issue(seen)


def _refusal(seen: web.WebObservation) -> Refusal:
    if seen.answer != "refused":
        return ""
    if seen.status == 401 or 300 <= seen.status < 400:  # a login page is elsewhere
        return "credentials"
    # RFC 9110 §15.5.4: a server may say 404 rather than 403, so as not to tell what there is.
    return "rights" if seen.status in {403, 404} else "other"
