"""The host's processes, by their command lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def running() -> Iterator[tuple[int, list[bytes]]]:
    """Yield number and arguments of each process; those that end meanwhile are left out (proc_pid_cmdline(5))."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                yield int(folder.name), (folder / "cmdline").read_bytes().split(b"\0")
