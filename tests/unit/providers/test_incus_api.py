"""Requests to the Incus daemon, on a small daemon of our own."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sio_lab.errors import ProviderError
from sio_lab.providers import incus_api
from sio_lab.providers.incus_api import Api, NotFoundError


class Daemon(socketserver.ThreadingUnixStreamServer):
    """Answers what it is told to, in turn, and remembers what it was asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.answers: list[tuple[int, object]] = []
        self.asked: list[tuple[str, str, dict[str, list[str]], dict[str, str], bytes]] = []


class Handler(BaseHTTPRequestHandler):
    server: Daemon

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def answer(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, url.path, parse_qs(url.query), dict(self.headers), body))
        status, answer = self.server.answers.pop(0)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # names of http.server


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    server = Daemon(tmp_path / "unix.socket")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(daemon: Daemon, tmp_path: Path) -> Api:  # must be there
    return Api(tmp_path / "unix.socket", project="sio-petit")


def test_a_request(daemon: Daemon, api: Api) -> None:
    daemon.answers = [(200, {"type": "sync", "metadata": {"name": "m"}})]
    assert api.request("POST", "/1.0/instances", {"name": "m"}, recursion=1) == {"name": "m"}
    [(method, path, query, headers, body)] = daemon.asked
    assert (method, path) == ("POST", "/1.0/instances")
    assert query == {"project": ["sio-petit"], "recursion": ["1"]}
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"name": "m"}


def test_an_operation_is_waited_for(daemon: Daemon, api: Api) -> None:
    daemon.answers = [
        (202, {"type": "async", "metadata": {"id": "7"}}),
        (200, {"type": "sync", "metadata": {"id": "7", "status_code": 200, "metadata": {"fingerprint": "f"}}}),
    ]
    assert api.request("POST", "/1.0/images") == {"fingerprint": "f"}
    assert daemon.asked[1][1] == "/1.0/operations/7/wait"


def test_an_operation_that_fails(daemon: Daemon, api: Api) -> None:
    daemon.answers = [
        (202, {"type": "async", "metadata": {"id": "7"}}),
        (200, {"type": "sync", "metadata": {"id": "7", "status_code": 400, "err": "No space left on device"}}),
    ]
    with pytest.raises(ProviderError, match="no space left"):
        api.request("POST", "/1.0/images")


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_an_image_is_sent_as_a_form(daemon: Daemon, api: Api, tmp_path: Path, size: int) -> None:
    rootfs, metadata = tmp_path / "system.tar", b"--\r\n\0metadata"
    rootfs.write_bytes(b"\r\n\xff--" + b"x" * size)
    daemon.answers = [(200, {"type": "sync", "metadata": {"fingerprint": "f"}})]
    assert api.import_image(metadata, rootfs, {"os": "debian/13", "description": "a b&c"}) == "f"
    [(_, _, _, headers, body)] = daemon.asked
    assert parse_qs(headers["X-Incus-properties"]) == {"os": ["debian/13"], "description": ["a b&c"]}
    form = message_from_bytes(f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
    parts = {part.get_param("name", header="content-disposition"): part for part in form.get_payload()}
    assert list(parts) == ["metadata", "rootfs"]
    mark = headers["Content-Type"].partition("boundary=")[2].encode()
    _, first, second, end = body.split(b"--" + mark)
    assert first.partition(b"\r\n\r\n")[2] == metadata + b"\r\n"
    assert second.partition(b"\r\n\r\n")[2] == rootfs.read_bytes() + b"\r\n"
    assert end == b"--\r\n"


def test_files_that_wait_for_the_first_boot(daemon: Daemon, api: Api) -> None:
    daemon.answers = [(200, {"type": "sync"})] * 2
    api.plant("m", {"/etc/key": ("{{ its own }}\n", 0o600)})
    (_, template, _, _, wording), (method, metadata, _, _, body) = daemon.asked
    assert (template, method, metadata) == (
        "/1.0/instances/m/metadata/templates",
        "PATCH",
        "/1.0/instances/m/metadata",
    )
    # The text is a property, no template: whatever it looks like, it comes out as it is.
    assert wording == b"{{ properties.text }}"
    [(path, file)] = json.loads(body)["templates"].items()
    assert (path, file["mode"], file["properties"]) == ("/etc/key", "0600", {"text": "{{ its own }}\n"})


def test_what_does_not_exist(daemon: Daemon, api: Api) -> None:
    daemon.answers = [(404, {"type": "error", "error": "Instance not found", "error_code": 404})] * 2
    with pytest.raises(NotFoundError, match="Instance not found"):
        api.request("GET", "/1.0/instances/m")
    assert api.instances() == {}


def test_an_image_without_properties(daemon: Daemon, api: Api) -> None:
    daemon.answers = [(200, {"type": "sync", "metadata": [{"fingerprint": "f", "properties": None}]})]
    assert [image.properties for image in api.images()] == [{}]


def test_an_answer_that_is_none(daemon: Daemon, api: Api) -> None:
    daemon.answers = [(502, b"<html>")]
    with pytest.raises(ProviderError, match="HTTP 502"):
        api.request("GET", "/1.0")


def test_a_transient_error_is_tried_again(daemon: Daemon, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incus_api, "_PAUSE", 0)
    busy = {"type": "error", "error": "Failed getting children interfaces", "error_code": 500}
    daemon.answers = [(500, busy), (500, busy), (200, {"type": "sync", "metadata": "done"})]
    assert api.request("POST", "/1.0/instances", content=b"all of it") == "done"
    assert [body for *_, body in daemon.asked] == [b"all of it"] * 3


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="does not answer") as raised:
        Api(tmp_path / "unix.socket").request("GET", "/1.0")
    assert raised.value.todo
    assert "sio-lab setup" in raised.value.todo.en


def test_a_daemon_that_keeps_silent(tmp_path: Path) -> None:
    with socketserver.UnixStreamServer(str(tmp_path / "unix.socket"), Handler), pytest.raises(ProviderError):
        Api(tmp_path / "unix.socket").request("GET", "/1.0", deadline=0.2)
