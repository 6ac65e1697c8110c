"""Fixed terminals: whether a machine is one that somebody works at. Never judges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from sio_lab.errors import ProtocolError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.text import Text

DISPLAY = "xvfb-run -a -s '-screen 0 1280x800x24 -noreset'"
"""What a command is run under, to have a display that nobody sees.

A server that resets does so when its last client leaves, and drops who comes at that moment.
"""

# Each display server is asked, with the key that it was itself started with, for its window manager's
# name (Extended Window Manager Hints, _NET_SUPPORTING_WM_CHECK); logind knows Wayland and login screens.
_ASK = r"""
LC_ALL=C; export LC_ALL; exec 2>/dev/null
for socket in /tmp/.X11-unix/X*; do
    [ -S "$socket" ] || continue
    command -v xprop >/dev/null || { echo 'xprop=missing'; break; }
    DISPLAY=:${socket##*/X}; export DISPLAY
    XAUTHORITY=$(for p in /proc/[0-9]*; do tr '\0' ' ' <"$p/cmdline"; echo; done |
        sed -n "s/^[^ ]*X.* $DISPLAY .*-auth \([^ ]*\).*/\1/p" | head -n1); export XAUTHORITY
    window=$(timeout 5 xprop -root _NET_SUPPORTING_WM_CHECK) || continue
    echo "display=$DISPLAY"
    name=$(timeout 5 xprop -id "${window##* }" _NET_WM_NAME) && echo "manager=${name#*= }"
done
for session in $(loginctl list-sessions --no-legend | awk '{print $1}'); do
    loginctl show-session "$session" -p Type -p Class --value | tr '\n' ' ' | sed 's/^/session=/'; echo
done
exit 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesktopObservation(Observation):
    """A machine's graphical session. ``granted``: there is one; ``refused``: the machine has none.

    Attributes:
        display: display that answered: ``:0``, ``wayland``; empty where none did.
        manager: what manages its windows: ``Openbox``, ``GNOME Shell``, or ``login screen``.
    """

    display: str = ""
    manager: str = ""


def session(machine: Machine) -> DesktopObservation:
    """Ask ``machine`` whether a display server answers and something manages its windows, in one round trip.

    Raises:
        Unreachable: the machine does not answer.
        ProbeTimeout: it took more than fifteen seconds.
        ProtocolError: it has a display, but not what it takes to ask it.
    """
    at, start = datetime.now(UTC), monotonic()
    _, stdout, stderr = machine.session.run("sh", stdin=_ASK, deadline=15)
    evidence = machine.saw(
        "desktop.session", target=machine.name, sent=_ASK.strip(), received=stdout or stderr, at=at, start=start
    )
    display, manager = reading(stdout)
    if not manager and "xprop=missing" in stdout:
        raise ProtocolError(
            Text("xprop manque : son affichage ne peut être interrogé", "no xprop: its display cannot be asked"),
            where=machine.name,
            todo=Text("installez-le : apt install x11-utils", "install it: apt install x11-utils"),
        )
    detail = "" if manager else "no display server with a window manager answers"
    return DesktopObservation(
        evidence, "granted" if manager else "refused", detail, display=display, manager=manager
    )


def reading(output: str) -> tuple[str, str]:
    """Return the first display of ``output`` whose windows are managed, and by what; empty where there is none."""
    display = ""
    for line in output.splitlines():
        key, _, value = line.partition("=")
        if key == "display":
            display = value.strip()
        elif key == "manager":
            return display, value.strip().strip('"')
        elif key == "session":
            kind, _, role = value.strip().partition(" ")
            if kind in {"x11", "wayland"} and role in {"user", "greeter"}:
                return display or kind, "login screen" if role == "greeter" else f"{kind} session"
    return display, ""
