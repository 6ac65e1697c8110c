"""What commands do not wait for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sio_lab.startup import without


def test_without_hides_what_is_not_loaded_yet() -> None:
    assert "antigravity" not in sys.modules
    with without("antigravity"), pytest.raises(ImportError):
        import antigravity  # noqa: F401
    assert "antigravity" not in sys.modules


def test_without_leaves_what_is_loaded() -> None:
    before = sys.modules["json"]
    with without("json"):
        import json
    assert json is before is sys.modules["json"]


def test_probes_do_not_load_what_their_libraries_could_use() -> None:
    program = (
        "import sys, sio_lab.probes.web, sio_lab.probes.ssh\nprint({'anyio', 'invoke', 'trio'} & {*sys.modules})"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"
