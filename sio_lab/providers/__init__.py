"""How machines and networks come to exist: one module a provider, behind one interface."""

from __future__ import annotations

from sio_lab.lab.model import Lab
from sio_lab.providers.base import Provider


def provider_for(lab: Lab) -> Provider:
    """Return the provider that ``lab`` asks for."""
    if lab.provider == "incus":
        from sio_lab.providers.incus import IncusProvider

        return IncusProvider()
    if lab.provider == "vagrant":
        from sio_lab.providers.vagrant import VagrantProvider

        return VagrantProvider()
    from sio_lab.providers.existing import ExistingProvider

    return ExistingProvider()
