"""A small web application with a search page, sound or flawed; ``canary.py`` runs this on a machine of the lab.

It looks for nothing: all that matters is how it takes what it is asked. The flawed one fails on quotes and on very
long words, with the status 500 that a program that breaks gives, and shows what it is given as it is.
On SIGTERM it prints, as JSON, how many requests came, and how many of them the flawed one fails on.
"""

from __future__ import annotations

import html
import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LONGEST = 1000  # characters that the flawed one takes
PAGE = (
    '<!DOCTYPE html><html lang="fr"><meta charset="utf-8"><title>Recherche</title><h1>Recherche</h1>'
    '<form action="/cherche"><input name="q"><button>Chercher</button></form>{}</html>'
)
BROKEN = (
    "<p>Traceback (most recent call last): sqlite3.OperationalError: unrecognized token; "
    "You have an error in your SQL syntax near '{}'</p>"
)
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class Server(ThreadingHTTPServer):
    """The application, and what it counted."""

    daemon_threads = True
    request_queue_size = 128  # tools that try hard open many connections at once

    def __init__(self, flawed: bool) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.flawed = flawed
        self.lock = threading.Lock()
        self.counts = {"requests": 0, "hostile": 0}

    def count(self, hostile: bool) -> None:
        """Count a request."""
        with self.lock:
            self.counts["requests"] += 1
            self.counts["hostile"] += hostile

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: tools hang up as they like."""


class Page(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "recherche", ""
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.other_method
        raise AttributeError(name)

    def do_GET(self) -> None:
        """Answer a search."""
        try:
            parts = urlsplit(self.path)
        except ValueError:  # such as http://[
            self.server.count(False)
            self.answer(400, PAGE.format("<p>Cette adresse n'en est pas une.</p>"))
            return
        words = "".join(parse_qs(parts.query, keep_blank_values=True, errors="replace").get("q", []))
        searches = parts.path == "/cherche"
        breaks = searches and ("'" in words or '"' in words or len(words) > LONGEST)
        self.server.count(breaks)
        if breaks and self.server.flawed:
            self.answer(500, PAGE.format(BROKEN.format(words)))
        elif searches:
            shown = words if self.server.flawed else html.escape(words[:LONGEST])
            self.answer(200, PAGE.format(f"<p>Aucun résultat pour « {shown} ».</p>" if words else ""))
        elif parts.path == "/":
            self.answer(200, PAGE.format(""))
        else:
            self.answer(404, PAGE.format("<p>Cette page n'existe pas.</p>"))

    do_HEAD = do_GET  # noqa: N815  # the base class's word

    def other_method(self) -> None:
        """Refuse another method: that is no failure of the application."""
        self.server.count(False)
        self.close_connection = True  # what the request holds is not read
        self.answer(405, "", Allow="GET, HEAD")

    def answer(self, status: int, content: str, **headers: str) -> None:
        """Answer with a page."""
        body = content.encode(errors="replace")
        self.send_response(status)
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main(kind: str) -> None:
    """Serve until SIGTERM comes, then print."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with Server(kind == "flawed") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"listening {server.server_port}", file=sys.stderr, flush=True)  # noqa: T201  # awaited
        signal.sigwait({signal.SIGTERM})
        with server.lock:
            print(json.dumps(server.counts))  # noqa: T201  # this is how it answers


if __name__ == "__main__":
    main(*sys.argv[1:])
