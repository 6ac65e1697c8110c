"""Lists that outlive the process that writes them: what was broken or cut in a lab, and is to be given back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sio_lab import files
from sio_lab.errors import ProvisionError
from sio_lab.text import Text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Entry = TypeVar("Entry")


def read(file: Path, entry: Callable[..., Entry], of: Text) -> list[Entry]:
    """Return the entries of ``file``, the oldest first; none where it does not exist.

    Args:
        file: the journal.
        entry: makes an entry of its fields.
        of: what the journal is about, for the error.

    Raises:
        ProvisionError: the journal was damaged.
    """
    try:
        return [entry(**fields) for fields in json.loads(file.read_bytes())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise ProvisionError(
            Text(f"journal des {of.fr} abîmé", f"damaged journal of {of.en}"),
            where=str(file),
            todo=Text(
                "sio-lab reset ramène le labo à son état de référence et l'efface",
                "sio-lab reset brings the lab back to its reference state and forgets it",
            ),
        ) from error


def keep(file: Path, entries: Iterable[DataclassInstance]) -> None:
    """Replace the entries of ``file``, on the disk when this returns.

    Raises:
        OSError: the state folder cannot be written.
    """
    files.write(file, json.dumps([asdict(entry) for entry in entries]).encode())
