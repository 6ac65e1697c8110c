"""The editor or IDE of developers: whether it opens a file in a window. Never judges."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from sio_lab.errors import ProtocolError
from sio_lab.probes import account, desktop
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

_PATIENCE = 30  # seconds until its window is there
_MISSING = 69  # EX_UNAVAILABLE of sysexits.h
_LATE = 75  # EX_TEMPFAIL

# On a display of its own. The title of an editor names the file; where it does not, we wait in vain, and take what
# there is. A launcher may end well and leave its editor running.
_LOOK = r"""
n=0; until xwininfo -root >/dev/null 2>&1; do
    # xvfb-run goes on after 3 seconds, whether its display is there or not.
    n=$((n + 1)); [ $n -lt {turns} ] || exit {late}; sleep 0.2
done
titles() {{ xwininfo -root -tree | sed -n 's/^ *0x[0-9a-f]* "\(.*\)": (.*/\1/p'; }}
titles | sed 's/^/before=/'
( {command} ) >{folder}/said 2>&1 </dev/null & ide=$!
n=0; ended=
until titles | grep -qF {mark} || [ $n -ge {turns} ]; do
    if [ -z "$ended" ] && ! kill -0 $ide 2>/dev/null; then
        wait $ide; ended=$?; [ $ended = 0 ] || break
    fi
    n=$((n + 1)); sleep 0.2
done
titles | sed 's/^/window=/'
sed 's/^/said=/' {folder}/said | tail -n 5
"""
_START = r"""
for tool in xvfb-run xwininfo; do command -v $tool >/dev/null || {{ echo $tool >&2; exit {missing}; }}; done
cd {folder} && mkdir config cache state || exit 1
XDG_CONFIG_HOME={folder}/config XDG_CACHE_HOME={folder}/cache XDG_STATE_HOME={folder}/state
export XDG_CONFIG_HOME XDG_CACHE_HOME XDG_STATE_HOME
exec {display} sh -c {look}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeObservation(Observation):
    """An editor that was started. ``granted``: windows with a title came up; ``refused``: none did.

    Attributes:
        titles: titles of the windows that it opened.
    """

    titles: tuple[str, ...] = ()


def opened(machine: Machine, user: str, command: str, folder: str, *, mark: str) -> IdeObservation:
    """Start the editor as ``user`` on a display that nobody sees, read its windows' titles, and end it.

    Its settings are those of somebody who starts it for the first time: the user's own stay as they are.

    Args:
        machine: where it is installed.
        user: whom it runs as.
        command: what starts it on a file.
        folder: an empty folder of that user, which ``account.removal`` removes afterwards.
        mark: word in the name of the file, which tells that it has been opened.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: there is nothing to make a display with, or it does not start in time.
    """
    at, start = datetime.now(UTC), monotonic()
    look = _LOOK.format(command=command, folder=folder, mark=shlex.quote(mark), turns=_PATIENCE * 5, late=_LATE)
    script = _START.format(missing=_MISSING, folder=folder, display=desktop.DISPLAY, look=shlex.quote(look))
    status, stdout, stderr = machine.session.run(
        account.under(user, script, seconds=2 * _PATIENCE + 15), stdin="", deadline=2 * _PATIENCE + 20
    )
    evidence = machine.saw(
        "ide.opened", target=machine.name, sent=command, received=stdout or stderr, at=at, start=start
    )
    if status == _MISSING:
        tool = (stderr.split() or ["xvfb-run"])[-1]
        raise ProtocolError(
            Text(f"{tool} manque : aucun affichage ne peut être fait", f"no {tool}: no display can be made"),
            where=machine.name,
            todo=Text("installez : apt install xvfb xauth x11-utils", "install: apt install xvfb xauth x11-utils"),
        )
    if status == _LATE:
        raise ProtocolError(
            Text("aucun affichage ne démarre à temps", "no display starts in time"), where=machine.name
        )
    if "before=" in stdout:
        raise ProtocolError(
            Text("l'affichage neuf montre déjà des fenêtres", "the fresh display shows windows already"),
            where=machine.name,
        )
    titles, words = reading(stdout)
    detail = "" if titles else (words or stderr.strip() or "no window came up").splitlines()[-1]
    return IdeObservation(evidence, "granted" if titles else "refused", detail, titles=titles)


def reading(output: str) -> tuple[tuple[str, ...], str]:
    """Return the titles of windows in ``output``, and what the editor itself said."""
    lines = [line.partition("=") for line in output.splitlines()]
    titles = dict.fromkeys(value for key, _, value in lines if key == "window")
    return tuple(titles), "\n".join(value for key, _, value in lines if key == "said")
