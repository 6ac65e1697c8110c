"""As many tests that ask nothing: what Python and pytest cost by themselves."""

from __future__ import annotations

import os

import pytest

CHECKS = int(os.environ["BENCH_CHECKS"]) * len(os.environ["BENCH_MACHINES"].split())


@pytest.mark.parametrize("number", range(CHECKS))
def test_nothing(number: int) -> None:
    assert number >= 0
