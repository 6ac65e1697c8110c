"""The flow matrix as it was found, cell by cell, from what became of each packet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sio_lab.audit.document import FlowCell, FlowFate, FlowMatrix
from sio_lab.lab import matrix
from sio_lab.lab.model import Lab
from sio_lab.probes.flow_matrix import Fate, Seen

_TOLD: Mapping[Fate, FlowFate] = {
    "open": "open",
    "reached": "open",
    "cut": "closed",
    "closed": "closed",
    "unknown": "not_told",
}


def told(seen: Seen) -> FlowFate:
    """Return what the fate of a packet says of the flow.

    One that arrives shows a flow that nothing stops, be its server down. One that arrives and whose answer is
    stopped is no flow that anybody can use; but where it is forbidden, arriving is enough.
    """
    if seen.fate == "cut" and not seen.trial.allowed:
        return "open"
    return _TOLD[seen.fate]


def cells(lab: Lab, packets: Iterable[Seen]) -> FlowMatrix:
    """Return the matrix that ``packets`` make."""
    sorts: dict[tuple[str, str, matrix.Protocol, int, bool, bool, FlowFate], list[Seen]] = defaultdict(list)
    for seen in packets:
        trial = seen.trial
        key = (trial.here, trial.there, trial.protocol, trial.port, bool(trial.claimed), trial.allowed, told(seen))
        sorts[key].append(seen)
    found = [_cell(*key, seen=seen) for key, seen in sorts.items()]
    # A machine may bear the name of its perimeter: one of the two stands for both.
    known = list(dict.fromkeys((*matrix.perimeters(lab), *lab.machines, *lab.shared_addresses)))
    targets = {cell.target for cell in found}
    return FlowMatrix(
        sources=[name for name in known if any(cell.source == name for cell in found)],
        targets=[name for name in known if name in targets],
        cells=sorted(found, key=lambda cell: (known.index(cell.source), known.index(cell.target))),
    )


def _cell(
    source: str,
    target: str,
    protocol: matrix.Protocol,
    port: int,
    forged: bool,
    allowed: bool,
    fate: FlowFate,
    *,
    seen: Sequence[Seen],
) -> FlowCell:
    as_wanted = fate == "closed" and not allowed
    return FlowCell(
        source=source,
        target=target,
        protocol=protocol,
        port=port,
        forged=forged,
        allowed=allowed,
        seen=fate,
        count=len(seen),
        pairs=[] if as_wanted else list(dict.fromkeys(map(pair, seen))),
        detail=seen[0].detail if fate == "not_told" else "",
    )


def pair(seen: Seen) -> str:
    """Return who sent to whom: ``portail → bdd``."""
    claimed = f" ({seen.trial.claimed})" if seen.trial.claimed else ""
    return f"{seen.trial.source}{claimed} → {seen.trial.target}"
