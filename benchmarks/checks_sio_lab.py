"""File checks, as checks of sio-lab: `pytest checks_sio_lab.py --lab FOLDER` (see file_checks.py)."""

from __future__ import annotations

import os

import pytest

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.text import Text

MACHINES = os.environ["BENCH_MACHINES"].split()
CHECKS = int(os.environ["BENCH_CHECKS"])


@requirement("0.a", title=Text.same("test -e"), one_sided="a measure of speed", informational=True)
@pytest.mark.parametrize("number", range(CHECKS))
@pytest.mark.parametrize("name", MACHINES)
def test_file(proof: Proof, name: str, number: int) -> None:  # noqa: ARG001
    proof.works(proof.machine(name).run("test -e /etc/passwd"), fr="absent", en="missing")
