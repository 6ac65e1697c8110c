"""Threads that a test starts, and their end."""

from __future__ import annotations

import threading
import time


def end_of_all_but(before: set[threading.Thread]) -> None:
    """Wait for the end of threads that were not there ``before``: one that was told to end takes a moment to."""
    end = time.monotonic() + 5
    while left := set(threading.enumerate()) - before:
        assert time.monotonic() < end, left
        time.sleep(0.05)
