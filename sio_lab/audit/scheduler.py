"""Who runs when: tasks in threads, locks by what they use and disturb, a deadline for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from threading import Condition, Event, Thread, current_thread
from time import monotonic

# Checks wait for networks more than they compute, but deadlines must not be spent on queueing for a processor.
_WORKERS = min(16, 4 * (os.cpu_count() or 1))


@dataclass(eq=False, slots=True)
class Task:
    """Something to run once.

    Attributes:
        name: for threads' names.
        work: what to do; raises nothing.
        expired: called when ``work`` lasts longer than ``deadline``; its thread is abandoned.
        blocked: called instead of ``work`` where it could not start: what it uses stayed disturbed.
        shared: what it relies on.
        exclusive: what nobody else may rely on while it runs.
        deadline: seconds.
        done: set once one of the three has been called to its end, or the scheduler stopped.
    """

    name: str
    work: Callable[[], None]
    expired: Callable[[], None]
    blocked: Callable[[], None]
    shared: frozenset[str] = frozenset()
    exclusive: frozenset[str] = frozenset()
    deadline: float = 30.0
    done: Event = field(default_factory=Event)

    def excludes(self, other: Task) -> bool:
        """Whether both cannot run at once: what one relies on, the other disturbs.

        Two that disturb the same, and rely on other things, do each other no harm.
        """
        return not (self.exclusive.isdisjoint(other.shared) and other.exclusive.isdisjoint(self.shared))


class Scheduler:
    """Runs tasks as soon as none that excludes them runs, in the order in which they were submitted.

    Threads are daemons: one that is stuck holds up neither the others nor the end of the process. A task that
    disturbs keeps its locks after its deadline, until its thread ends: what it broke may not be restored yet.

    Args:
        workers: tasks that run at once.
        grace: seconds that others wait for the end of such a task before they are ``blocked``.
    """

    def __init__(self, *, workers: int = _WORKERS, grace: float = 30.0) -> None:
        self._workers, self._grace = workers, grace
        self._changed = Condition()
        self._waiting: list[Task] = []
        self._ends: dict[Task, float] = {}  # running tasks, and when their time is over
        self._overdue: dict[Task, float] = {}  # abandoned tasks that still disturb, and since when
        self._threads: dict[Task, Thread] = {}
        self._wakes = inf  # when the dispatcher looks again by itself
        self._stopped = False
        Thread(target=self._dispatch, name="sio-lab scheduler", daemon=True).start()

    def submit(self, *tasks: Task) -> None:
        """Queue ``tasks``."""
        with self._changed:
            if self._stopped:
                for task in tasks:
                    task.done.set()
            else:
                self._waiting += tasks
                self._changed.notify_all()

    def stop(self) -> None:
        """Start nothing more, and let every waiter go."""
        with self._changed:
            self._stopped = True
            for task in (*self._waiting, *self._ends):
                task.done.set()
            self._waiting.clear()
            self._changed.notify_all()

    def join(self, timeout: float, tasks: Iterable[Task] | None = None) -> bool:
        """Wait ``timeout`` seconds for the threads of ``tasks`` (default: all); return whether they ended."""
        end = monotonic() + timeout
        with self._changed:
            chosen = list(self._threads) if tasks is None else tasks
            threads = [self._threads[task] for task in chosen if task in self._threads]
        for thread in threads:
            thread.join(max(0.0, end - monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                now = monotonic()
                expired = [task for task, end in self._ends.items() if end <= now]
                for task in expired:
                    self._abandon(task, now)
                # With thousands of tasks, asking each of them at each turn would cost more than all the rest.
                blocked = [task for task in self._waiting if self._hopeless(task, now)] if self._overdue else []
                for task in blocked:
                    self._waiting.remove(task)
                self._start_what_can()
                if not expired and not blocked:
                    self._wakes = self._next_end(now)
                    self._changed.wait(None if self._wakes == inf else self._wakes - now)
            # Out of the lock: they tell the user, which may take its time.
            for task in expired:
                task.expired()
                task.done.set()
            for task in blocked:
                task.blocked()
                task.done.set()

    def _start_what_can(self, mine: Thread | None = None) -> Task | None:
        """Start tasks in threads of their own, but the first in ``mine``, which is to run what this returns."""
        first = None
        for task in list(self._waiting):
            if len(self._ends) >= self._workers:
                break
            if any(task.excludes(other) for other in (*self._ends, *self._overdue)):
                continue
            self._waiting.remove(task)
            self._ends[task] = end = monotonic() + task.deadline
            if mine and not first:
                first, thread = task, mine
                mine.name = task.name
            else:
                thread = Thread(target=self._run, args=(task,), name=task.name, daemon=True)
                thread.start()
            self._threads[task] = thread
            if end < self._wakes:
                self._changed.notify_all()
        return first

    def _run(self, task: Task | None) -> None:
        while task:
            following = None
            try:
                task.work()
            finally:
                with self._changed:
                    self._ends.pop(task, None)
                    self._overdue.pop(task, None)
                    self._threads.pop(task, None)
                    if not self._stopped:
                        following = self._start_what_can(current_thread())
                task.done.set()
            task = following

    def _abandon(self, task: Task, now: float) -> None:
        del self._ends[task]
        if task.exclusive:
            self._overdue[task] = now

    def _hopeless(self, task: Task, now: float) -> bool:
        return any(now - since >= self._grace and task.excludes(other) for other, since in self._overdue.items())

    def _next_end(self, now: float) -> float:
        times = [*self._ends.values(), *(since + self._grace for since in self._overdue.values() if self._waiting)]
        return min((time for time in times if time > now), default=inf) + 0.001
