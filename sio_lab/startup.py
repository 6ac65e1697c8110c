"""What makes commands start sooner."""

from __future__ import annotations

import atexit
import gc
import os
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


def hurry() -> None:
    """Do without what takes its time in each process of ours. To be called before models of pydantic are made.

    Garbage is searched less often, and not at all at the end: a command makes much that stays, and ends soon.
    Plugins of pydantic are not looked for: it goes through all that is installed to find none.
    """
    gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
