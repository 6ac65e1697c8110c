"""Where things are: what travels with the tool, and what it keeps for the user."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_state_path

_PACKAGE = Path(__file__).parent


def data(*parts: str) -> Path:
    """Return the path of something that travels with the tool.

    In an installed package it lies below ``sio_lab/_data``, in a checkout at its top level.

    Args:
        parts: path below the root, such as ``"playbooks", "site.yml"``.
    """
    installed = _PACKAGE / "_data"
    return (installed if installed.is_dir() else _PACKAGE.parent).joinpath(*parts)


def state_path(lab_name: str) -> Path:
    """Return where a lab's keys, secrets, journal and logs are kept, whether it exists or not."""
    return user_state_path("sio-lab") / "labs" / lab_name


def state(lab_name: str) -> Path:
    """Return the folder (mode 0700) that keeps a lab's keys, secrets, journal and logs; made if need be."""
    folder = state_path(lab_name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def certificates(lab_name: str) -> Path:
    """Return where a lab's certificates are kept: ``ca.crt``, ``<machine>.crt``, ``<machine>.key``."""
    return state(lab_name) / "pki"


def authority(lab_name: str) -> Path:
    """Return the certificate (PEM) of a lab's authority; it exists once the lab is provisioned."""
    return certificates(lab_name) / "ca.crt"


def cache() -> Path:
    """Return the folder that keeps built images; all of it can be rebuilt."""
    folder = user_cache_path("sio-lab")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
