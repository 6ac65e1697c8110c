"""Checks as modules, for the tests of what they judge by: pytest alone collects them otherwise."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from lab_runner import ROOT


def check_module(path: str) -> ModuleType:
    """Return the file ``path`` of ``checks/``, such as ``sisr/test_continuity.py``, read anew."""
    file = ROOT / "checks" / path
    spec = importlib.util.spec_from_file_location(f"read_from_{file.stem}", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their module there
    spec.loader.exec_module(module)
    return module
