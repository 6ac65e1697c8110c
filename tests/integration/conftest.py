"""A lab of the tests' own: a copy of the embedded one, brought up once, removed at the end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest
from lab_runner import Cli, copy_lab


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The embedded lab, up under a name of its own."""
    if os.geteuid() != 0:
        pytest.exit("integration tests bring up a lab: run them as root", returncode=2)
    folder = copy_lab("sisr", tmp_path_factory.mktemp("lab") / "sisr", lab=f"it-{secrets.token_hex(3)}")
    lab = Cli(folder)
    try:
        up = lab("up")
        assert up.returncode == 0, up.stdout + up.stderr
        yield lab
    finally:
        down = lab("down")
        assert down.returncode == 0, down.stdout + down.stderr
