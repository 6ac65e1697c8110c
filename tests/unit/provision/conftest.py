"""A state folder of the tests' own, and labs to provision."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_audit
import small_lab

from sio_lab.lab.model import Lab


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tests' labs keep their state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "sio-lab" / "labs"


@pytest.fixture(scope="session")
def sisr() -> Lab:
    """The embedded lab."""
    return sample_audit.lab()


@pytest.fixture
def small() -> Lab:
    """A lab with one machine of each sort."""
    return small_lab.changed()
