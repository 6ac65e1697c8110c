"""Web: requests as a browser sends them, over verified TLS, from a machine of the lab. Never judges."""

from __future__ import annotations

import json as json_format
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from urllib.parse import SplitResult, urlsplit

import httpx

from sio_lab.errors import ProbeTimeout, ProtocolError, ServiceUnavailable
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.startup import without
from sio_lab.text import Text

with without("anyio", "trio"):  # it can be used with them too, and loads them wherever they are installed
    import httpcore  # noqa: F401  # else httpx loads it at the first request

_SHOWN = ("content-type", "location", "www-authenticate", "allow", "dav", "etag")  # never a cookie
_SENT = 1000  # characters of a request's content that evidence keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class WebObservation(Observation):
    """An answer of a web server.

    Attributes:
        status: HTTP status; 0 where nothing listens.
        headers: headers of the answer, whose names have no case.
        body: content of the answer, as text.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=httpx.Headers)
    body: str = ""

    def json(self) -> object:
        """Return the content read as JSON; ``None`` where it is none."""
        try:
            return json_format.loads(self.body)
        except ValueError:
            return None


@contextmanager
def client(machine: Machine, url: str, ca: Path, *, deadline: float = 10.0) -> Iterator[Client]:
    """Open a browser's session with the server of ``url``, from ``machine``; cookies are kept.

    Args:
        machine: where the connections start from; it resolves the server's name.
        url: any https address of the server.
        ca: PEM bundle of the authorities that its certificate must descend from; its name is verified too.
        deadline: seconds that each step of a request (connection, answer) may last.

    Raises:
        ProtocolError: ``url`` is not an https one: what goes in clear text proves no login.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ProtocolError(
            Text(f"« {url} » n'est pas une adresse https", f"'{url}' is not an https address"), where=machine.name
        )
    with _session(machine, parts, ssl.create_default_context(cafile=str(ca)), deadline) as browser:
        yield browser


def get(
    machine: Machine,
    url: str,
    ca: Path,
    *,
    auth: tuple[str, str] | None = None,
    deadline: float = 10.0,
    probe: str = "web.get",
) -> WebObservation:
    """Ask for ``url`` once, from ``machine`` (see ``client`` and ``Client.ask``)."""
    with client(machine, url, ca, deadline=deadline) as browser:
        return browser.ask("GET", _path(urlsplit(url)), probe=probe, auth=auth)


def public_page(machine: Machine, url: str, *, deadline: float = 10.0) -> WebObservation:
    """Ask whether a public page is there, straight from ``machine``: nothing is verified, nothing secret is sent.

    Raises:
        Unreachable, ProbeTimeout, ProtocolError: as ``Client.ask``.
    """
    parts = urlsplit(url)
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one would first read all public authorities
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with _session(machine, parts, anybody, deadline) as browser:
        return browser.ask("GET", _path(parts), probe="web.public_page")


@contextmanager
def _session(machine: Machine, url: SplitResult, context: ssl.SSLContext, deadline: float) -> Iterator[Client]:
    port = url.port or (443 if url.scheme == "https" else 80)
    tunnel = _Tunnel(machine, url.hostname or "", port, context)
    with httpx.Client(transport=tunnel, timeout=deadline, trust_env=False) as browser:
        yield Client(machine, url, browser, deadline)


