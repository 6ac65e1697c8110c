"""A place where several people keep files or events, whatever protocol leads there. Never judges."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, Protocol

from sio_lab.errors import ProbeError
from sio_lab.probes.observation import Observation

PREFIX = "sio-lab-"
"""How the names of all that checks put somewhere begin: what bears it is nobody's work."""

Refusal = Literal["", "credentials", "rights", "other"]
"""Why a peer said no. ``credentials``: it does not know who asks. ``rights``: it knows, and says no, or
pretends that there is nothing. ``other``: something else, which is no access control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaObservation(Observation):
    """An exchange with the place.

    Attributes:
        refusal: why it was refused; empty where it was not.
        content: what was read.
        names: what was seen to be there.
    """

    refusal: Refusal = ""
    content: str = ""
    names: frozenset[str] = frozenset()


class Area(Protocol):
    """The place, as one person reaches it.

    Every call may raise Unreachable, ProbeTimeout or ProtocolError, as every probe.
    """

    def write(self, name: str, content: str) -> AreaObservation:
        """Put ``content`` there under ``name``, which nothing bears yet."""

    def read(self, name: str) -> AreaObservation:
        """Read what ``name`` holds."""

    def look(self, name: str = "") -> AreaObservation:
        """See what is there; a place with a search of its own may tell of ``name`` alone."""

    def remove(self, name: str) -> AreaObservation:
        """Remove ``name``."""


@contextmanager
def passage(area: Area) -> Iterator[str]:
    """Give a beginning for the names of what is put in ``area``; all that bears it is removed in the end.

    What an earlier, interrupted passage left is removed first.
    """
    start = f"{PREFIX}{secrets.token_hex(6)}"
    sweep(area, PREFIX)
    try:
        yield start
    finally:
        sweep(area, start)


def sweep(area: Area, start: str) -> None:
    """Remove all whose name begins with ``start``, as far as the place lets it be done."""
    with suppress(ProbeError):  # what matters is how the check ended; a later passage removes the rest
        for name in sorted(area.look().names):
            if name.startswith(start):
                area.remove(name)
