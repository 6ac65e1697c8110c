"""What makes commands start sooner."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS = 50_000  # objects between two searches for garbage; Python's own figure is 700


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Let a library be imported as if ``modules`` were not installed: it can use them, slowly, and we never do.

    For imports at the top of a module: no other thread imports anything meanwhile.
    """
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: it cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def collect_seldom() -> None:
    """Search for garbage less often: a command makes much that stays until its end, and ends soon."""
    gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])
