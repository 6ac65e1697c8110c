"""Incus' REST API over its unix socket: requests, long operations, files. Knows nothing of labs.

Source: https://linuxcontainers.org/incus/docs/main/rest-api/
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, Field

from sio_lab.errors import ProviderError
from sio_lab.text import Text

_REQUEST = 60.0  # seconds: requests only start long operations, but a busy daemon may take its time
_ATTEMPTS, _PAUSE = 10, 0.5  # seconds
_TRANSIENT = ("children interfaces",)  # it stumbled over an interface that had just left the bridge
_TEMPLATE = "sio-lab.tpl"
_OPERATION = 600.0  # seconds: importing an image on a slow disk
_SAID = 300  # characters of the daemon's words that are passed on
_PIECE = 1 << 20  # bytes of a file that are sent at a time


class NotFoundError(ProviderError):
    """What was asked for does not exist."""


class TransientError(ProviderError):
    """The daemon tripped over itself: the same request may well succeed a moment later."""


class Instance(BaseModel):
    """A container, as the API describes it."""

    name: str
    status: str
    config: dict[str, str] = {}
    devices: dict[str, dict[str, str]] = {}

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.status == "Running"


class Network(BaseModel):
    """A network, as the API describes it."""

    name: str
    config: dict[str, str] = {}


class Image(BaseModel):
    """An image in the store."""

    fingerprint: str
    # The daemon says null where there are none.
    properties: Annotated[dict[str, str], BeforeValidator(lambda given: given or {})] = {}
    uploaded_at: str = ""
    size: int = 0  # bytes


class _Answer(BaseModel):
    """What every answer is wrapped in."""

    type: str = ""
    operation: str = ""
    error: str = ""
    error_code: int = 0
    metadata: Any = None


class _Operation(BaseModel):
    id: str = ""
    status: str = ""
    status_code: int = 0
    err: str = ""
    metadata: dict[str, Any] | None = Field(default=None)


def default_socket() -> Path:
    """Return the daemon's socket, where Incus' own client looks for it."""
    if socket := os.environ.get("INCUS_SOCKET"):
        return Path(socket)
    return Path(os.environ.get("INCUS_DIR", "/var/lib/incus")) / "unix.socket"


class _Connection(HTTPConnection):
    """A connection to the daemon. One a request: on a unix socket it costs less than keeping it would."""

    def __init__(self, path: Path, deadline: float) -> None:
        super().__init__("incus", timeout=deadline)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Api:
    """The daemon, in one project. Usable from several threads.

    Args:
        socket: the daemon's unix socket.
        project: project that instances belong to.
    """

    def __init__(self, socket: Path | None = None, *, project: str = "default") -> None:
        self.socket = socket or default_socket()
        self.project = project

    def instances(self) -> dict[str, Instance]:
        """Return the project's instances; none where there is no such project."""
        try:
            rows = self.request("GET", "/1.0/instances", recursion=1)
        except NotFoundError:
            return {}
        return {row["name"]: Instance.model_validate(row) for row in rows}

    def has_snapshot(self, instance: str, name: str) -> bool:
        """Return whether ``instance`` has the snapshot ``name``; not where it does not exist either."""
        try:
            self.request("GET", f"/1.0/instances/{instance}/snapshots/{name}")
        except NotFoundError:
            return False
        return True

    def networks(self) -> dict[str, Network]:
        """Return the daemon's managed networks."""
        rows = self.request("GET", "/1.0/networks", recursion=1, project="default")
        return {row["name"]: Network.model_validate(row) for row in rows if row.get("managed")}

    def images(self) -> list[Image]:
        """Return the images of the project."""
        return [Image.model_validate(row) for row in self.request("GET", "/1.0/images", recursion=1)]

    def images_in_use(self) -> set[str]:
        """Return the fingerprints of the images that instances of any project were made from."""
        rows = self.request("GET", "/1.0/instances", recursion=1, project="", all_projects="true")
        return {Instance.model_validate(row).config.get("volatile.base_image", "") for row in rows}

    def remove_image(self, fingerprint: str) -> None:
        """Remove an image from the store."""
        self.request("DELETE", f"/1.0/images/{fingerprint}")

    def images_unpacked(self, pool: str) -> set[str]:
        """Return the fingerprints of the images that were unpacked in a storage pool, for a first instance."""
        users = self.request("GET", f"/1.0/storage-pools/{pool}", project="default").get("used_by") or []
        return {user.partition("?")[0].rpartition("/")[2] for user in users if user.startswith("/1.0/images/")}

    def free_space(self, pool: str) -> int:
        """Return how many bytes are free in a storage pool."""
        space = self.request("GET", f"/1.0/storage-pools/{pool}/resources", project="default")["space"]
        return int(space["total"]) - int(space["used"])

    def plant(self, instance: str, files: Mapping[str, tuple[str, int]]) -> None:
        """Have the daemon write files of root's, text and mode, before the first boot of an instance.

        They are templates of its metadata. (To write files at once, the daemon starts a helper for each instance:
        leaving, the helper of one may take away the socket of another's. https://github.com/canonical/lxd/issues/18403)
        A file that its image has already keeps its mode.
        """
        where = f"/1.0/instances/{instance}/metadata"
        self.request("POST", f"{where}/templates", content=b"{{ properties.text }}", path=_TEMPLATE)
        once = {"when": ["create"], "template": _TEMPLATE}
        templates = {
            path: {**once, "mode": f"{mode:04o}", "properties": {"text": text}}
            for path, (text, mode) in files.items()
        }
        self.request("PATCH", where, {"templates": templates})

    def import_image(self, metadata: bytes, rootfs: Path, properties: Mapping[str, str]) -> str:
        """Put an image in the store; return its fingerprint.

        Args:
            metadata: tarball that holds ``metadata.yaml``.
            rootfs: tarball of the system.
            properties: what the image is known by.
        """
        form = _Form(metadata, rootfs)
        headers = {"X-Incus-properties": urlencode(properties), **form.headers}
        done = self.request("POST", "/1.0/images", content=form, headers=headers, deadline=_OPERATION)
        return str(self._mapping(done)["fingerprint"])

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        /,
        *,
        content: Iterable[bytes] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float = _REQUEST,
        **query: str | int,
    ) -> Any:
        """Send one request; where it starts an operation, wait for its end. What is transient is tried again.

        Args:
            method: HTTP method.
            path: such as ``/1.0/instances``.
            body: sent as JSON.
            content: sent as it is; where it is not bytes, ``headers`` tell its length.
            headers: beside the usual ones.
            deadline: seconds without any byte before the request is given up.
            query: of the URL, ``_`` for ``-``; the project is in it, unless it is said to be empty.

        Returns:
            The ``metadata`` of the answer, or of the operation.

        Raises:
            NotFoundError: what was asked for does not exist.
            ProviderError: the daemon does not answer, or says no; the error holds its words.
        """
        sent, data = dict(headers or {}), content
        if body is not None:
            sent, data = {"Content-Type": "application/json", **sent}, json.dumps(body).encode()
        words = {"project": self.project, **query}.items()
        target = f"{path}?{urlencode({name.replace('_', '-'): word for name, word in words if word != ''})}"
        for _ in range(_ATTEMPTS - 1):
            with suppress(TransientError):
                return self._once(method, target, data, sent, deadline)
            time.sleep(_PAUSE)
        return self._once(method, target, data, sent, deadline)

    def _once(
        self,
        method: str,
        target: str,
        data: Iterable[bytes] | bytes | None,
        headers: Mapping[str, str],
        deadline: float,
    ) -> Any:
        path = target.partition("?")[0]
        try:
            with closing(_Connection(self.socket, deadline)) as connection:
                connection.request(method, target, data, headers)
                response = connection.getresponse()
                answer = _Answer.model_validate_json(response.read())
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from error
        except ValueError as error:
            raise _refused(method, path, f"HTTP {response.status}") from error
        if answer.error or response.status >= HTTPStatus.BAD_REQUEST:
            said = answer.error or f"HTTP {response.status}"
            raise _refused(method, path, said, missing=response.status == HTTPStatus.NOT_FOUND)
        if answer.type == "async":
            return self._wait(method, path, _Operation.model_validate(answer.metadata))
        return answer.metadata

    def _wait(self, method: str, path: str, operation: _Operation) -> Any:
        waited = self.request(
            "GET",
            f"/1.0/operations/{operation.id}/wait",
            deadline=_OPERATION + _REQUEST,
            timeout=int(_OPERATION),
        )
        ended = _Operation.model_validate(waited)
        if ended.status_code != HTTPStatus.OK:
            raise _refused(method, path, ended.err or f"not finished after {_OPERATION:.0f} s")
        return ended.metadata

    @staticmethod
    def _mapping(value: Any) -> Mapping[str, Any]:
        return value if isinstance(value, dict) else {}

    def _unreachable(self, error: OSError | HTTPException) -> ProviderError:
        denied = self.socket.exists() and not os.access(self.socket, os.W_OK)
        if denied:
            return ProviderError(
                Text("accès à Incus refusé", "access to Incus denied"),
                where=str(self.socket),
                todo=Text(
                    "relancez en root (sudo), ou entrez dans le groupe incus-admin",
                    "run again as root (sudo), or join the group incus-admin",
                ),
            )
        return ProviderError(
            Text(f"Incus ne répond pas ({error})", f"Incus does not answer ({error})"),
            where=str(self.socket),
            todo=Text("sio-lab setup l'installe et le démarre", "sio-lab setup installs and starts it"),
        )


