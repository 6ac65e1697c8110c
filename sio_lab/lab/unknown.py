"""What to say of a name that a lab does not have."""

from __future__ import annotations

from sio_lab.errors import UsageError
from sio_lab.lab.model import Lab
from sio_lab.lab.tree import closest
from sio_lab.text import Text


def unknown_machine(name: str, lab: Lab) -> UsageError:
    """Return the error of who names a machine that ``lab`` does not have."""
    known = ", ".join(lab.machines)
    return UsageError(
        Text(f"machine inconnue de ce labo : {name}", f"this lab has no machine '{name}'"),
        todo=closest(name, lab.machines) or Text(f"machines : {known}", f"machines: {known}"),
    )
