"""A lab of the tests' own: a copy of an embedded one, brought up once, removed at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_runner import EMBEDDED, Cli, copy_lab

from sio_lab import paths

_PREFIX = "it-"


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The embedded lab, up under a name of its own."""
    if os.geteuid() != 0:
        pytest.exit("integration tests bring up a lab: run them as root", returncode=2)
    remove_orphans()
    folder = copy_lab(EMBEDDED, tmp_path_factory.mktemp("lab") / EMBEDDED, lab=f"{_PREFIX}{os.getpid()}")
    lab = Cli(folder)
    try:
        up = lab("up", timeout=900)
        assert up.returncode == 0, up.stdout + up.stderr
        yield lab
    finally:
        down = lab("down")
        assert down.returncode == 0, down.stdout + down.stderr


def remove_orphans() -> None:
    """Remove the labs of test runs that were killed: those whose process is gone."""
    labs = paths.state_path("any").parent
    for folder in labs.glob(f"{_PREFIX}*"):
        if not Path("/proc", folder.name.removeprefix(_PREFIX)).exists():
            copy = copy_lab("sisr", folder / "orphan", lab=folder.name)
            Cli(copy)("down")
