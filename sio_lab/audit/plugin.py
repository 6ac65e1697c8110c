"""pytest plugin, loaded wherever sio-lab is installed: inert, and light, until ``--lab`` is given.

``pytest checks/ --lab inventories/sisr`` proves what ``sio-lab check`` does; ``lab_plugin.py`` does the work.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ACTIVE = pytest.StashKey[bool]()
"""Key of ``config.stash``: whether checks run on a lab."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("sio-lab", "sio-lab: proofs on a lab")
    group.addoption("--lab", metavar="PATH", type=Path, help="lab to prove: its file, or its folder")
    group.addoption(
        "--only",
        metavar="ID",
        action="append",
        default=[],
        help="only this requirement (1.1 for its whole section)",
    )
    group.addoption("--disrupt", action="store_true", help="allow proofs that cut services")
    group.addoption("--audit-json", metavar="FILE", type=Path, help="write the audit document there")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; with ``--lab``, start to work."""
    config.addinivalue_line(
        "markers", "requirement(binding): requirement that a check proves (sio_lab.audit.requirement)"
    )
    if config.option.lab is not None:
        from sio_lab import startup

        startup.hurry()
        from sio_lab.audit.lab_plugin import LabPlugin

        config.pluginmanager.register(LabPlugin.of(config), LabPlugin.NAME)
