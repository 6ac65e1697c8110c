"""The source of the lab's applications, packed for the forge that it is pushed to when the lab comes up."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from sio_lab import files, paths
from sio_lab.errors import LabFileError
from sio_lab.lab import LoadedLab
from sio_lab.lab.model import Lab
from sio_lab.text import Text

_LEFT_OUT = {".git", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", "node_modules", "vendor"}
"""What tools leave in a folder of source."""


def folder(lab: Lab) -> Path:
    """Return the folder of the packed sources of ``lab``."""
    return paths.state(lab.lab) / "sources"


def pack(loaded: LoadedLab) -> Path:
    """Pack the source of each application as ``<application>.tar``, the same bytes for the same files.

    Returns:
        The folder of the packed sources.

    Raises:
        LabFileError: a folder of source is not there.
        OSError: the state folder cannot be written.
    """
    target = folder(loaded.lab)
    target.mkdir(mode=0o700, exist_ok=True)
    for name, application in loaded.lab.applications.items():
        if application.source:
            source = loaded.path.parent / application.source
            if not source.is_dir():
                raise LabFileError(
                    Text(f"dossier introuvable : {source}", f"no such folder: {source}"),
                    where=f"applications.{name}.source",
                    todo=Text(
                        "donnez le dossier du code source, à partir de celui du fichier de labo",
                        "give the folder of the source code, from that of the lab file",
                    ),
                )
            files.write(target / f"{name}.tar", _packed(source))
    return target


def _packed(source: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in _files(source):
            entry = tarfile.TarInfo(str(file.relative_to(source)))
            content = file.read_bytes()
            entry.size, entry.mode = len(content), 0o755 if file.stat().st_mode & 0o100 else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _files(source: Path) -> Iterator[Path]:
    for file in sorted(source.rglob("*")):
        if file.is_file() and _LEFT_OUT.isdisjoint(file.relative_to(source).parts):
            yield file
