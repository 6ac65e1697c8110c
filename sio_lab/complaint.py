"""From an error to words and an exit code: what is wrong, where, and what to do."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

import click
from rich.console import Console

from sio_lab.errors import SioLabError
from sio_lab.language import explain
from sio_lab.text import Lang, Text

USAGE, INTERNAL, INTERRUPTED = 2, 70, 130
"""Exit codes: bad command line or lab file, failure of the tool or of what it drives, stopped by the user."""


def told(error: BaseException) -> tuple[SioLabError, int]:
    """Return ``error`` in words, with its exit code."""
    match error:
        case SioLabError():
            return error, error.exit_code
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "sio-lab"
            see = Text(f"voyez : {path} --help", f"see: {path} --help")
            return SioLabError(explain(error), todo=see), USAGE
        case KeyboardInterrupt() | click.exceptions.Abort():
            again = Text("relancez la même commande : elle reprend", "run the same command again: it resumes")
            return SioLabError(Text("interrompu", "interrupted"), todo=again), INTERRUPTED
        case OSError():
            todo = Text(
                "libérez de la place ou vérifiez les droits, puis relancez",
                "free some space or check rights, then retry",
            )
            what = Text.same(error.strerror or str(error))
            return SioLabError(what, where=str(error.filename or ""), todo=todo), INTERNAL
        case _:
            what = Text(f"erreur interne : {error!r}", f"internal error: {error!r}")
            todo = Text(
                "relancez avec --debug et joignez la trace au signalement",
                "run with --debug and report the traceback",
            )
            return SioLabError(what, todo=todo), INTERNAL


def complain(error: SioLabError, console: Console, lang: Lang) -> None:
    """Print ``error`` on ``console``."""
    colon = " :" if lang == "fr" else ":"
    place = f"{error.where}{colon} " if error.where else ""
    line = f"{Text('erreur', 'error').get(lang)}{colon} {place}{error.what.get(lang)}"
    console.print(line, markup=False, highlight=False, soft_wrap=True, style="bold red")
    if error.todo:
        console.print(f"→ {error.todo.get(lang)}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def terminable() -> Iterator[None]:
    """Make SIGTERM stop what is going on as Ctrl-C does: in good order, leaving what was done."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
