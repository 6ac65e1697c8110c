"""Work on several machines at once: begun as items come, stopped at the first error."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sio_lab.parallel import each


def test_results_keep_their_order() -> None:
    assert each(lambda n: n * n, range(20), workers=4) == [n * n for n in range(20)]


def test_work_begins_before_the_last_item_is_there() -> None:
    begun = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert begun.wait(5)
        yield 2

    def work(item: int) -> int:
        begun.set()
        return item

    assert each(work, items(), workers=2) == [1, 2]


def test_error_of_an_item_stops_the_rest() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item == 0:
            raise ValueError(item)
        done.append(item)

    with pytest.raises(ValueError, match="0"):
        each(work, range(1000), workers=1)
    assert len(done) < 999


def test_error_of_the_items_themselves() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    done: list[int] = []
    with pytest.raises(ValueError, match="no more"):
        each(done.append, items(), workers=1)
    assert done in ([], [1])


def test_error_is_seen_while_items_are_waited_for() -> None:
    failed = threading.Event()

    def work(item: int) -> None:
        failed.set()
        raise ValueError(item)

    def items() -> Iterator[int]:
        yield 1
        assert failed.wait(5)
        for _ in range(100):
            threading.Event().wait(0.05)
            yield 2
        raise AssertionError("asked for what nobody will do")

    with pytest.raises(ValueError, match="1"):
        each(work, items(), workers=1)
