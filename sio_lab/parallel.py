"""Doing the same thing to several machines at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(function: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> list[Result]:
    """Call ``function`` for each of ``items``, ``workers`` at a time; return the results in their order.

    Work begins as soon as there is a first item: they may come one by one. The first error, be it of ``items``,
    stops those that have not begun; those that have are waited for, then it is raised.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures: list[Future[Result]] = []
        try:
            for item in items:
                futures.append(pool.submit(function, item))
                for future in futures:
                    if future.done():
                        future.result()
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]
