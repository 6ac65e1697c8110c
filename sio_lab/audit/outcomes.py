"""From how a check ended to what that says: only what was seen to be so, or not to be so, concludes."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import pytest

from sio_lab.audit.document import Outcome
from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.audit.requirement import Binding
from sio_lab.errors import ProbeTimeout, SioLabError, Unreachable
from sio_lab.text import Text


class Ending(NamedTuple):
    """How a check ended, and why."""

    outcome: Outcome
    reason: Text | None = None


def of_return(binding: Binding, proof: Proof) -> Ending:
    """Return what a check that ran to its end says: it passed, if it looked at both sides."""
    sides = proof.sides()
    if not sides:
        return Ending("inconclusive", Text("rien n'a été observé", "nothing was observed"))
    if not binding.one_sided and "negative" not in sides:
        return Ending(
            "inconclusive",
            Text("rien de ce qui doit être refusé n'a été essayé", "nothing that must be refused was tried"),
        )
    if not binding.one_sided and "positive" not in sides:
        return Ending(
            "inconclusive", Text("rien de ce qui doit marcher n'a été vu", "nothing that must work was seen to")
        )
    if not proof.remarks:
        return Ending("passed")
    said = Text(" ; ".join(r.fr for r in proof.remarks), "; ".join(r.en for r in proof.remarks))
    return Ending("passed", said)


def of_error(error: BaseException, proof: Proof, folders: Sequence[Path]) -> Ending:
    """Return what the end of a check by ``error`` says.

    Args:
        error: what the check raised.
        proof: what it had seen.
        folders: where checks lie; an assertion that fails elsewhere is a defect, no judgement.
    """
    match error:
        case NotSatisfiedError():
            ending = _failed(error.reason, proof)
        case pytest.fail.Exception():
            ending = _failed(Text.same(_first_line(error.msg) or "pytest.fail"), proof)
        case AssertionError() if _raised_in(error.__traceback__, folders):
            ending = _failed(Text.same(_first_line(str(error)) or _place(error, folders)), proof)
        case Unreachable():
            ending = Ending("unreachable", told(error))
        case ProbeTimeout():
            ending = Ending("timeout", told(error))
        case SioLabError():
            ending = Ending("inconclusive", told(error))
        case pytest.skip.Exception():
            ending = Ending("skipped", Text.same(_first_line(error.msg) or "pytest.skip"))
        case _:
            ending = broken(error, folders)
    return ending


def expired(binding: Binding) -> Ending:
    """Return what a check that lasted too long says."""
    return Ending(
        "timeout",
        Text(
            f"le contrôle n'a pas fini en {binding.deadline:g} s",
            f"the check did not end within {binding.deadline:g} s",
        ),
    )


def blocked() -> Ending:
    """Return what a check says that could not begin."""
    return Ending(
        "inconclusive",
        Text(
            "un contrôle qui coupe ce service n'a pas rendu la main",
            "a check that cuts this service did not come to an end",
        ),
    )


def interrupted() -> Ending:
    """Return what a check says that the user cut short, or that had not begun."""
    return Ending("inconclusive", Text("audit interrompu avant la fin", "audit interrupted before the end"))


def broken(error: BaseException, folders: Sequence[Path]) -> Ending:
    """Return what a check says that is itself wrong."""
    what = f"{type(error).__name__}: {_first_line(str(error))}".removesuffix(": ")
    place = _place(error, folders)
    return Ending(
        "error",
        Text(f"erreur dans le contrôle : {what} ({place})", f"error in the check: {what} ({place})"),
    )


def undeclared(missing: Sequence[str]) -> Ending:
    """Return what a check says where the lab does not declare what it is about."""
    named = ", ".join(f"services.{name}" for name in missing)
    return Ending(
        "skipped",
        Text(f"le fichier de labo ne déclare pas {named}", f"the lab file does not declare {named}"),
    )


def forbidden() -> Ending:
    """Return what a check says that would cut a service without leave to."""
    return Ending(
        "skipped",
        Text(
            "cette preuve coupe un service : elle demande --disrupt",
            "this proof cuts a service: it needs --disrupt",
        ),
    )


def told(error: SioLabError) -> Text:
    """Return an error in one sentence: where, what, and what to do."""

    place = Text(f"{error.where} : ", f"{error.where}: ") if error.where else Text.same("")
    todo = Text(f" — {error.todo.fr}", f" — {error.todo.en}") if error.todo else Text.same("")
    return Text(place.fr + error.what.fr + todo.fr, place.en + error.what.en + todo.en)


def _failed(reason: Text, proof: Proof) -> Ending:
    if proof.evidence:
        return Ending("failed", reason)
    return Ending(
        "inconclusive",
        Text(f"rien n'a été observé ({reason.fr})", f"nothing was observed ({reason.en})"),
    )


def _raised_in(trace: TracebackType | None, folders: Sequence[Path]) -> bool:
    frames = traceback.extract_tb(trace)
    return bool(frames) and _within(frames[-1], folders)


def _place(error: BaseException, folders: Sequence[Path]) -> str:
    """Return the line of the check where ``error`` comes from; failing that, any line."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _within(frame, folders)]
    return f"{Path((own or frames)[-1].filename).name}:{(own or frames)[-1].lineno}" if frames else "?"


def _within(frame: traceback.FrameSummary, folders: Sequence[Path]) -> bool:
    return any(Path(frame.filename).is_relative_to(folder) for folder in folders)


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
