"""What is going on, as it goes: a live table on a terminal, plain lines in a pipe."""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text as Styled

from sio_lab.providers.base import Progress
from sio_lab.text import Lang, Text

CHANGES = Text(
    "{changed} changement(s), {same} étape(s) déjà en place", "{changed} change(s), {same} already in place"
)
PROOFS = Text(
    "{changed} preuve(s) faite(s), {failed} échec(s), {same} sans conclusion",
    "{changed} proven, {failed} failed, {same} inconclusive",
)

_MARK = {"running": "…", "changed": "✔", "unchanged": "=", "failed": "✘"}
_STYLE = {"running": "cyan", "changed": "green", "unchanged": "dim", "failed": "bold red"}


class View(AbstractContextManager["View"], Protocol):
    """Something that shows progress while it is open; callable from any thread."""

    def __call__(self, event: Progress) -> None:
        """Show ``event``."""


class PlainView(AbstractContextManager["PlainView"]):
    """One line an event that ended; for pipes, logs and screen readers."""

    def __init__(self, console: Console, lang: Lang) -> None:
        self._console, self._lang, self._start, self._lock = console, lang, monotonic(), Lock()

    def __call__(self, event: Progress) -> None:
        """Print ``event`` unless it is still running."""
        if event.state == "running":
            return
        step = event.step.get(self._lang)
        line = f"{monotonic() - self._start:6.1f} s  {_MARK[event.state]} {event.subject}: {step}"
        with self._lock:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


class LiveView(AbstractContextManager["LiveView"]):
    """A row a subject (machine, image, network, check) with what is being done to it and what was."""

    def __init__(self, console: Console, lang: Lang, title: Text, summary: Text) -> None:
        self._lang, self._title, self._summary, self._lock = lang, title, summary, Lock()
        self._rows: dict[str, tuple[Progress, int, int]] = {}
        self._failed = 0
        self._spinner = Spinner("dots", style="cyan")
        self._start = monotonic()
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8, transient=True)
        self._console = console

    def __enter__(self) -> LiveView:
        """Start drawing."""
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave one line that sums up."""
        self._live.__exit__(kind, value, trace)
        changed = sum(row[1] for row in self._rows.values())
        same = sum(row[2] for row in self._rows.values())
        summary = self._summary.get(self._lang).format(changed=changed, same=same, failed=self._failed)
        if kind is None and self._rows:
            line = f"✔ {self._title.get(self._lang)} — {summary} ({monotonic() - self._start:.0f} s)"
            self._console.print(line, markup=False, highlight=False)

    def __call__(self, event: Progress) -> None:
        """Show ``event`` in its subject's row."""
        with self._lock:
            _, changed, same = self._rows.get(event.subject, (event, 0, 0))
            changed += event.state == "changed"
            same += event.state == "unchanged"
            self._failed += event.state == "failed"
            self._rows[event.subject] = (event, changed, same)

    def _table(self) -> Table:
        table = Table(
            title=f"{self._title.get(self._lang)} — {monotonic() - self._start:.0f} s",
            title_justify="left",
            box=None,
        )
        for _ in range(4):
            table.add_column(no_wrap=True, overflow="ellipsis")
        with self._lock:
            rows = sorted(self._rows.items())
        for subject, (event, changed, same) in rows:
            mark = self._spinner if event.state == "running" else Styled(_MARK[event.state], _STYLE[event.state])
            # A check has one end: there is nothing to count.
            counts = Styled(f"{changed}✔ {same}=" if changed + same > 1 else "", "dim")
            table.add_row(mark, subject, counts, Styled(event.step.get(self._lang), _STYLE[event.state]))
        return table


def view(console: Console, lang: Lang, title: Text, summary: Text = CHANGES) -> View:
    """Return the view that suits ``console``.

    Args:
        console: where to show.
        lang: the user's language.
        title: what is going on.
        summary: the line of its end, with the numbers of events that ``changed``, the ``same`` and ``failed``.
    """
    return LiveView(console, lang, title, summary) if console.is_terminal else PlainView(console, lang)
