"""The flow matrix laid out: a row a perimeter that sends, a column a perimeter or firewall that is sent to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sio_lab.audit.document import AuditDocument, FlowCell, FlowMatrix, Status
from sio_lab.text import Text

_FEW = 2  # names that a line shows; more of them are counted
_FAULTY = 6  # pairs that a line shows where something is wrong

OPENED = Text("passe sans être autorisé", "gets through, though not allowed")
FORGED = Text("source usurpée acceptée", "forged source accepted")
BLOCKED = Text("autorisé mais bloqué", "allowed, but blocked")
UNTOLD = Text("sans résultat", "not tried")
THROUGH = Text("passe, comme autorisé", "gets through, as allowed")
STOPPED = Text("arrêté, comme voulu", "stopped, as it must be")


@dataclass(frozen=True, slots=True)
class Line:
    """Ports that came to the same in one square of the matrix."""

    status: Status
    word: Text
    ports: Text
    who: Text


@dataclass(slots=True)
class Square:
    """What was seen between two ends."""

    source: str
    target: str
    lines: list[Line] = field(default_factory=list)
    stopped: int = 0
    """Kinds of packets that no flow allows, and that did not get through."""
    forged: bool = False
    """Whether forged sources were among them."""

    @property
    def status(self) -> Status:
        """The worst of what was seen."""
        found = {line.status for line in self.lines}
        return next((status for status in ("not_satisfied", "unverified") if status in found), "satisfied")


def matrices(document: AuditDocument) -> list[FlowMatrix]:
    """Return the matrices that the checks of ``document`` made."""
    return [check.matrix for result in document.requirements for check in result.checks if check.matrix]


def rows(matrix: FlowMatrix) -> list[tuple[str, list[Square | None]]]:
    """Return the rows of ``matrix``: a square a target, ``None`` where nothing was to be tried."""
    squares: dict[tuple[str, str], Square] = {}
    for ends in dict.fromkeys((cell.source, cell.target) for cell in matrix.cells):
        squares[ends] = _square(*ends, [cell for cell in matrix.cells if (cell.source, cell.target) == ends])
    return [(source, [squares.get((source, target)) for target in matrix.targets]) for source in matrix.sources]


def _square(source: str, target: str, cells: Sequence[FlowCell]) -> Square:
    made = Square(source, target)
    groups: dict[tuple[Status, Text, Text], list[FlowCell]] = {}
    for cell in cells:
        if cell.seen == "closed" and not cell.allowed:
            made.stopped += not cell.forged
            made.forged |= cell.forged
        else:
            status, word = _judged(cell)
            groups.setdefault((status, word, _who(cell, status)), []).append(cell)
    made.lines = [
        Line(status, word, _few_ports(group) if status == "unverified" else Text.same(_ports(group)), who)
        for (status, word, who), group in sorted(groups.items(), key=lambda item: _ORDER.index(item[0][0]))
    ]
    return made


_ORDER: Sequence[Status] = ("not_satisfied", "unverified", "satisfied")


def _judged(cell: FlowCell) -> tuple[Status, Text]:
    if cell.seen == "not_told":
        return "unverified", UNTOLD
    if cell.allowed:
        return ("satisfied", THROUGH) if cell.seen == "open" else ("not_satisfied", BLOCKED)
    return "not_satisfied", FORGED if cell.forged else OPENED


def _few_ports(cells: Sequence[FlowCell]) -> Text:
    """Return the ports, or their number where they are many: nothing was seen of any of them."""
    if len(cells) <= _FAULTY:
        return Text.same(_ports(cells))
    return Text(f"{len(cells)} ports ou protocoles", f"{len(cells)} ports or protocols")


def _ports(cells: Iterable[FlowCell]) -> str:
    """Return ``tcp 22, 443 · udp 53 · icmp``."""
    found: dict[str, dict[int, None]] = {}
    for cell in cells:
        found.setdefault(cell.protocol, {})[cell.port] = None
    return " · ".join(
        f"{protocol} {', '.join(map(str, sorted(ports)))}" if protocol != "icmp" else protocol
        for protocol, ports in sorted(found.items())
    )


def _who(cell: FlowCell, status: Status) -> Text:
    if status == "not_satisfied":
        more = "…" if len(cell.pairs) > _FAULTY else ""
        return Text.same(", ".join(cell.pairs[:_FAULTY]) + more)
    sources, targets = (
        list(dict.fromkeys(pair.split(" → ")[side].split(" (")[0] for pair in cell.pairs if " → " in pair))
        for side in (0, 1)
    )
    one, other = _counted(sources), _counted(targets)
    return Text(f"{one.fr} → {other.fr}", f"{one.en} → {other.en}")


def _counted(names: Sequence[str]) -> Text:
    if len(names) <= _FEW:
        return Text.same(", ".join(names))
    return Text.same(f"{len(names)} machines")
