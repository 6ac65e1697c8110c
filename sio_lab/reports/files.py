"""Writing a report: whole or not at all, and for its owner only."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

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
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    except OSError as error:
        raise _told(error, path) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException as error:
        with suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError):
            raise _told(error, path) from error
        raise


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
