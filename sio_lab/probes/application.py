"""Applications: what a program asks of one through its programming interface, as one user. Never judges."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from sio_lab.lab.software import ApplicationApi
from sio_lab.probes import web
from sio_lab.probes.desktop import DISPLAY
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation, Ran

_MARK = "{mark}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiObservation(Observation):
    """An answer of the interface. ``granted``: it did what was asked, and said what that is to say.

    Attributes:
        status: HTTP status; 0 where nothing listens.
        body: what came back.
        entries: entries of the answer, where it is a list or one of them.
    """

    status: int = 0
    body: str = ""
    entries: Sequence[Mapping[str, object]] = field(default=())

    def ids(self, word: str) -> list[str]:
        """Return the ``id`` of each entry that has a text in which the regular expression ``word`` is found."""
        return [
            str(entry["id"])
            for entry in self.entries
            if "id" in entry and any(isinstance(text, str) and re.search(word, text) for text in entry.values())
        ]

    @property
    def commit(self) -> str:
        """The commit that the application says it was deployed from; empty where it says none."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return ""
        return str(said.get("commit", "")) if isinstance(said, dict) else ""


class Api:
    """The interface as one user reaches it, who has no token before ``login``.

    Each request is a connection of its own, without any cookie: the token alone says who asks. Every call may
    raise Unreachable, ProbeTimeout or ProtocolError, as ``web.Client.ask``.

    Args:
        machine: where the connections start from.
        urls: addresses of the interface.
        ca: PEM bundle of the authorities that the server's certificate must descend from.
        token: what is presented instead of what a login gives; empty for nothing.
    """

    def __init__(self, machine: Machine, urls: ApplicationApi, ca: Path, token: str = "") -> None:
        self._machine, self._urls, self._ca, self._token = machine, urls, ca, token

    def login(self, account: str, password: str) -> ApiObservation:
        """Ask for a token; ``granted`` where there is one. It stands in no evidence."""
        urls = self._urls
        seen = self._ask(
            "login",
            "POST",
            urls.login_url,
            form={urls.account_field: account, urls.password_field: password},
            hidden=rf'(?<="{re.escape(urls.token_field)}")\s*:\s*"(?:[^"\\]|\\.)*"?',
        )
        said = seen.json()
        token = said.get(urls.token_field) if isinstance(said, dict) else None
        if seen.granted and isinstance(token, str) and token:
            self._token = token
            return _seen(seen)
        return _seen(seen, "no token in the answer")

    def list(self) -> ApiObservation:
        """Read the entries; an answer that is no list of entries is ``refused``."""
        seen = self._ask("list", "GET", self._urls.data_url)
        entries = seen.json()
        if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
            return _seen(seen, entries=entries)
        return _seen(seen, "the answer is no list of entries")

    def add(self, mark: str) -> ApiObservation:
        """Add the entry of a trial, which holds ``mark``; an answer without its ``id`` is ``refused``."""
        entry = {name: text.replace(_MARK, mark) for name, text in self._urls.entry.items()}
        seen = self._ask("add", "POST", self._urls.data_url, json=entry)
        made = seen.json()
        if isinstance(made, dict) and "id" in made:
            return _seen(seen, entries=[made])
        return _seen(seen, "the answer has no id")

    def remove(self, id_: str) -> ApiObservation:
        """Remove the entry ``id_``."""
        return _seen(self._ask("remove", "DELETE", f"{self._urls.data_url.rstrip('/')}/{quote(id_, safe='')}"))

    def called(self, mark: str) -> ApiObservation:
        """Ask for what the application learns from the one that it calls, about an entry that holds ``mark``."""
        return _seen(self._ask("called", "GET", self._urls.call_url.replace(_MARK, quote(mark, safe=""))))

    def version(self) -> ApiObservation:
        """Ask which version is deployed."""
        return _seen(self._ask("version", "GET", self._urls.version_url))

    def _ask(
        self,
        question: str,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        hidden: str = "",
    ) -> web.WebObservation:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        bearer = {"Authorization": f"Bearer {self._token}"} if self._token else {}  # RFC 6750 §2.1
        with web.client(self._machine, url, self._ca) as client:
            return client.ask(
                method,
                path,
                probe=f"application.{question}",
                headers={"Accept": "application/json", **bearer},
                form=form,
                json=json,
                hidden=hidden,
            )


def _seen(
    seen: web.WebObservation, lacks: str = "", entries: Sequence[Mapping[str, object]] = ()
) -> ApiObservation:
    """Return what was ``seen`` as an answer of the interface, which says ``lacks`` instead of what it should."""
    answer: Answer = "refused" if lacks and seen.granted else seen.answer
    return ApiObservation(
        seen.evidence,
        answer,
        seen.detail or (lacks if answer == "refused" else ""),
        status=seen.status,
        body=seen.body,
        entries=entries if answer == "granted" else (),
    )


# On a display that nobody sees, as somebody without rights, in a home that is removed.
_CLIENT = r"""
home=$(mktemp -d) || exit 1
trap 'rm -rf "$home"' EXIT
as=
set --
[ "$(id -u)" != 0 ] || {{ chown nobody "$home"; as='runuser -u nobody --'; }}
! command -v xvfb-run >/dev/null || set -- {display}
cd "$home" && $as env HOME="$home" timeout {seconds} "$@" sh -c {command}
"""
_CLIENT_SECONDS = 45

# Time on a processor, in nanoseconds (Documentation/scheduler/sched-stats.rst of Linux), of all threads of each
# process whose command line the input describes. This shell's own does not hold it; pgrep leaves itself out.
_WORKED = r"""
IFS= read -r pattern
for pid in $(pgrep -f -- "$pattern"); do
    line=$(ps -o user=,args= -p "$pid") && cat /proc/"$pid"/task/*/schedstat 2>/dev/null |
        awk -v pid="$pid" -v line="$line" '{ ns += $1 } END { print pid, ns + 0, line }'
done
"""


def client_program(machine: Machine, command: str, account: str, password: str) -> Ran:
    """Run a client program on ``machine`` as ``account``; what it prints is what its window shows.

    Args:
        machine: the terminal.
        command: command, with ``{account}``.
        account: who logs in.
        password: goes to the standard input of the program.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
    """
    filled = shlex.quote(command.replace("{account}", shlex.quote(account)))
    script = _CLIENT.format(seconds=_CLIENT_SECONDS, display=DISPLAY, command=filled)
    return machine.run(script, stdin=f"{password}\n", deadline=_CLIENT_SECONDS + 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessObservation(Observation):
    """Processes of one kind. ``granted``: there are some.

    Attributes:
        worked: time that each has spent on a processor, in milliseconds, by its number.
    """

    worked: Mapping[int, float]

    def since(self, before: ProcessObservation) -> float:
        """Return the milliseconds that they worked since they were seen ``before``, new ones included."""
        return sum(time - before.worked.get(pid, 0.0) for pid, time in self.worked.items())


def processes(machine: Machine, pattern: str) -> ProcessObservation:
    """Return the processes of ``machine`` whose command line the regular expression ``pattern`` describes.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
    """
    ran = machine.run(_WORKED, stdin=f"{pattern}\n")
    worked = {}
    for line in ran.stdout.splitlines():
        pid, nanoseconds, *_ = line.split()
        worked[int(pid)] = int(float(nanoseconds)) / 1e6
    detail = "" if worked else f"no process matches {pattern}"
    return ProcessObservation(ran.evidence, "granted" if worked else "refused", detail, worked=worked)
