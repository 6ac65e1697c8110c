"""Writing a report: whole or not at all, and for its owner only."""

from __future__ import annotations

import errno
from pathlib import Path

from sio_lab import files
from sio_lab.errors import SetupError, SioLabError, UsageError
from sio_lab.text import Text

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write(path: Path, content: str) -> None:
    """Write ``content`` to ``path`` (mode 0600), replacing it at once.

    Raises:
        SetupError: the disk is full.
        UsageError: the place cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, content.encode(errors="replace"))
    except OSError as error:
        raise _told(error, path) from error


def _told(error: OSError, path: Path) -> SioLabError:
    if error.errno in _NO_ROOM:
        return SetupError(
            Text("plus de place pour écrire le rapport", "no room left to write the report"),
            where=str(path),
            todo=Text(
                "libérez de la place, puis : sio-lab report ; ou choisissez un autre dossier avec --output",
                "free some room, then: sio-lab report; or choose another folder with --output",
            ),
        )
    return UsageError(
        Text(
            f"le rapport ne peut pas être écrit : {error.strerror}", f"cannot write the report: {error.strerror}"
        ),
        where=str(path),
        todo=Text("choisissez un autre dossier avec --output", "choose another folder with --output"),
    )
