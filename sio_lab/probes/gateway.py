"""Internet gateway: a page asked for through it, as a user's browser does, and its log. Never judges."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import urlsplit

from sio_lab.errors import InconclusiveError, ProbeError, ProbeTimeout, ProtocolError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.text import Text

_DEADLINE = 15  # seconds, for a whole request
_FIGURES = "%{http_code} %{http_connect} %{redirect_url}"  # what curl writes after the page
_LOG_DELAY = 5  # seconds that a gateway may take to write an access down

# Exit statuses of curl(1).
_NO_GATEWAY = {5, 7}  # its name is unknown; nothing listens there
_TIMEOUT = 28
_REFUSED_TUNNEL = 56  # the gateway's answer to CONNECT is no success
_MISSING = 127  # the shell's: no such command


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayObservation(Observation):
    """A page that was asked for through the gateway.

    Attributes:
        status: HTTP status that came back: the site's, or the gateway's own (407: it wants a login);
            0 where nothing listens.
    """

    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogObservation(Observation):
    """What a log says; ``granted`` where it says it.

    Attributes:
        lines: lines that were found.
    """

    lines: tuple[str, ...] = ()


def get(machine: Machine, gateway: str, url: str, *, account: str = "", password: str = "") -> GatewayObservation:
    """Ask for ``url`` through the gateway, with the ``curl`` of ``machine`` and the authorities that it trusts.

    ``granted``: the site's page came (2xx, or a redirection within the site). ``refused``: 4xx, or a
    redirection elsewhere, as some gateways show why they refuse. ``unavailable``: no gateway, or 5xx.

    Args:
        machine: the user's machine; it resolves the gateway's name.
        gateway: ``http://`` or ``https://`` address of the gateway.
        url: the page.
        account: login, for any scheme of authentication that the gateway asks for; empty: none is given.
        password: its password; it goes through standard input.

    Raises:
        InconclusiveError: the machine has no curl.
        Unreachable: the machine does not answer.
        ProbeTimeout: no answer within the deadline.
        ProtocolError: a certificate is not valid, or the answer is no HTTP.
    """
    login = f"proxy-user = {_quoted(f'{account}:{password}')}\n" if account else ""
    options = ["-q", "-sS", "--max-time", str(_DEADLINE), "--noproxy", "", "--proxy", gateway, "--proxy-anyauth"]
    command = shlex.join(["curl", *options, "--write-out", f"\n{_FIGURES}", "--config", "-", url])
    at, start = datetime.now(UTC), monotonic()
    status, stdout, stderr = machine.session.run(command, stdin=login, deadline=_DEADLINE + 5)
    page, _, figures = stdout.rpartition("\n")
    evidence = machine.saw(
        "gateway.get",
        target=gateway,
        sent=f"GET {url} ({account or 'no login'})",
        received=f"{figures}\n{stderr.strip()}\n{page}" if status != _MISSING else stderr,
        at=at,
        start=start,
    )
    if status in _NO_GATEWAY:
        return GatewayObservation(evidence, "unavailable", _words(stderr))
    if status not in {0, _REFUSED_TUNNEL}:
        raise _failure(machine, gateway, status, stderr)
    code, connect, *redirect = figures.split(" ", 2)
    seen = int(code) or int(connect)
    if not seen:
        raise _failure(machine, gateway, status, stderr)
    answer = _answer(seen, url, redirect[0] if redirect else "")
    return GatewayObservation(evidence, answer, "" if answer == "granted" else f"HTTP {seen}", status=seen)


def log_size(machine: Machine, path: str) -> int:
    """Return the size of a log in bytes; 0 where there is none.

    Raises:
        InconclusiveError: it cannot be read.
        Unreachable, ProbeTimeout: as every probe.
    """
    file = shlex.quote(path)
    ran = machine.run(f"test -e {file} || exit 0; wc -c < {file}")
    if not ran.granted:
        raise InconclusiveError(
            Text(f"le journal {path} est illisible : {ran.detail}", f"log {path} cannot be read: {ran.detail}"),
            where=machine.name,
        )
    return int(ran.stdout or 0)


def logged(machine: Machine, path: str, since: int, mark: str, account: str) -> LogObservation:
    """Look a line up that holds ``mark`` and names ``account``, in what was written after ``since`` bytes.

    The gateway is given a few seconds to write it.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
    """
    name = f"(^|[^[:alnum:]._-]){re.escape(account)}($|[^[:alnum:]._-])"
    find = f"tail -c +{since + 1} {shlex.quote(path)} | grep -F -e {shlex.quote(mark)}"
    ran = machine.run(
        f"for second in $(seq {_LOG_DELAY}); do"
        f" {find} | grep -E -e {shlex.quote(name)} && exit; sleep 1; done; {find}; exit 1",
        deadline=_LOG_DELAY + 10,
    )
    lines = tuple(ran.stdout.splitlines())
    return LogObservation(ran.evidence, ran.answer, "" if ran.granted else lines[-1] if lines else "", lines=lines)


def _answer(status: int, url: str, redirect: str) -> Answer:
    if status >= 500:
        return "unavailable"
    within = 300 <= status < 400 and _site(redirect) == _site(url)
    return "granted" if status < 300 or within else "refused"


def _site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _quoted(text: str) -> str:
    """Return ``text`` as a quoted value of curl's configuration."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _words(stderr: str) -> str:
    return (stderr.strip().splitlines() or [""])[0].removeprefix("curl: ")


def _failure(machine: Machine, gateway: str, status: int, stderr: str) -> ProbeError | InconclusiveError:
    if status == _MISSING:
        return InconclusiveError(
            Text("curl n'est pas installé sur ce poste", "curl is not installed on this machine"),
            where=machine.name,
            todo=Text("installez-le : apt install curl", "install it: apt install curl"),
        )
    if status == _TIMEOUT:
        return ProbeTimeout(
            Text(f"pas de réponse en {_DEADLINE} s", f"no answer within {_DEADLINE} s"), where=gateway
        )
    return ProtocolError(
        Text(f"dialogue impossible : {_words(stderr)}", f"no dialogue: {_words(stderr)}"), where=gateway
    )