class _Form:
    """The two parts of an image as a form (RFC 7578), read as they are sent, however large."""

    def __init__(self, metadata: bytes, rootfs: Path) -> None:
        mark = secrets.token_hex(16)
        part = '--{}\r\nContent-Disposition: form-data; name="{}"; filename="{}.tar"\r\n\r\n'.format
        self._before = part(mark, "metadata", "metadata").encode() + metadata
        self._before += f"\r\n{part(mark, 'rootfs', 'rootfs')}".encode()
        self._rootfs, self._after = rootfs, f"\r\n--{mark}--\r\n".encode()
        length = len(self._before) + rootfs.stat().st_size + len(self._after)
        self.headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "Content-Length": str(length),
        }

    def __iter__(self) -> Iterator[bytes]:
        """Yield it piece by piece."""
        yield self._before
        with self._rootfs.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
        yield self._after


def _refused(method: str, path: str, said: str, *, missing: bool = False) -> ProviderError:
    what = Text(f"Incus refuse {method} {path} : {said}", f"Incus refuses {method} {path}: {said}")
    if missing:
        return NotFoundError(what)
    if any(words in said for words in _TRANSIENT):
        return TransientError(what)
    if "no space left" in said.lower() or "disk quota" in said.lower():
        said = said[:_SAID]  # tar says it of each file
        return ProviderError(
            Text(f"plus de place : {said}", f"no space left: {said}"),
            todo=Text(
                "libérez de la place, ou retirez un labo (sio-lab down), puis relancez",
                "free some space, or remove a lab (sio-lab down), then run again",
            ),
        )
    return ProviderError(
        what, todo=Text("voyez sio-lab doctor, puis relancez", "see sio-lab doctor, then run again")
    )
