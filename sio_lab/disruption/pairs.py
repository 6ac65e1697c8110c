"""Pairs that share addresses, on their way to the nominal state that each takes up by itself after a start."""

from __future__ import annotations

from functools import partial
from time import monotonic, sleep

from sio_lab import parallel
from sio_lab.disruption.cuts import Sessions
from sio_lab.errors import ProbeError
from sio_lab.lab.model import Lab
from sio_lab.probes import system
from sio_lab.providers.base import Progress, Reporter
from sio_lab.text import Text

_ASKING = 0.5  # seconds between two questions
_ANSWER = 5.0  # seconds for an answer


def await_nominal(lab: Lab, sessions: Sessions, report: Reporter, *, within: float = 90.0) -> bool:
    """Wait for the nominal state of each pair of ``lab``, for ``within`` seconds; return whether all are."""
    end, waiting = monotonic() + within, list(lab.shared_addresses)
    said = Text("état nominal de la paire", "nominal state of the pair")
    for name in waiting:
        report(Progress(name, said, "running"))
    while waiting:
        found = parallel.each(partial(is_nominal, lab, sessions), waiting, workers=len(waiting))
        for name in [name for name, nominal in zip(waiting, found, strict=True) if nominal]:
            waiting.remove(name)
            report(Progress(name, said, "unchanged"))
        if monotonic() > end:
            break
        sleep(_ASKING if waiting else 0)
    for name in waiting:
        report(Progress(name, said, "failed"))
    return not waiting


def is_nominal(lab: Lab, sessions: Sessions, name: str) -> bool:
    """Return whether the first machine of the pair holds its addresses, and the data to lead with."""
    shared, data = lab.shared_addresses[name], lab.services.continuity
    wanted = {str(address) for address in shared.addresses.values()}
    try:
        session = sessions.session(shared.machines[0])
        _, listed, _ = session.run("ip -o -4 address show", stdin="", deadline=_ANSWER)
        if not wanted <= system.addresses_of(listed):
            return False
        if data is None or data.machines != shared.machines:
            return True
        _, role, _ = session.run(data.role, stdin="", deadline=_ANSWER)
    except ProbeError:
        return False  # it is still starting
    return role.strip() == data.nominal
