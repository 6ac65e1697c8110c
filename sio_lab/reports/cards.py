"""Cards of the topology drawing: a machine, or an address that machines share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sio_lab.audit.document import MachineFinding
from sio_lab.reports.sharing import Holding
from sio_lab.reports.svg import Drawing
from sio_lab.reports.words import KIND
from sio_lab.text import Text

HEIGHT = 68
_PAD, _BESIDE_ICON = 8, 28
_ROUND = 6

# Drawn in a square of 18, by kind.
_ICON: Mapping[str, str] = {
    "server": "M2 2h14v6H2zM2 10h14v6H2zM5 5h.1M5 13h.1",
    "firewall": "M1 3h16v12H1zM1 7h16M1 11h16M7 3v4M12 7v4M6 11v4",
    "terminal": "M1 2h16v11H1zM6 16h6M9 13v3",
    "mobile": "M5 1h8v16H5zM8 14.5h2",
    "network": "M9 1a8 8 0 1 0 .1 0zM9 7.5V3.6M7.3 5.2L9 3.5l1.7 1.7M9 10.5v3.9M7.3 12.8L9 14.5l1.7-1.7"
    "M3.6 9h3.6M5.6 7.3L7.3 9l-1.7 1.7M14.4 9h-3.6M12.4 7.3L10.7 9l1.7 1.7",
    "shared": "M1 5.5h11v11H1zM6 5.5V1.5h11v11h-5",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on a card.

    Attributes:
        name: its heading.
        kind: kind of machine, or ``shared``.
        about: what a reader who points at it is told.
        address: address in this perimeter, if it is to be shown.
        words: what it is, or what is wrong with it.
        bad: whether the words say what is wrong.
        again: whether the machine stands elsewhere, and only has an interface here.
    """

    name: str
    kind: str
    about: str
    address: str
    words: Text
    bad: bool = False
    again: bool = False

    def draw(self, drawing: Drawing, x: float, y: float, width: float) -> None:
        """Draw the card at its place."""
        states = {"card": True, self.kind: self.kind in _ICON, "again": self.again, "lost": self.bad}
        drawing.open(self.about)
        drawing.box(
            x,
            y,
            width,
            HEIGHT,
            " ".join(css for css, holds in states.items() if holds),
            round_=_ROUND * 3 if self.kind == "shared" else 0 if self.kind == "network" else _ROUND,
        )
        drawing.path(_ICON.get(self.kind, _ICON["server"]), "icon", at=(x + _PAD - 1, y + 6))
        room = width - _PAD - 4
        drawing.text(x + _BESIDE_ICON, y + 19, self.name, "name", width - _BESIDE_ICON - 4)
        if self.address:
            drawing.text(x + _PAD, y + 35, self.address, "address", room)
        style = "lostword" if self.bad else "small"
        drawing.lines(x + _PAD, y + (49 if self.address else 38), self.words, style, room)
        drawing.close()


def of_machine(machine: MachineFinding, address: str, *, main: bool) -> Card:
    """Return the card of ``machine`` where it has ``address``; ``main``: whether this is its main perimeter."""
    about = f"{machine.name} — {machine.title}" if machine.title else machine.name
    words = Text.same(machine.title) if machine.title else KIND.get(machine.kind, Text.same(machine.kind))
    if not machine.reachable:
        words = Text("✘ ne répond pas", "✘ does not answer")
    elif not main:
        words = Text("(autre interface)", "(another interface)")
    return Card(machine.name, machine.kind, about, address, words, bad=not machine.reachable, again=not main)


def of_shared(holding: Holding, address: str) -> Card:
    """Return the card of a shared address."""
    about = f"{holding.name} — {', '.join(holding.shared.machines)}"
    next_ = ", ".join(holding.others)
    words = Text(f"{holding.words.fr}, relève : {next_}", f"{holding.words.en}, then {next_}")
    if not holding.well:
        words = Text(f"✘ {holding.words.fr}", f"✘ {holding.words.en}")
    return Card(holding.name, "shared", about, address, words, bad=not holding.well)
