"""Files that must never be half written, nor read by others; the YAML files that travel with the tool."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml, ten times faster, where PyYAML was built with it."""


def own_yaml(path: Path) -> Any:
    """Return what ``path`` holds, one of our own files.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    return yaml.load(path.read_bytes(), Loader=FAST_LOADER)  # noqa: S506  # a safe loader, both of them


def write(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace ``path`` by ``content`` at once, and make it last through a power cut.

    Args:
        path: file in a folder that exists.
        content: all of it.
        mode: permissions, from the first byte on.

    Raises:
        OSError: disk full, folder not writable.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
