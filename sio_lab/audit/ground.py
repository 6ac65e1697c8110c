"""What an audit stands on: the lab, the connections into it, its secrets and its authority."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sio_lab.audit.machines import Sessions
from sio_lab.disruption.cuts import Ways
from sio_lab.errors import UsageError
from sio_lab.lab import LoadedLab
from sio_lab.lab.model import Lab
from sio_lab.providers.base import Progress, Provider, Reporter
from sio_lab.provision.secrets import Secrets
from sio_lab.text import Text


@dataclass(frozen=True, slots=True)
class Ground:
    """The lab and the ways into it.

    Attributes:
        lab: the lab.
        sessions: connections to its machines.
        secrets: the lab's secrets.
        ca: PEM bundle of the authorities that its certificates must descend from.
        provider: what its machines come from; none where nothing may be cut.
    """

    lab: Lab
    sessions: Sessions
    secrets: Secrets
    ca: Path
    provider: Provider | None = None

    def ways(self) -> Ways | None:
        """Return what it takes to cut parts of the lab, where that may be."""
        return Ways(self.lab, self.provider, self.sessions) if self.provider else None

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
    from sio_lab.provision import pki, secrets

    lab = loaded.lab
    with lab_lock(lab.lab, "check"):
        provider = provider_for(lab)
        if "running" not in provider.status(lab).values():
            raise not_up(loaded)
        ca = pki.ca(lab)
        if lab.provider != "existing" and not ca.exists():
            raise not_provisioned(loaded)
        journal.wake(lab, provider, report or _silent)
        sessions = ssh.Sessions(provider.access(lab))
        try:
            journal.restore(Ways(lab, provider, sessions), report or _silent)
            yield Ground(lab, sessions, secrets.load(lab), ca if ca.exists() else _system_authorities(), provider)
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
