"""What can be cut, how, and how it is given back. Each way back can be taken twice."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Literal, Protocol

from sio_lab.disruption.history import History
from sio_lab.errors import InconclusiveError, ProbeError, ProviderError
from sio_lab.lab.model import Lab
from sio_lab.probes.machine import Session
from sio_lab.providers.base import Progress, Provider
from sio_lab.text import Text

Kind = Literal["unit", "power", "link", "command"]

_STARTING = 60.0  # seconds for a unit to start
_QUICK = 10.0
_SHOWN = 60  # characters of a command that are told


class FailedError(ProviderError):
    """A command was run, and said that it failed."""


class Sessions(Protocol):
    """Where sessions with machines come from."""

    def session(self, name: str) -> Session:
        """Return the session of the machine ``name``."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What it takes to cut something in ``lab``, and to give it back; and what was cut before."""

    lab: Lab
    provider: Provider
    sessions: Sessions
    history: History = field(default_factory=History)


@dataclass(frozen=True, slots=True)
class Cut:
    """Something that is taken away from a lab.

    Attributes:
        kind: a systemd unit is stopped, a machine loses its power, an interface its link, or a command is run
            whose effect another one takes back.
        machine: machine concerned.
        what: the unit, the interface or the command; nothing for a machine, or where nothing is run.
        back: the command that takes it back.
    """

    kind: Kind
    machine: str
    what: str = ""
    back: str = ""

    @property
    def name(self) -> str:
        """What is cut, in one word: ``lb1``, ``haproxy@lb1``."""
        return f"{self.what}@{self.machine}" if self.kind in {"unit", "link"} else self.machine

    @property
    def title(self) -> Text:
        """What happens, in a few words."""
        command = self.what if len(self.what) <= _SHOWN else f"{self.what[:_SHOWN]}…"
        return {
            "unit": Text(f"arrêt de {self.what} sur {self.machine}", f"{self.what} stopped on {self.machine}"),
            "power": Text(f"coupure de courant de {self.machine}", f"power cut of {self.machine}"),
            "link": Text(f"lien {self.what} de {self.machine} coupé", f"link {self.what} of {self.machine} down"),
            "command": Text(f"« {command} » sur {self.machine}", f"'{command}' on {self.machine}")
            if command
            else Text(f"ce qu'un contrôle change sur {self.machine}", f"what a check changes on {self.machine}"),
        }[self.kind]


def stopped(machine: str, unit: str) -> Cut:
    """Return the stop of the systemd ``unit`` of ``machine``."""
    return Cut("unit", machine, unit)


def power(machine: str) -> Cut:
    """Return an abrupt power cut of ``machine``: nothing is stopped cleanly."""
    return Cut("power", machine)


def link(machine: str, interface: str) -> Cut:
    """Return the loss of the link of ``interface`` of ``machine``."""
    return Cut("link", machine, interface)


def command(machine: str, what: str, *, back: str) -> Cut:
    """Return the effect of the command ``what`` on ``machine``, which the command ``back`` takes back.

    Args:
        machine: machine concerned.
        what: command that is run; nothing where the check runs it by itself.
        back: command that can be run twice, and where there is nothing to take back. Neither holds a secret.
    """
    return Cut("command", machine, what, back)


def ready(cut: Cut, ways: Ways) -> None:
    """Make sure that there is something to cut.

    Raises:
        InconclusiveError: what is to be cut does not work, so that nothing could be told from its loss.
        ProbeError: the machine does not answer.
    """
    if not _works(cut, ways):
        raise InconclusiveError(
            Text(
                f"{cut.what or cut.machine} ne fonctionne pas : sa coupure ne montrerait rien",
                f"{cut.what or cut.machine} does not work: cutting it would show nothing",
            ),
            where=cut.machine,
        )


def do(cut: Cut, ways: Ways) -> None:
    """Cut.

    Raises:
        ProbeError, ProviderError: it could not be done, or not wholly.
    """
    if cut.kind == "power":
        ways.provider.power_off(ways.lab, cut.machine)
        return
    what = shlex.quote(cut.what)
    commands = {"unit": f"systemctl stop {what}", "link": f"ip link set dev {what} down", "command": cut.what}
    _run(cut, ways, commands[cut.kind])


def is_done(cut: Cut, ways: Ways) -> bool:
    """Return whether what was to be cut is seen to be cut; of a command, only whoever asked for it can tell."""
    return cut.kind == "command" or not _works(cut, ways)


def undo(cut: Cut, ways: Ways) -> None:
    """Give back what was cut, and make sure that it is there; a machine that is lost is started again.

    Raises:
        ProviderError: it is not back.
    """
    if cut.kind == "power":
        _restart(cut, ways)
    else:
        _give_back(cut, ways)
    end = monotonic() + _QUICK
    while not _works(cut, ways):
        if monotonic() > end:
            raise _not_back(cut)
        sleep(0.1)


def _give_back(cut: Cut, ways: Ways) -> None:
    what = shlex.quote(cut.what)
    commands = {
        "unit": f"systemctl reset-failed {what} 2>/dev/null; systemctl start {what}",
        "link": f"ip link set dev {what} up",
        "command": cut.back,
    }
    try:
        _run(cut, ways, commands[cut.kind])
    except ProbeError:
        # A machine that is lost cannot be asked; it comes back with its links up.
        ways.provider.power_off(ways.lab, cut.machine)
        _restart(cut, ways)
        _run(cut, ways, commands[cut.kind])


def _restart(cut: Cut, ways: Ways) -> None:
    ways.provider.power_on(ways.lab, cut.machine, _silent)
    renew(cut, ways)


def renew(cut: Cut, ways: Ways) -> None:
    """Forget the connection to a machine that was restarted."""
    forget = getattr(ways.sessions.session(cut.machine), "renew", None)
    if forget:
        forget()


def _works(cut: Cut, ways: Ways) -> bool:
    if cut.kind == "power":
        return ways.provider.status(ways.lab).get(cut.machine) == "running"
    if cut.kind == "command":
        return True
    what = shlex.quote(cut.what)
    # A link that is up may still wait for its carrier: a bridge, for one, says "unknown" for good.
    question = (
        f"systemctl is-active --quiet {what}"
        if cut.kind == "unit"
        else f'grep -qvx down "/sys/class/net/"{what}/operstate'
    )
    status, _, _ = ways.sessions.session(cut.machine).run(question, stdin="", deadline=_QUICK)
    return status == 0


def _run(cut: Cut, ways: Ways, command: str) -> None:
    status, _, stderr = ways.sessions.session(cut.machine).run(command, stdin="", deadline=_STARTING)
    if status:
        said = (stderr.strip() or f"exit {status}").splitlines()[-1]
        raise FailedError(Text.same(f"{command.partition(';')[0]} : {said}"), where=cut.machine)


def _not_back(cut: Cut) -> ProviderError:
    return ProviderError(
        Text(f"n'est pas rétabli : {cut.title.fr}", f"not given back: {cut.title.en}"),
        where=cut.machine,
        todo=Text(
            "sio-lab repair essaie encore ; sio-lab reset remet tout",
            "sio-lab repair tries again; sio-lab reset restores all",
        ),
    )


def _silent(_: Progress) -> None:
    """The check says what happens."""
