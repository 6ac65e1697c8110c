"""Entries, against a small service on loopback that can lose them, refuse them, or take them without a word."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import parse_qs

import pytest
from loopback import LocalSession, certificate, running

from sio_lab.probes import entries
from sio_lab.probes.entries import EntriesObservation, Try, Writer
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence


@dataclass
class Service:
    """What is there, by number: name and key; and how the service behaves."""

    rows: dict[int, tuple[str, str]] = field(default_factory=dict)
    made: int = 0
    mode: str = "sound"
    knows_keys: bool = True


def handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, content: object = None) -> None:
            body = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if service.mode == "down":
                self.answer(503)
            else:
                self.answer(200, [{"id": number, "nom": name} for number, (name, _) in service.rows.items()])

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if service.mode == "down":
                self.answer(503)
                return
            key = self.headers["Idempotency-Key"] if service.knows_keys else secrets.token_hex(4)
            number = next((n for n, (_, known) in service.rows.items() if known == key), 0)
            if not number:
                service.made += 1
                number = service.made
                service.rows[number] = (form["nom"][0], key)
            if service.mode == "silent":
                self.answer(503)
            else:
                self.answer(201, {"id": number, "retrait": f"/courses/{number}/sceau"})

        def do_DELETE(self) -> None:
            if service.mode == "down":
                self.answer(503)
                return
            gone = service.rows.pop(int(self.path.split("/")[2]), None)
            self.answer(204 if gone else 404)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def record() -> list[Evidence]:
    return []


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "PERIOD", 0.02)
    monkeypatch.setattr(entries, "_REMOVAL", 0.3)


@pytest.fixture
def place(service: Service, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    pem = certificate(tmp_path, "localhost")
    with running(ThreadingHTTPServer(("127.0.0.1", 0), handler(service)), pem) as port:
        yield f"https://localhost:{port}/courses", pem


@pytest.fixture
def writer(place: tuple[str, Path], record: list[Evidence]) -> Iterator[Writer]:
    with entries.writing(Machine("poste", LocalSession(), record.append), *place) as made:
        yield made


def until(service: Service, made: int) -> None:
    """Wait until the service has made ``made`` entries."""
    end = monotonic() + 5
    while service.made < made:
        assert monotonic() < end
        sleep(0.01)


def test_all_is_there_then_removed(service: Service, place: tuple[str, Path], record: list[Evidence]) -> None:
    asked: list[str] = []
    user = Machine("poste", LocalSession(), record.append)
    with entries.writing(user, *place, lambda: asked.append("aside")) as writer:
        until(service, 4)
        seen = writer.end()
    assert seen.granted
    assert all(write.ok for write in seen.writes)
    assert [read.missing for read in seen.reads] == [()] * len(seen.reads)
    assert asked
    assert (service.rows, writer.left) == ({}, [])
    (evidence,) = record
    assert evidence.probe == "entries.write"
    assert json.loads(evidence.received)["acknowledged"] == len(seen.writes)


def test_what_was_acknowledged_is_lost(service: Service, writer: Writer) -> None:
    until(service, 4)
    service.rows.pop(1)
    seen = writer.end()
    assert seen.answer == "refused"
    assert len(seen.reads[-1].missing) == 1


def test_what_was_added_without_a_word_is_removed_too(service: Service, place: tuple[str, Path]) -> None:
    service.mode = "silent"
    with entries.writing(Machine("poste", LocalSession(), lambda _: None), *place) as writer:
        until(service, 2)
        seen = writer.end()
        service.mode = "sound"
    assert (seen.answer, seen.detail) == ("unavailable", "HTTP 503")
    assert (service.rows, writer.left) == ({}, [])


def test_what_cannot_be_removed_is_told(service: Service, place: tuple[str, Path]) -> None:
    with entries.writing(Machine("poste", LocalSession(), lambda _: None), *place) as writer:
        until(service, 2)
        writer.stop()
        service.mode = "down"
    assert len(writer.left) == service.made


def test_a_service_that_is_out_at_the_end(service: Service, writer: Writer) -> None:
    until(service, 2)
    service.mode = "down"
    seen = writer.end()
    assert (seen.answer, seen.detail) == ("unavailable", "HTTP 503")
    service.mode = "sound"


def tries(*kept: tuple[float, float, bool]) -> list[Try]:
    return [Try(at, end, ok) for at, end, ok in kept]


@pytest.mark.parametrize(
    ("writes", "gap"),
    [
        (tries(), (0.0, 0.0)),
        (tries((0, 1, True), (9, 10, True)), (0.0, 0.0)),
        (tries((0, 1, True), (2, 4, False), (5, 7, False), (8, 9, True)), (3, 8)),
        (tries((0, 1, False), (2, 3, True), (4, 5, False), (6, 7, False)), (2, float("inf"))),
        (tries((0, 1, True), (1, 2, False), (3, 4, True), (5, 6, False), (9, 10, True)), (0, 6)),
    ],
)
def test_longest_gap(writes: list[Try], gap: tuple[float, float]) -> None:
    assert entries.longest_gap(writes) == gap


def test_within() -> None:
    assert entries.within(tries((0, 2, True), (2, 3, True), (3, 4, False), (4, 6, True)), 1, 5) == tries(
        (2, 3, True)
    )


def test_nothing_was_tried(place: tuple[str, Path]) -> None:
    writer = Writer(Machine("poste", LocalSession(), lambda _: None), *place, lambda: None)
    writer.start()
    writer.stop()
    assert isinstance(writer.end(), EntriesObservation)
    writer.remove()
