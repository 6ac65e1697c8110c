"""Prometheus 2.53 on loopback, as recorded from it: indicators, rules and alerts that a test sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from loopback import running

NOW = 1764028800.5


@dataclass
class Watched:
    """What the supervisor knows.

    Attributes:
        indicators: values by metric, then by target.
        forgotten: targets whose values are no longer taken.
        rules: expression of each rule, by name.
        firing: targets of the alerts that are raised, by rule.
    """

    indicators: dict[str, dict[str, str]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    rules: dict[str, str] = field(default_factory=dict)
    firing: dict[str, str] = field(default_factory=dict)
    clock: float = NOW

    def answer(self, path: str) -> tuple[int, object]:
        """Return status and content of the answer to a GET of ``path``."""
        parts = urlsplit(path)
        if parts.path == "/api/v1/query":
            self.clock += 1
            (query,) = parse_qs(parts.query)["query"]
            return 200, {"resultType": "vector", "result": self.series(query)}
        if parts.path == "/api/v1/rules":
            return 200, {"groups": [{"name": "sio-lab", "rules": [*map(self.rule, self.rules)]}]}
        if parts.path == "/api/v1/alerts":
            return 200, {"alerts": [self.alert(name) for name in self.firing]}
        return 404, None

    def series(self, query: str) -> list[object]:
        """Return the series of an instant query: a metric, or its ``timestamp()``."""
        metric = query.removeprefix("timestamp(").removesuffix(")")
        dated = metric != query
        return [
            {
                "metric": {**({} if dated else {"__name__": metric}), "instance": target, "job": "machine"},
                "value": [self.clock, self.taken(target) if dated else value],
            }
            for target, value in self.indicators.get(metric, {}).items()
        ]

    def taken(self, target: str) -> str:
        """Return when the last value of ``target`` was taken."""
        return str(NOW - 2.5 if target in self.forgotten else self.clock - 0.5)

    def rule(self, name: str) -> dict[str, object]:
        """Return one rule, as the API tells it."""
        return {
            "state": "inactive",
            "name": name,
            "query": self.rules[name],
            "duration": 0,
            "labels": {"severity": "critical"},
            "alerts": [],
            "health": "ok",
            "type": "alerting",
        }

    def alert(self, name: str) -> dict[str, object]:
        """Return one alert, as the API tells it."""
        return {
            "labels": {"alertname": name, "instance": self.firing[name], "job": "tls"},
            "annotations": {},
            "state": "firing",
            "activeAt": "2026-11-24T23:59:58.1Z",
            "value": "0e+00",
        }


def notification(name: str, target: str, status: str) -> str:
    """Return a line of the receiver of alerts: Alertmanager 0.28's notification."""
    labels = {"alertname": name, "instance": target, "job": "tls"}
    alert = {"status": status, "labels": labels, "annotations": {}, "fingerprint": "a4df04f5b3f0a7c2"}
    said = {"received": "2026-11-25T00:00:01+00:00", "receiver": "log", "status": status, "alerts": [alert]}
    return json.dumps({**said, "version": "4"}) + "\n"


@contextmanager
def serving(watched: Watched) -> Iterator[int]:
    """Serve what is ``watched`` on loopback; yield the port."""

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, data = watched.answer(self.path)
            content = json.dumps({"status": "success", "data": data}).encode() if status == 200 else b"not found"
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
            """Say nothing."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Api)) as port:
        yield port
