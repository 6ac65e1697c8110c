"""The same file checks for stock pytest-testinfra: `pytest checks_testinfra.py --hosts=…` (see file_checks.py)."""

from __future__ import annotations

import os
from typing import Any

import pytest

CHECKS = int(os.environ["BENCH_CHECKS"])


@pytest.mark.parametrize("number", range(CHECKS))
def test_file(host: Any, number: int) -> None:  # noqa: ARG001
    assert host.file("/etc/passwd").exists
