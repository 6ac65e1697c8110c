"""One command at a time on a lab."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sio_lab import paths
from sio_lab.errors import LockedError
from sio_lab.text import Text

_NAME = "lock"


@contextmanager
def lab_lock(lab_name: str, command: str) -> Iterator[None]:
    """Hold the lab ``lab_name`` for ``command`` while the block lasts; the system frees it if the process dies.

    A lab that has nothing else in its state folder leaves no folder behind.

    Raises:
        LockedError: another process holds it.
        OSError: the state folder cannot be written.
    """
    folder = paths.state(lab_name)
    file = folder / _NAME
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(lab_name, file) from None
        os.ftruncate(descriptor, 0)
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        os.write(descriptor, json.dumps({"pid": os.getpid(), "command": command, "since": started}).encode())
        try:
            yield
        finally:
            _tidy(folder)
    finally:
        os.close(descriptor)


def _tidy(folder: Path) -> None:
    with suppress(OSError):
        if [entry.name for entry in folder.iterdir()] == [_NAME]:
            (folder / _NAME).unlink()
            folder.rmdir()


def _held(lab_name: str, file: Path) -> LockedError:
    try:
        holder = json.loads(file.read_text(encoding="utf-8"))
        who = f"sio-lab {holder['command']} (pid {holder['pid']}, {holder['since'][11:16]})"
    except (OSError, ValueError, LookupError):
        who = "sio-lab"
    return LockedError(
        Text(f"ce labo est occupé par {who}", f"this lab is busy with {who}"),
        where=lab_name,
        todo=Text("attendez sa fin, puis relancez", "wait until it ends, then run again"),
    )
