"""A server on loopback that answers as Radicale 3.5.3 and Apache 2.4 (mod_dav) were recorded to."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

from loopback import running

_CALENDAR = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'


@dataclass
class Shared:
    """What the server holds, and whom it lets in.

    Attributes:
        path: the collection.
        passwords: password of each account; any will do where ``any_password``.
        readers: accounts that may read; ``""`` is a visitor who gives none.
        writers: accounts that may write.
        forbidden: status for an account that is known and has no right.
        scheme: what it says to those who give no valid password.
        answer: status and content for everything, instead of serving.
    """

    path: str
    passwords: dict[str, str]
    readers: set[str]
    writers: set[str]
    any_password: bool = False
    forbidden: int = 403
    scheme: str = 'Basic realm="Radicale - Password Required"'
    answer: tuple[int, str] | None = None
    kept: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


class Dav(BaseHTTPRequestHandler):
    shared: Shared
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def reply(self, status: int, content: str = "", kind: str = "text/plain") -> None:
        body = content.encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", self.shared.scheme)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self) -> None:
        shared = self.shared
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        login, _, password = (
            base64.b64decode((self.headers.get("Authorization") or "").removeprefix("Basic "))
            .decode()
            .partition(":")
        )
        shared.asked.append(f"{self.command} {login}".strip())
        let_in = shared.writers if self.command in {"PUT", "DELETE"} else shared.readers
        known = shared.any_password or shared.passwords.get(login) == password
        if shared.answer:
            self.reply(*shared.answer)
        elif "" not in let_in and (not login or not known):
            self.reply(401, "Access to the requested resource forbidden.")
        elif "" not in let_in and login not in let_in:
            self.reply(shared.forbidden, "Access to the requested resource forbidden.")
        else:
            getattr(self, f"on_{self.command.lower()}")(unquote(self.path.removeprefix(shared.path)))

    do_GET = do_PUT = do_DELETE = do_PROPFIND = do_REPORT = serve  # noqa: N815  # the base class's names

    def on_get(self, name: str) -> None:
        if name in self.shared.kept:
            self.reply(200, self.shared.kept[name], "text/calendar" if name.endswith(".ics") else "text/plain")
        else:
            self.reply(404, "The requested resource could not be found.")

    def on_put(self, name: str) -> None:
        if name in self.shared.kept and self.headers.get("If-None-Match") == "*":
            self.reply(412, "Precondition failed.")
        else:
            self.shared.kept[name] = rewritten(self.body) if name.endswith(".ics") else self.body
            self.reply(201)

    def on_delete(self, name: str) -> None:
        self.reply(404 if self.shared.kept.pop(name, None) is None else 204)

    def on_propfind(self, name: str) -> None:
        rows = "".join(
            f'\n<D:response xmlns:lp1="DAV:">\n<D:href>{self.shared.path}{quote(one)}</D:href>\n<D:propstat>\n'
            "<D:prop>\n<lp1:resourcetype/>\n</D:prop>\n<D:status>HTTP/1.1 200 OK</D:status>\n</D:propstat>\n"
            "</D:response>"
            for one in ["", *self.shared.kept]
        )
        self.reply(
            207, f'<?xml version="1.0"?>\n<D:multistatus xmlns:D="DAV:">{rows}\n</D:multistatus>', "text/xml"
        )

    def on_report(self, name: str) -> None:
        found = re.search("<c:text-match[^>]*>(.*)</c:text-match>", self.body)
        assert found
        rows = "".join(
            f"<response><href>{self.shared.path}{quote(one)}</href><propstat><prop><getetag>1</getetag>"
            f"<C:calendar-data>{event}</C:calendar-data></prop>"
            "<status>HTTP/1.1 200 OK</status></propstat></response>"
            for one, event in self.shared.kept.items()
            if f"UID:{found[1]}\r\n" in event
        )
        self.reply(207, f"<?xml version='1.0'?>\n<multistatus {_CALENDAR}>{rows}</multistatus>", "text/xml")


def rewritten(event: str) -> str:
    """Return ``event`` as Radicale gives it back: DTSTAMP after DTSTART."""
    return re.sub("(DTSTAMP:[^\r]*\r\n)(DTSTART[^\r]*\r\n)", r"\2\1", event)


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that do not trust the certificate hang up."""


@contextmanager
def serving(shared: Shared, pem: Path) -> Iterator[int]:
    """Serve ``shared`` over TLS with the certificate and key in ``pem``; give the port."""
    server = Server(("127.0.0.1", 0), type("Bound", (Dav,), {"shared": shared}))
    with running(server, pem) as port:
        yield port
