"""What an audit stands on: the lab, the connections into it, its secrets and its authority."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sio_lab import paths
from sio_lab.audit import equipment
from sio_lab.audit.machines import Sessions
from sio_lab.disruption.cuts import Ways
from sio_lab.disruption.history import History
from sio_lab.errors import UsageError
from sio_lab.lab import LoadedLab
from sio_lab.lab.model import Lab
from sio_lab.probes.machine import Machine
from sio_lab.providers.base import Progress, Provider, Reporter, SshAccess
from sio_lab.provision.secrets import Secrets
from sio_lab.text import Text

if TYPE_CHECKING:
    from sio_lab.probes.netdevice import Device


@dataclass(frozen=True, slots=True)
class Ground:
    """The lab and the ways into it.

    Attributes:
        lab: the lab.
        sessions: connections to its machines.
        secrets: the lab's secrets.
        ca: PEM bundle of the authorities that its certificates must descend from.
        provider: what its machines come from; none where nothing may be cut.
        access: how its machines are reached.
        history: what was cut so far.
    """

    lab: Lab
    sessions: Sessions
    secrets: Secrets
    ca: Path
    provider: Provider | None = None
    access: Mapping[str, SshAccess] = field(default_factory=dict)
    history: History = field(default_factory=History)

    def ways(self) -> Ways | None:
        """Return what it takes to cut parts of the lab, where that may be."""
        return Ways(self.lab, self.provider, self.sessions, self.history) if self.provider else None

    def device(self, name: str, start: Machine) -> AbstractContextManager[Device]:
        """Log in on the network equipment ``name`` from ``start`` (see ``equipment.connected``)."""
        return equipment.connected(self.lab, self.access, name, start)

    def named_secrets(self) -> dict[str, str]:
        """Return the secrets that are nobody's password, by the names that checks use: ``services.dbms``."""
        return {f"services.{name}": secret for name, secret in self.secrets.services.items()}


@contextmanager
def of_lab(loaded: LoadedLab, report: Reporter | None = None) -> Iterator[Ground]:
    """Hold the lab, and give the ground of an audit of it, once what an interrupted one had cut is back.

    Raises:
        UsageError: the lab is not up.
        SioLabError: it is held by another command, or its provider fails.
    """
    from sio_lab.disruption import journal
    from sio_lab.lock import lab_lock
    from sio_lab.probes import ssh
    from sio_lab.providers import provider_for
    from sio_lab.provision import secrets

    lab = loaded.lab
    with lab_lock(lab.lab, "check"):
        provider = provider_for(lab)
        if "running" not in provider.status(lab).values():
            raise not_up(loaded)
        ca = paths.authority(lab.lab)
        if lab.provider != "existing" and not ca.exists():
            raise not_provisioned(loaded)
        journal.wake(lab, provider, report or _silent)
        access = provider.access(lab)
        sessions = ssh.Sessions(access)
        try:
            journal.restore(Ways(lab, provider, sessions), report or _silent)
            authorities = ca if ca.exists() else _system_authorities()
            yield Ground(lab, sessions, secrets.load(lab), authorities, provider, access)
        finally:
            sessions.close()


def _silent(_: Progress) -> None:
    """Nobody shows it."""


def _system_authorities() -> Path:
    """Return the authorities that this host trusts: those of a lab that we did not provision."""
    paths = ssl.get_default_verify_paths()
    return Path(paths.cafile or paths.openssl_cafile)


def not_up(loaded: LoadedLab) -> UsageError:
    """Return the error of who asks something of a lab that does not run."""
    return UsageError(
        Text(
            f"le labo « {loaded.lab.lab} » n'est pas monté : aucune de ses machines ne tourne",
            f"the lab '{loaded.lab.lab}' is not up: none of its machines runs",
        ),
        where=str(loaded.path),
        todo=Text(f"montez-le d'abord : sio-lab up {loaded.path}", f"bring it up first: sio-lab up {loaded.path}"),
    )


def not_provisioned(loaded: LoadedLab) -> UsageError:
    """Return the error of who wants to prove a lab whose services are not in place yet."""
    return UsageError(
        Text(
            f"les services du labo « {loaded.lab.lab} » ne sont pas encore en place",
            f"the services of lab '{loaded.lab.lab}' are not in place yet",
        ),
        where=str(loaded.path),
        todo=Text(f"allez au bout : sio-lab up {loaded.path}", f"bring it to its end: sio-lab up {loaded.path}"),
    )
