"""What checks of redundancy wait for alike: a pair whose replica could take over without any loss."""

from __future__ import annotations

from time import monotonic, sleep

from sio_lab.audit.proof import Proof
from sio_lab.lab.infrastructure import Continuity
from sio_lab.probes.observation import Ran

_ASKING = 1.0  # seconds between two questions: each is kept as evidence


def role(proof: Proof, service: Continuity, machine: str) -> Ran:
    """Return what ``machine`` says that it is.

    Raises:
        ProbeError: it does not answer.
    """
    return proof.machine(machine).run(service.role)


def is_nominal(proof: Proof, service: Continuity) -> bool:
    """Return whether the nominal machine says that it leads, and that it could be replaced without loss.

    Raises:
        ProbeError: it does not answer.
    """
    return role(proof, service, service.machines[0]).stdout.strip() == service.nominal


def await_nominal(proof: Proof, service: Continuity, within: float) -> Ran:
    """Ask the nominal machine what it is until it is in its nominal state, for ``within`` seconds at most.

    Raises:
        ProbeError: it does not answer.
    """
    end = monotonic() + within
    while (seen := role(proof, service, service.machines[0])).stdout.strip() != service.nominal:
        if monotonic() > end:
            break
        sleep(_ASKING)
    return seen
