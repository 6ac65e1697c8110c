"""Version control: cloning, committing and pushing with git itself, from a machine of the lab. Never judges."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from sio_lab.errors import ProbeTimeout, ProtocolError
from sio_lab.probes.area import AreaObservation, Refusal
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer
from sio_lab.text import Text

_DEADLINE = 40  # seconds, for each command
_MISSING = 127

# Nothing of the user's own settings, where a password may be kept; TLS is verified whatever they say. Commands
# that are kept to be run later hold the way to the password, never the password.
_GIT = (
    "env -u GIT_SSL_NO_VERIFY LC_ALL=C HOME={place} XDG_CONFIG_HOME={place} GIT_TERMINAL_PROMPT=0 "
    "GIT_ASKPASS={ask} GIT_SSL_CAINFO={place}/ca.pem timeout -k 2 {seconds} git "
    "-c http.sslVerify=true -c credential.helper= -c http.extraHeader= -c core.hooksPath=/dev/null "
    "-c commit.gpgSign=false -c user.name={name} -c user.email={name}@sio-lab.invalid"
)
# The password comes on the standard input and stays in a file that nobody else reads.
_PREPARE = r"""
umask 077; mkdir -p {place} && cd {place} || exit 1
command -v git >/dev/null || exit {missing}
IFS= read -r password && printf %s "$password" >password && cat >ca.pem
printf '%s\n' '#!/bin/sh' 'case "$1" in Username*) echo {name} ;; *) cat {place}/password ;; esac' >ask
chmod 700 ask
"""

_SAID: tuple[tuple[str, Answer, Refusal], ...] = (
    ("Authentication failed", "refused", "credentials"),
    ("could not read Username", "refused", "credentials"),  # it was asked for, and there is none to give
    ("returned error: 401", "refused", "credentials"),
    ("returned error: 403", "refused", "rights"),
    ("returned error: 404", "refused", "rights"),
    ("not found", "refused", "rights"),  # a server may not tell what there is
    ("Access denied", "refused", "rights"),
    ("not allowed", "refused", "rights"),
    ("hook declined", "refused", "rights"),
    ("protected branch", "refused", "rights"),
    ("[rejected]", "refused", "other"),
    ("[remote rejected]", "refused", "other"),
    ("Connection refused", "unavailable", ""),
    ("Failed to connect", "unavailable", ""),
    ("Could not connect", "unavailable", ""),
    ("Couldn't connect", "unavailable", ""),
    ("No route to host", "unavailable", ""),
    ("returned error: 5", "unavailable", ""),
)
"""Words of git's messages, what they mean for whoever asked, and why; the first that is found counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitObservation(AreaObservation):
    """What became of a git command.

    Attributes:
        commit: the commit that was made: its 40 digits.
    """

    commit: str = ""


