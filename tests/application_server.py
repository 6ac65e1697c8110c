"""An application of docs/applications.md on loopback, for the tests of what asks one."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from sio_lab.lab.software import ApplicationApi

NAME = "regates.example.test"
TOKEN = 'a/token+of"somebody'
URLS = ApplicationApi(
    login_url=f"https://{NAME}/api/connexion",
    data_url=f"https://{NAME}/api/regates",
    entry={"nom": "{mark}", "lieu": "Camaret"},
    call_url=f"https://{NAME}/api/licences?cherche={{mark}}",
    version_url=f"https://{NAME}/version",
)
COMMIT = "0123456789" * 4


class Regates(BaseHTTPRequestHandler):
    """An application of the contract, with its data in memory."""

    entries: dict[str, dict[str, str]]
    broken: set[str]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def reply(self, status: int, body: object = None) -> None:
        # As PHP writes JSON.
        content = b"" if body is None else json.dumps(body).replace("/", "\\/").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def known(self) -> bool:
        if "open" in self.broken or self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self.reply(401, {"erreur": "jeton"})
        return False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if "busy" in self.broken:
            self.broken.remove("busy")
            self.reply(503, {"erreur": "annuaire"})
        elif self.path == "/api/connexion":
            good = parse_qs(body) == {"identifiant": ["chloe"], "mot_de_passe": ["c-secret"]} or (
                "any password" in self.broken
            )
            self.reply(200 if good else 401, {"jeton": TOKEN} if good else {"erreur": "inconnu"})
        elif self.known():
            number = str(max(map(int, self.entries), default=0) + 1)
            self.entries[number] = {**json.loads(body), "id": number}
            self.reply(201, {} if "add" in self.broken else self.entries[number])

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path == "/version":
            self.reply(200, {"application": "regates", "commit": COMMIT})
        elif not self.known():
            return
        elif "away" in self.broken:
            self.reply(503, {"erreur": "distant"})
        elif path.path == "/api/licences":
            words = parse_qs(path.query)["cherche"]
            known = {entry["nom"] for entry in self.entries.values()}
            self.reply(200, [{"nom": word} for word in words if word in known or "echo" in self.broken])
        else:
            self.reply(200, {"page": 1} if "list" in self.broken else list(self.entries.values()))

    def do_DELETE(self) -> None:
        if self.known():
            number = self.path.rpartition("/")[2]
            found = self.entries.get(number) if "keep" in self.broken else self.entries.pop(number, None)
            self.reply(204 if found else 404)


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that do not trust the certificate hang up."""


def serving(broken: set[str]) -> Server:
    """Return a server of its own data, where something is ``broken``.

    Args:
        broken: ``add``, ``list``: not as it should be; ``away``: no data; ``open``: to who has no token;
            ``busy``: the next to send something is turned away;
            ``any password`` will do; ``keep``: removes nothing; ``echo``: tells of the other application what it
            was asked.
    """
    return Server(("127.0.0.1", 0), type("Fresh", (Regates,), {"entries": {}, "broken": broken}))
