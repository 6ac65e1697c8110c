from __future__ import annotations

import time
from threading import Lock, Thread, current_thread

import pytest

from sio_lab.audit.scheduler import Scheduler, Task


class Log:
    """Tasks that note when they run."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.running: set[str] = set()
        self.together: set[frozenset[str]] = set()
        self.said: list[str] = []

    def task(
        self, name: str, *, shared: str = "", exclusive: str = "", lasts: float = 0.05, deadline: float = 5
    ) -> Task:
        def work() -> None:
            with self.lock:
                self.together |= {frozenset((name, other)) for other in self.running}
                self.running.add(name)
            time.sleep(lasts)
            with self.lock:
                self.running.discard(name)
                self.said.append(f"{name} ended")

        return Task(
            name,
            work,
            expired=lambda: self.said.append(f"{name} expired"),
            blocked=lambda: self.said.append(f"{name} blocked"),
            shared=frozenset(shared.split()),
            exclusive=frozenset(exclusive.split()),
            deadline=deadline,
        )


@pytest.fixture
def log() -> Log:
    return Log()


def wait(*tasks: Task) -> None:
    for task in tasks:
        assert task.done.wait(5)


def test_together_unless_one_disturbs_the_other(log: Log) -> None:
    tasks = [
        log.task("a", shared="dbms portal"),
        log.task("b", shared="dbms"),
        log.task("cut", shared="dbms", exclusive="dbms"),
        log.task("cut too", shared="dbms", exclusive="dbms"),
        log.task("elsewhere", shared="backup", lasts=0.3),
    ]
    Scheduler().submit(*tasks)
    wait(*tasks)
    assert frozenset("ab") in log.together
    assert frozenset(("cut", "elsewhere")) in log.together
    assert {"a", "b", "cut", "elsewhere"}.isdisjoint(
        {name for pair in log.together if "cut too" in pair for name in pair if name in {"a", "b", "cut"}}
    )
    assert not any("cut" in pair and pair & {"a", "b"} for pair in log.together)


def test_two_that_disturb_the_same_for_a_third(log: Log) -> None:
    tasks = [
        log.task("tunnel", shared="site_link", exclusive="site_link supervision", lasts=0.3),
        log.task("database", shared="dbms", exclusive="dbms supervision", lasts=0.3),
        log.task("watcher", shared="supervision"),
    ]
    Scheduler().submit(*tasks)
    wait(*tasks)
    assert log.together == {frozenset(("tunnel", "database"))}


def test_no_more_than_its_workers(log: Log) -> None:
    tasks = [log.task(str(n)) for n in range(6)]
    scheduler = Scheduler(workers=1)
    scheduler.submit(*tasks)
    wait(*tasks)
    assert not log.together
    assert log.said == [f"{n} ended" for n in range(6)]


def test_threads_go_on_to_the_next() -> None:
    threads: list[Thread] = []
    tasks = [Task(str(n), lambda: threads.append(current_thread()), lambda: None, lambda: None) for n in range(20)]
    Scheduler(workers=1).submit(*tasks)
    wait(*tasks)
    assert len(threads) == 20
    assert len(set(threads)) == 1


def test_deadline_of_what_begins_later(log: Log) -> None:
    tasks = [log.task("first", deadline=60), log.task("stuck", lasts=1, deadline=0.1)]
    Scheduler(workers=1).submit(*tasks)
    wait(*tasks)
    assert log.said == ["first ended", "stuck expired"]


def test_deadline_frees_who_waits_and_what_was_shared(log: Log) -> None:
    stuck = log.task("stuck", shared="dbms", lasts=1, deadline=0.1)
    cut = log.task("cut", exclusive="dbms")
    scheduler = Scheduler(workers=1)
    scheduler.submit(stuck, cut)
    wait(stuck, cut)
    assert log.said == ["stuck expired", "cut ended"]
    assert not scheduler.join(0)
    assert scheduler.join(2)


def test_what_is_disturbed_stays_so_until_the_thread_ends(log: Log) -> None:
    cut = log.task("cut", exclusive="dbms", lasts=0.4, deadline=0.1)
    user = log.task("user", shared="dbms")
    other = log.task("other", shared="backup")
    Scheduler().submit(cut, user, other)
    wait(cut, user, other)
    assert log.said == ["other ended", "cut expired", "cut ended", "user ended"]


def test_nobody_waits_for_ever_for_what_stays_disturbed(log: Log) -> None:
    cut = log.task("cut", exclusive="dbms", lasts=2, deadline=0.1)
    user = log.task("user", shared="dbms")
    Scheduler(grace=0.2).submit(cut, user)
    wait(cut, user)
    assert log.said == ["cut expired", "user blocked"]


def test_stop_lets_everybody_go(log: Log) -> None:
    long, queued, late = (log.task(name, lasts=0.5) for name in ("long", "queued", "late"))
    scheduler = Scheduler(workers=1)
    scheduler.submit(long, queued)
    time.sleep(0.05)
    scheduler.stop()
    scheduler.submit(late)
    for task in (long, queued, late):
        assert task.done.is_set()
    assert scheduler.join(2)
    assert log.said == ["long ended"]