class Person:
    """git as one person uses it on ``machine``.

    Args:
        machine: where git runs.
        folder: a folder that exists; what this person has there is in one of its own.
        who: name of that one.
        repository: address of the repository (https).
        ca: PEM bundle of the authorities that the server's certificate must descend from.
        auth: login and password; ``None`` for a visitor who gives none.
    """

    def __init__(
        self, machine: Machine, folder: str, who: str, repository: str, ca: Path, auth: tuple[str, str] | None
    ) -> None:
        self._machine, self._repository, self._auth = machine, repository, auth
        self._place = f"{folder}/{who}"
        self._ca = ca
        self._ready = False
        self.clone_folder = f"{self._place}/clone"

    def clone(self) -> GitObservation:
        """Clone the repository, its last commit at least.

        Raises:
            Unreachable: the machine does not answer.
            ProbeTimeout: the server does not.
            ProtocolError: there is no git, the certificate cannot be trusted, or git says what is not known here.
        """
        return self._run(f"clone --quiet --depth 1 {self._url} {self.clone_folder}")

    def checkout(self, tag: str, folder: str, user: str) -> GitObservation:
        """Clone the repository at ``tag`` into ``folder``, for ``user``; the ``commit`` is the one that tag names.

        Raises:
            Unreachable, ProbeTimeout, ProtocolError: as ``clone``.
        """
        return self._run(
            f"clone --depth 1 --branch {tag}",
            f"{self._git()} clone --quiet --depth 1 --branch {shlex.quote(tag)} {self._url} {folder} && "
            f"{self._git()} -C {folder} rev-parse HEAD && chown -R {shlex.quote(user)}: {folder}",
        )

    def commit(self, branch: str, file: str, message: str) -> GitObservation:
        """Add ``file`` on a new ``branch`` of the clone, with ``message``; nothing is sent yet.

        Raises:
            Unreachable, ProbeTimeout, ProtocolError: as ``clone``.
        """
        git = f"{self._git()} -C {self.clone_folder}"
        quoted, where = shlex.quote(branch), shlex.quote(f"{self.clone_folder}/{file}")
        return self._run(
            f"commit on {branch}: {message}",
            f"{git} checkout --quiet -b {quoted} && echo {quoted} >{where} && {git} add {where} && "
            f"{git} commit --quiet -m {shlex.quote(message)} && {git} rev-parse HEAD",
        )

    def push(self, branch: str, clone: str) -> GitObservation:
        """Send what is checked out in ``clone``, one's own or somebody else's, as ``branch``.

        Raises:
            Unreachable, ProbeTimeout, ProtocolError: as ``clone``.
        """
        return self._run(f"-C {clone} push --quiet {self._url} HEAD:{shlex.quote(f'refs/heads/{branch}')}")

    def delete(self, branch: str) -> GitObservation:
        """Delete ``branch`` on the server.

        Raises:
            Unreachable, ProbeTimeout, ProtocolError: as ``clone``.
        """
        return self._run(self._deletion(branch))

    def branches(self, start: str) -> GitObservation:
        """Ask which branches of the server begin with ``start``; they are the ``names`` that come back.

        Raises:
            Unreachable, ProbeTimeout, ProtocolError: as ``clone``.
        """
        return self._run(f"ls-remote {self._url} {shlex.quote(f'refs/heads/{start}*')}")

    def undo(self, branch: str) -> str:
        """Return the command that deletes ``branch`` on the server, if it is there; it holds no secret."""
        place = shlex.quote(self._place)
        return f"cd {place} 2>/dev/null && {self._git()} {self._deletion(branch)} >/dev/null 2>&1; true"

    @property
    def _url(self) -> str:
        return shlex.quote(self._repository)

    def _deletion(self, branch: str) -> str:
        # Where we stand matters: git pushes from a repository only.
        return f"-C {self.clone_folder} push --quiet {self._url} {shlex.quote(f':refs/heads/{branch}')}"

    def _git(self) -> str:
        ask, name = (f"{self._place}/ask", self._auth[0]) if self._auth else ("false", "visitor")
        return _GIT.format(place=self._place, ask=ask, name=shlex.quote(name), seconds=_DEADLINE - 5)

    def _prepare(self) -> None:
        name, password = self._auth or ("visitor", "")
        script = _PREPARE.format(place=self._place, name=name, missing=_MISSING)
        bundle = self._ca.read_text(encoding="utf-8", errors="replace")
        status, _, stderr = self._machine.session.run(script, stdin=f"{password}\n{bundle}", deadline=_DEADLINE)
        if status == _MISSING:
            raise ProtocolError(
                Text("git manque", "no git"),
                where=self._machine.name,
                todo=Text("installez-le : apt install git", "install it: apt install git"),
            )
        if status:
            raise ProtocolError(
                Text(f"l'essai ne se prépare pas : {stderr}", f"the trial cannot be prepared: {stderr}"),
                where=self._machine.name,
            )
        self._ready = True

    def _run(self, told: str, command: str = "") -> GitObservation:
        if not self._ready:
            self._prepare()
        at, start = datetime.now(UTC), monotonic()
        status, stdout, stderr = self._machine.session.run(
            command or f"{self._git()} {told}", stdin="", deadline=_DEADLINE
        )
        who = f" ({self._auth[0]})" if self._auth else ""
        evidence = self._machine.saw(
            "git",
            target=self._repository,
            sent=f"git {told}{who}",
            received=stdout + stderr or f"exit {status}",
            at=at,
            start=start,
        )
        answer, refusal, detail = reading(status, stderr, self._repository)
        lines = stdout.split()
        return GitObservation(
            evidence,
            answer,
            detail,
            refusal=refusal,
            content=stdout,
            names=frozenset(word.removeprefix("refs/heads/") for word in lines if word.startswith("refs/heads/")),
            commit=lines[-1] if command and lines else "",
        )


def reading(status: int, stderr: str, where: str) -> tuple[Answer, Refusal, str]:
    """Return what git's exit status and messages mean, and its last words.

    Raises:
        ProbeTimeout: nobody answered.
        ProtocolError: nothing that is known here: certificate, name that does not resolve…
    """
    if status == 0:
        return "granted", "", ""
    # What the server itself says of its refusal comes first (remote: …), git's conclusion last.
    lines = [line for line in stderr.splitlines() if line.strip()]
    last = lines[-1] if lines else f"exit {status}"
    if status in {124, 137} or "timed out" in stderr:
        raise ProbeTimeout(Text(f"le serveur ne répond pas ({last})", f"no answer ({last})"), where=where)
    for words, answer, refusal in _SAID:
        if words in stderr and "certificate" not in stderr:
            return answer, refusal, next(line for line in lines if words in line).strip()
    raise ProtocolError(Text(f"dialogue impossible : {last}", f"no dialogue: {last}"), where=where)
