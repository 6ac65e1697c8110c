"""From a lab file to a lab: every error at once, each with its line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from sio_lab.errors import LabFileError, Problem
from sio_lab.lab import consistency, tree
from sio_lab.lab.messages import explain
from sio_lab.lab.model import Lab
from sio_lab.lab.structure import keys_of
from sio_lab.text import Text

FILE_NAME = "lab.yml"
_MOST_BYTES = 1_000_000  # the largest lab imaginable stays under 100 kB


@dataclass(frozen=True, slots=True)
class LoadedLab:
    """A lab and where it was read.

    Attributes:
        lab: the lab, valid and consistent.
        path: absolute path of its file.
        sha256: hash of the file, in hexadecimal.
    """

    lab: Lab
    path: Path
    sha256: str


def load(path: Path) -> LoadedLab:
    """Read the lab declared by ``path``: a lab file, or the folder of a ``lab.yml``.

    Raises:
        LabFileError: it cannot be read, is invalid, or declares an impossible lab.
    """
    file = _file(path)
    content = _content(file)
    lab = _lab(_text(content, file), str(file))
    return LoadedLab(lab, file.resolve(), hashlib.sha256(content).hexdigest())


def _lab(text: str, file: str) -> Lab:
    read = tree.parse(text, file)
    if read.value is None:
        raise LabFileError(Text("fichier de labo vide", "empty lab file"), where=file, todo=_START)
    if not isinstance(read.value, dict):
        raise LabFileError(
            Text(
                "un fichier de labo est fait de sections (clé: valeur)",
                "a lab file is made of sections (key: value)",
            ),
            where=f"{file}:1",
            todo=_START,
        )
    problems = list(read.problems)
    try:
        lab = Lab.model_validate(read.value)
    except ValidationError as error:
        problems += explain(read, error.errors(include_url=False), keys_of)
        raise LabFileError.of(file, problems) from error
    problems += [
        read.problem(found.path, found.what, found.todo, at_key=found.at_key) for found in consistency.check(lab)
    ]
    if problems:
        raise LabFileError.of(file, problems)
    return lab


_START = Text("sio-lab init en écrit un pour commencer", "sio-lab init writes one to start from")


def _file(path: Path) -> Path:
    try:
        if path.is_dir():
            return _in_folder(path)
        if path.is_file():
            return path
        exists = path.exists()
    except OSError as error:  # a folder on the way that may not be entered, a name too long
        raise _unreadable(path, error) from error
    if exists:
        raise LabFileError(Text("ce n'est pas un fichier ordinaire", "not an ordinary file"), where=str(path))
    raise LabFileError(Text("fichier de labo introuvable", "lab file not found"), where=str(path), todo=_START)


def _in_folder(folder: Path) -> Path:
    file = folder / FILE_NAME
    if file.is_file():
        return file
    others = sorted(
        entry.name for entry in folder.iterdir() if entry.suffix in {".yml", ".yaml"} and entry.is_file()
    )
    todo = (
        Text(
            f"il s'y trouve {', '.join(others)} : donnez son chemin entier",
            f"it holds {', '.join(others)}: give its whole path",
        )
        if others
        else _START
    )
    raise LabFileError(
        Text(f"pas de {FILE_NAME} dans ce dossier", f"no {FILE_NAME} in this folder"), where=str(folder), todo=todo
    )


def _content(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise LabFileError(
                Text(
                    f"fichier trop gros pour un labo : {size // 1000} ko, {_MOST_BYTES // 1000} ko au plus",
                    f"file too large for a lab: {size // 1000} kB, {_MOST_BYTES // 1000} kB at most",
                ),
                where=str(file),
            )
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(path: Path, error: OSError) -> LabFileError:
    return LabFileError(
        Text(f"illisible : {error.strerror}", f"cannot be read: {error.strerror}"),
        where=str(path),
        todo=Text("vérifiez le chemin et les droits", "check the path and the permissions"),
    )


def _text(content: bytes, file: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        what = Text("le fichier n'est pas en UTF-8", "the file is not UTF-8")
        todo = Text("enregistrez-le en UTF-8", "save it as UTF-8")
        raise LabFileError.of(str(file), [Problem(what, line=line, column=column, todo=todo)]) from error
