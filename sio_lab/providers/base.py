"""What every provider offers. A provider knows machines and networks, nothing of services."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

from sio_lab.lab.model import Lab
from sio_lab.text import Text

MachineState = Literal["absent", "stopped", "running"]


@dataclass(frozen=True, slots=True)
class ImageRecipe:
    """What a machine's image holds: the cache is keyed by its hash.

    Attributes:
        image: name of the system, such as ``debian/13``.
        packages: packages of the system, beyond those of every machine.
    """

    image: str
    packages: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Hash that changes whenever the image would."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SshAccess:
    """How the auditor and Ansible reach a machine over SSH.

    Attributes:
        machine: name in the lab file.
        user: account to log in with.
        unix_socket: socket that leads to the machine's sshd; ``host`` and ``port`` are then names only.
        host: name or address.
        port: TCP port.
        identity_file: private key.
        host_key: public key of the machine as one line (``ssh-ed25519 AAAA…``); a machine that shows
            another one is not talked to. ``None``: the user's ``known_hosts`` decides.
        become: whether commands go through sudo.
    """

    machine: str
    user: str
    host: str
    port: int = 22
    unix_socket: Path | None = None
    identity_file: Path | None = None
    host_key: str | None = None
    become: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Something that happened, for whoever shows it.

    Attributes:
        subject: machine, network or image concerned.
        step: what is being done or was done.
        state: ``running`` while it lasts, then one of the others.
    """

    subject: str
    step: Text
    state: Literal["running", "changed", "unchanged", "failed"]


Reporter = Callable[[Progress], None]


class Provider(Protocol):
    """Makes, lists, snapshots, resets and removes the machines of a lab. All may raise ProviderError."""

    def up(self, lab: Lab, recipes: Mapping[str, ImageRecipe], report: Reporter) -> bool:
        """Bring up networks and machines (recipes by machine); resume where an earlier run stopped.

        Returns:
            Whether anything changed.
        """

    def down(self, lab: Lab, report: Reporter) -> bool:
        """Remove all that ``up`` made for this lab, in any state. Returns whether there was anything."""

    def status(self, lab: Lab) -> dict[str, MachineState]:
        """Return the state of each declared machine."""

    def access(self, lab: Lab) -> dict[str, SshAccess]:
        """Return how to reach each machine that exists."""

    def snapshot(self, lab: Lab, name: str, report: Reporter) -> None:
        """Keep the present state of every machine under ``name``, replacing an older one."""

    def restore(self, lab: Lab, name: str, report: Reporter, machines: Sequence[str]) -> None:
        """Bring ``machines`` back to the snapshot ``name``, running; the first ones first."""

    def has_snapshot(self, lab: Lab, name: str) -> bool:
        """Return whether every machine has the snapshot ``name``."""

    def power_off(self, lab: Lab, machine: str) -> None:
        """Take the power from ``machine``: nothing is stopped cleanly. Nothing to do where it is off."""

    def power_on(self, lab: Lab, machine: str, report: Reporter) -> None:
        """Start ``machine`` and wait until its SSH server answers. Nothing to do where it runs."""
