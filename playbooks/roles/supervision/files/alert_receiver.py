"""Receives alerts (Alertmanager's webhook) and appends each notification to a file, one JSON object a line."""

import json
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Receiver(BaseHTTPRequestHandler):
    """One notification a request."""

    file: Path
    timeout = 10  # seconds; whoever says nothing must not keep the others waiting

    def do_POST(self) -> None:
        """Append what is posted; whoever sends it tries again unless it is kept."""
        try:
            said = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            line = json.dumps({"received": datetime.now(UTC).isoformat(), **said}, ensure_ascii=False)
        except (ValueError, TypeError):
            self.send_error(400)
            return
        with self.file.open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing: what matters is in the file."""


def main() -> None:
    """Listen on loopback: ``alert_receiver.py PORT FILE``."""
    Receiver.file = Path(sys.argv[2])
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()


if __name__ == "__main__":
    main()
