"""WebDAV (RFC 4918) and CalDAV (RFC 4791): files and events, as a client program handles them. Never judges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

from sio_lab.errors import ProtocolError
from sio_lab.probes import web
from sio_lab.probes.area import AreaObservation, Refusal
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

_NAMES = {"d": "DAV:", "c": "urn:ietf:params:xml:ns:caldav"}
_XML = "application/xml; charset=utf-8"
_LISTING = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'
_QUERY = (
    '<?xml version="1.0"?><c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
    "<prop><getetag/><c:calendar-data/></prop>"
    '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:prop-filter name="UID">'
    '<c:text-match collation="i;octet">{uid}</c:text-match>'
    "</c:prop-filter></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
)


@contextmanager
def collection(
    machine: Machine, url: str, ca: Path, auth: tuple[str, str] | None, *, calendar: bool = False
) -> Iterator[Collection]:
    """Reach the collection ``url`` from ``machine``, over verified TLS, as one person.

    Args:
        machine: where the connection starts from.
        url: https address of the collection.
        ca: PEM bundle of the authorities that the server's certificate must descend from.
        auth: login and password; ``None`` for a visitor who gives none.
        calendar: whether it holds events, to be searched with a calendar's own query, instead of files.

    Raises:
        ProtocolError: ``url`` is not an https one.
    """
    with web.client(machine, url, ca) as browser:
        yield Collection(browser, urlsplit(url).path, auth, calendar=calendar)


class Collection:
    """A collection of a WebDAV server, as one person reaches it; made by ``collection``."""

    def __init__(self, browser: web.Client, path: str, auth: tuple[str, str] | None, *, calendar: bool) -> None:
        self._browser = browser
        self._path = path.rstrip("/") + "/"
        self._auth = auth
        self._calendar = calendar

    def write(self, name: str, content: str) -> AreaObservation:
        """Put a new resource: a server that already has it refuses (RFC 9110 §13.1.2)."""
        kind = "text/calendar" if self._calendar else "text/plain"
        return self._ask(
            "PUT", name, {"Content-Type": f"{kind}; charset=utf-8", "If-None-Match": "*"}, content.encode()
        )

    def read(self, name: str) -> AreaObservation:
        """Get a resource."""
        return self._ask("GET", name)

    def look(self, name: str = "") -> AreaObservation:
        """List the collection; in a calendar, search the event ``name`` and read it (RFC 4791 §7.8)."""
        if not (name and self._calendar):
            return self._ask("PROPFIND", "", {"Depth": "1", "Content-Type": _XML}, _LISTING.encode())
        query = _QUERY.format(uid=uid_of(name))
        return self._ask("REPORT", "", {"Depth": "1", "Content-Type": _XML}, query.encode())

    def remove(self, name: str) -> AreaObservation:
        """Delete a resource."""
        return self._ask("DELETE", name)

    def _ask(
        self, method: str, name: str, headers: dict[str, str] | None = None, content: bytes | None = None
    ) -> AreaObservation:
        seen = self._browser.ask(
            method,
            self._path + quote(name),
            probe=f"dav.{method.lower()}",
            auth=self._auth,
            headers=headers,
            content=content,
        )
        self._expect_passwords(seen)
        listing = seen.status == 207 and method in {"PROPFIND", "REPORT"}  # Multi-Status, RFC 4918 §11.1
        found = _members(seen.body, self._path, seen.evidence.target) if listing else {}
        return AreaObservation(
            seen.evidence,
            seen.answer,
            seen.detail,
            refusal=_refusal(seen),
            content="".join(found.values()) if listing else seen.body,
            names=frozenset(found),
        )

    def _expect_passwords(self, seen: web.WebObservation) -> None:
        """Tell a server that takes no password (Kerberos alone, certificates…) from one that refuses this one."""
        ways = seen.headers.get("www-authenticate", "")
        if seen.status == 401 and self._auth and ways and "basic" not in ways.lower():
            raise ProtocolError(
                Text(
                    f"ce serveur ne prend pas de mot de passe par HTTP Basic ({ways})",
                    f"this server takes no password by HTTP Basic ({ways})",
                ),
                where=seen.evidence.target,
            )


def _refusal(seen: web.WebObservation) -> Refusal:
    if seen.answer != "refused":
        return ""
    if seen.status == 401:
        return "credentials"
    # RFC 9110 §15.5.4: a server may say 404 rather than 403, so as not to tell what there is.
    return "rights" if seen.status in {403, 404} else "other"


def _members(body: str, path: str, where: str) -> dict[str, str]:
    """Return the members of the collection ``path`` that a Multi-Status tells of, with an event's own text."""
    try:
        # No entity of its own can harm: expat limits their expansion since 2.4.1.
        tree = ET.fromstring(body)  # noqa: S314
    except ET.ParseError as error:
        raise ProtocolError(
            Text(f"réponse WebDAV illisible : {error}", f"unreadable WebDAV answer: {error}"), where=where
        ) from error
    members = {}
    for response in tree.iterfind("d:response", _NAMES):
        address = unquote(urlsplit((response.findtext("d:href", "", _NAMES)).strip()).path)
        if address.rstrip("/") != unquote(path).rstrip("/"):
            event = response.findtext(".//c:calendar-data", "", _NAMES)
            members[address.rstrip("/").rpartition("/")[2]] = event
    return members


def uid_of(name: str) -> str:
    """Return the UID of the event that the resource ``name`` holds."""
    return name.removesuffix(".ics")


def event(name: str, summary: str) -> str:
    """Return an event of today that takes nobody's time, as iCalendar (RFC 5545), for the resource ``name``.

    Args:
        name: name of the resource, which gives the event its UID.
        summary: its title: a few words without comma, semicolon or backslash (§3.3.11), for one line (§3.1).
    """
    now = datetime.now(UTC)
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//sio-lab//check//EN",
            "BEGIN:VEVENT",
            f"UID:{uid_of(name)}",
            f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{now:%Y%m%d}",
            f"SUMMARY:{summary}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )


def said_by(calendar: str) -> dict[str, str]:
    """Return what the events of ``calendar`` say, property by property, without parameters.

    Servers rewrite events (order, parameters, folding: RFC 5545 §3.1): their bytes cannot be compared.
    """
    unfolded = calendar.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")
    _, _, inside = unfolded.partition("BEGIN:VEVENT")
    said = {}
    for line in inside.partition("END:VEVENT")[0].splitlines():
        name, colon, value = line.partition(":")
        if colon:
            said[name.partition(";")[0].upper()] = value
    return said