def _path(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


class Client:
    """One browser's session with one server; made by ``client``."""

    def __init__(self, machine: Machine, url: SplitResult, client: httpx.Client, deadline: float) -> None:
        self._machine = machine
        self._origin = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
        self._client = client
        self._deadline = deadline

    def ask(
        self,
        method: str,
        path: str,
        *,
        probe: str = "web.request",
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: str | bytes | None = None,
        json: object = None,
        hidden: str = "",
    ) -> WebObservation:
        """Send one request; redirects are not followed.

        ``granted`` is a status of 2xx; ``unavailable``: nothing listens, or the server is out of order
        (5xx), which is no refusal; ``refused`` is everything else, 3xx included.

        Args:
            method: any HTTP method, WebDAV's included.
            path: absolute path on the server, query included.
            probe: name of the probe in the evidence.
            auth: login and password for basic authentication (RFC 7617); only the login is recorded.
            headers: further headers; ``Authorization`` and ``Cookie`` are not recorded.
            form: fields of a form; only their names are recorded.
            content: content as it is.
            json: content to be sent as JSON.
            hidden: what evidence must not keep of the answer, such as a token (regular expression).

        Raises:
            Unreachable: the machine does not answer.
            ProbeTimeout: no answer within the deadline.
            ProtocolError: the certificate is not valid for this name, or the answer is no HTTP.
        """
        at, start = datetime.now(UTC), monotonic()
        request = self._client.build_request(
            method, self._origin + path, headers=headers, data=form, content=content, json=json
        )
        response: httpx.Response | None = None
        try:
            response = self._send(request, auth)
            detail = "" if response.is_success else f"HTTP {response.status_code}"
        except ServiceUnavailable as error:
            detail = error.what.en
        evidence = self._machine.saw(
            probe,
            target=self._origin,
            sent=_sent(method, path, auth, headers, form, request),
            received=detail if response is None else _received(response, hidden),
            at=at,
            start=start,
        )
        if response is None:
            return WebObservation(evidence, "unavailable", detail)
        return WebObservation(
            evidence,
            _answer(response),
            detail,
            status=response.status_code,
            headers=response.headers,
            body=response.text,
        )

    def _send(self, request: httpx.Request, auth: tuple[str, str] | None) -> httpx.Response:
        try:
            return self._client.send(request, auth=auth)
        except httpx.TimeoutException as error:
            raise ProbeTimeout(
                Text(f"pas de réponse en {self._deadline:.0f} s", f"no answer within {self._deadline:.0f} s"),
                where=self._origin,
            ) from error
        except httpx.HTTPError as error:
            raise ProtocolError(
                Text(f"dialogue impossible : {error}", f"no dialogue: {error}"), where=self._origin
            ) from error


class _Tunnel(httpx.BaseTransport):
    """Leads to the tunnel's end, while names in requests, cookies and certificates stay the server's."""

    def __init__(self, machine: Machine, name: str, port: int, context: ssl.SSLContext) -> None:
        self._machine = machine
        self._name = name
        self._port = port
        self._transport = httpx.HTTPTransport(verify=context, trust_env=False)
        self._end: tuple[str, int] | None = None
        self._stack = ExitStack()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` through the tunnel, which the first one opens."""
        if self._end is None:
            self._end = self._stack.enter_context(self._machine.forward(self._name, self._port))
        host, port = self._end
        return self._transport.handle_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host=host, port=port),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": self._name},
            )
        )

    def close(self) -> None:
        """Close the connections, then the tunnel."""
        self._transport.close()
        self._stack.close()


def _answer(response: httpx.Response) -> Answer:
    if response.is_success:
        return "granted"
    return "unavailable" if response.is_server_error else "refused"


def _sent(
    method: str,
    path: str,
    auth: tuple[str, str] | None,
    headers: Mapping[str, str] | None,
    form: Mapping[str, str] | None,
    request: httpx.Request,
) -> str:
    """Return the request as evidence keeps it: who asked, never with which secret."""
    lines = [f"{method} {path}" + (f" ({auth[0]})" if auth else "")]
    lines += [
        f"{name}: {value}"
        for name, value in (headers or {}).items()
        if name.lower() not in {"authorization", "cookie"}
    ]
    if form:
        lines.append(f"{sorted(form)}")
    else:
        lines.append(request.read().decode(errors="replace")[:_SENT])
    return "\n".join(lines).rstrip()


def _received(response: httpx.Response, hidden: str) -> str:
    shown = [f"{name}: {response.headers[name]}" for name in _SHOWN if name in response.headers]
    text = re.sub(hidden, "••••••", response.text) if hidden else response.text
    return "\n".join([f"HTTP {response.status_code}", *shown, "", text])
