"""The marker that binds a check to the requirement it proves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from sio_lab.audit.document import Intensity
from sio_lab.lab.model import Lab
from sio_lab.text import Text


@dataclass(frozen=True, slots=True)
class Binding:
    """What a check declares of itself.

    Attributes:
        id: requirement that it proves: ``1.1.b``.
        title: the check in a few words, for the report.
        intensity: ``observe``, ``exercise`` or ``disrupt``.
        uses: sections of ``services`` that it reads; the first is given to it as ``service``. Where the
            lab declares none of one of them, the check does not run (``unverified``: nothing declared).
        disturbs: services or machines that cannot be relied on while it runs, or what tells them of a lab: no
            check that ``uses`` one of them runs at the same time.
        deadline: seconds that the whole check may last; then it is ``unverified``.
        one_sided: why there is nothing to refuse, for the few checks that have no negative side.
        informational: shown in the report, but its failure decides nothing.
    """

    id: str
    title: Text
    intensity: Intensity = "exercise"
    uses: Sequence[str] = ()
    disturbs: Sequence[str] | Callable[[Lab], Collection[str]] = ()
    deadline: float = 30.0
    one_sided: str = ""
    informational: bool = False


def requirement(
    id: str,  # noqa: A002  # the word of the catalogue
    *,
    title: Text,
    intensity: Intensity = "exercise",
    uses: Sequence[str] = (),
    disturbs: Sequence[str] | Callable[[Lab], Collection[str]] = (),
    deadline: float = 30.0,
    one_sided: str = "",
    informational: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Bind a test function to a requirement; see ``Binding`` for the arguments."""
    binding = Binding(id, title, intensity, uses, disturbs, deadline, one_sided, informational)
    return pytest.mark.requirement(binding)
