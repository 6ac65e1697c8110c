"""Commands of a machine, run as one of its users would once logged in; places of their own for what they write."""

from __future__ import annotations

import re
import secrets
import shlex

from sio_lab.errors import InconclusiveError
from sio_lab.text import Text

# What was started with the folder in its environment ends with it; nobody else's environment holds its name.
_REMOVE = (
    "for p in /proc/[0-9]*; do grep -qsF {folder} $p/environ && kill -KILL ${{p#/proc/}} 2>/dev/null; done; "
    "rm -rf {folder}"
)


def under(user: str, command: str, *, seconds: int) -> str:
    """Return the command that runs ``command`` as ``user`` does once logged in, for ``seconds`` at most."""
    limited = f"timeout -k 2 {seconds} sh -c {shlex.quote(command)}"
    return f"runuser -l {shlex.quote(user)} -c {shlex.quote(limited)}"


def place() -> str:
    """Return the name of a folder that nobody else uses; it needs no quotes in a shell."""
    return f"/var/tmp/sio-lab-{secrets.token_hex(8)}"  # noqa: S108  # made by mkdir, which fails if it is there


def make(folder: str, user: str, *below: str) -> str:
    """Return the command that makes ``folder``, and those ``below`` it, for ``user`` alone."""
    made = " ".join([folder, *(f"{folder}/{name}" for name in below)])
    return f"umask 077; mkdir {made} && chown {shlex.quote(user)} {made}"


def removal(folder: str) -> str:
    """Return the command that removes ``folder`` and ends what was started for it; it may run twice."""
    return _REMOVE.format(folder=folder)


def filled(command: str, **values: str) -> str:
    """Return a declared command with its ``{words}`` replaced; other braces are the command's own."""
    for name, value in values.items():
        command = command.replace(f"{{{name}}}", shlex.quote(value))
    return command


def said(pattern: str, text: str, *, where: str) -> bool:
    """Whether ``text`` says what the declared regular expression ``pattern`` describes, on any of its lines.

    Raises:
        InconclusiveError: it is no regular expression.
    """
    try:
        return re.search(pattern, text, re.MULTILINE) is not None
    except re.error as error:
        raise InconclusiveError(
            Text(
                f"« {pattern} » n'est pas une expression régulière ({error})",
                f"'{pattern}' is no regular expression ({error})",
            ),
            where=where,
        ) from error
