"""What was cut already in this audit: whoever asks for the same again is given what was seen then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sio_lab.disruption.account import DisruptionObservation
    from sio_lab.disruption.cuts import Cut
    from sio_lab.disruption.watch import Watch


@dataclass(frozen=True, slots=True)
class History:
    """Disruptions that were seen to their end, by what was cut and what was watched meanwhile."""

    _seen: dict[tuple[Cut, Watch], tuple[float, DisruptionObservation]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, cut: Cut, asked: Watch, hold: float, seen: DisruptionObservation) -> None:
        """Keep what was ``seen`` while ``cut`` lasted ``hold`` seconds."""
        with self._lock:
            self._seen[cut, asked] = hold, seen

    def find(self, cut: Cut, asked: Watch, hold: float) -> DisruptionObservation | None:
        """Return what was seen of the same cut under the same watch, for ``hold`` seconds at least, if it was.

        Its evidence is another check's own from then on: it is judged anew.
        """
        with self._lock:
            lasted, seen = self._seen.get((cut, asked), (0.0, None))
        if seen is None or lasted < hold:
            return None
        done = replace(seen.cut, evidence=replace(seen.cut.evidence, side="context"))
        return replace(seen, cut=done, evidence=replace(seen.evidence, side="context"))
