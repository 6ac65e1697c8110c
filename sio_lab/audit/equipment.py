"""Network equipment in an audit: how checks log in on its command line."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.probes.machine import Machine
from sio_lab.providers.base import SshAccess
from sio_lab.text import Text

if TYPE_CHECKING:
    from sio_lab.probes.netdevice import Device

MADE_HERE = "frr"
"""Device type of the routers that sio-lab makes (role site_link)."""
ACCOUNT = "netadmin"
"""Their account whose shell is the command line."""


def device_type(lab: Lab, name: str) -> str:
    """Return the device type of the equipment ``name``.

    Raises:
        InconclusiveError: the lab file does not say it.
    """
    section = lab.machines[name]
    if section.device_type or not section.connection:
        return section.device_type or MADE_HERE
    raise InconclusiveError(
        Text("on ne sait pas quelle ligne de commande parle cet équipement", "its command line is not known"),
        where=name,
        todo=Text(
            f"ajoutez device_type (cisco_ios…) à machines.{name}",
            f"add device_type (cisco_ios…) to machines.{name}",
        ),
    )


def account(lab: Lab, name: str) -> str:
    """Return the account that the equipment ``name`` is administered with."""
    connection = lab.machines[name].connection
    return connection.user if connection else ACCOUNT


def connected(
    lab: Lab, access: Mapping[str, SshAccess], name: str, start: Machine
) -> AbstractContextManager[Device]:
    """Log in on the equipment ``name``: from ``start`` where we made it, else as its ``connection`` says.

    Args:
        lab: the lab.
        access: how the lab's machines are reached.
        name: the equipment.
        start: machine that it is administered from.

    Raises:
        InconclusiveError: nothing says how to reach it.
        SioLabError: as ``netdevice.connected``, on entry.
    """
    from sio_lab.probes import netdevice  # netmiko is slow to import, and seldom used
    from sio_lab.providers import existing

    kind, connection = device_type(lab, name), lab.machines[name].connection
    if connection:
        return netdevice.connected(start, existing.access_of(name, connection), kind, direct=True)
    if name not in access:
        raise InconclusiveError(
            Text("cet équipement n'existe pas encore", "this equipment does not exist yet"), where=name
        )
    way = replace(access[name], user=ACCOUNT, host=lab.fqdn(name), port=22, unix_socket=None)
    return netdevice.connected(start, way, kind)
