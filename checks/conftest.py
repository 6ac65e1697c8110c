"""Checks need a lab: without one, pytest says so instead of stumbling over fixtures that do not exist."""

from __future__ import annotations

import pytest

from sio_lab.audit.plugin import ACTIVE


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip every check where no lab was given."""
    if config.stash.get(ACTIVE, False):
        return
    for item in items:
        if item.get_closest_marker("requirement"):
            item.add_marker(pytest.mark.skip("which lab? pytest checks/ --lab PATH"))
