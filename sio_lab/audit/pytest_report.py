"""What pytest shows of a check: the reason in the user's language, and the evidence as a section."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import pytest

from sio_lab.audit.case import Case
from sio_lab.errors import SioLabError
from sio_lab.probes.observation import Evidence
from sio_lab.text import Lang, Text

_OUTCOME = "sio_lab_outcome"  # name of the property that carries it, for plugins and JUnit files
_SIDES = {
    "positive": Text("doit marcher", "must work"),
    "negative": Text("doit être refusé", "must be refused"),
    "context": Text("contexte", "context"),
}
_UNVERIFIED = {"unreachable", "timeout", "error", "inconclusive"}


class _Writer(Protocol):
    def line(self, line: str, **markup: bool) -> None: ...


class _Crash(NamedTuple):
    """Where pytest looks for the one line of its summary."""

    message: str
    path: str
    lineno: int


class Reason:
    """One sentence in place of a traceback."""

    def __init__(self, sentence: str, path: str, lineno: int) -> None:
        self.sentence = sentence
        self.reprcrash = _Crash(sentence, path, lineno)

    def __str__(self) -> str:
        """Return the sentence."""
        return self.sentence

    def toterminal(self, writer: _Writer) -> None:
        """Write the sentence."""
        writer.line(self.sentence, red=True)


def line(error: SioLabError, lang: Lang) -> str:
    """Return an error as one line: where, what, and what to do."""
    place = f"{error.where}: " if error.where else ""
    return f"{place}{error.what.get(lang)}" + (f"\n→ {error.todo.get(lang)}" if error.todo else "")


def shape(report: pytest.TestReport, case: Case, lang: Lang, *, trace: bool) -> None:
    """Make ``report`` say what ``case`` came to.

    Args:
        report: pytest's own, of the phase that tells.
        case: a check that has its result.
        lang: the user's language.
        trace: whether to show the traceback of a check that is itself broken.
    """
    result = case.result
    if result is None:
        return
    report.duration = result.duration or report.duration
    report.user_properties += [("requirement", result.requirement), (_OUTCOME, result.outcome)]
    reason = result.reason.get(lang) if result.reason else result.outcome
    colon = Text(" :", ":").get(lang)
    path, number = report.location[0], (report.location[1] or 0) + 1
    if result.outcome == "passed":
        report.outcome = "passed"
    elif result.outcome == "skipped":
        report.outcome, report.longrepr = "skipped", (path, number, f"Skipped: {reason}")
    else:
        report.outcome = "failed"
        report.longrepr = Reason(f"{result.requirement} {result.title.get(lang)}{colon} {reason}", path, number)  # type: ignore[assignment]
    if result.evidence:
        report.sections.append((Text("preuves", "evidence").get(lang), written(result.evidence, lang)))
    if trace and case.error is not None:
        report.sections.append(("traceback", "".join(traceback.format_exception(case.error))))


def status(report: pytest.TestReport, lang: Lang) -> tuple[str, str, object] | None:
    """Return category, letter and word of a check that could not conclude; pytest knows the others."""
    outcome = dict(report.user_properties).get(_OUTCOME)
    if outcome not in _UNVERIFIED or report.outcome != "failed":
        return None
    return "error", "E", (Text("NON VÉRIFIÉ", "UNVERIFIED").get(lang), {"yellow": True})


def written(evidence: Iterable[Evidence], lang: Lang) -> str:
    """Return exchanges as text, one paragraph each."""
    return "\n\n".join(
        f"{each.at:%H:%M:%S} {each.probe} {each.source} → {each.target} "
        f"[{_SIDES[each.side].get(lang)}, {each.duration:.2f} s]\n"
        + _indented(">", each.sent)
        + _indented("<", each.received)
        + f"  sha256 {each.sha256}"
        for each in evidence
    )


def _indented(mark: str, text: str) -> str:
    return "".join(f"  {mark} {row}\n" for row in text.splitlines())
