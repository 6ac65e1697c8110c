"""Which collected tests are checks of this audit, and what is wrong with those that cannot be."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from sio_lab import catalogue
from sio_lab.audit.document import CheckResult
from sio_lab.audit.requirement import Binding
from sio_lab.errors import SioLabError, UsageError
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Services
from sio_lab.lab.tree import closest
from sio_lab.text import Text

NO_REQUIREMENT = Text("ce test ne dit pas quelle exigence il prouve", "this test does not say what it proves")
OWN_FIXTURES = frozenset(("lab", "proof", "service", "request"))

_BINDS = re.compile(r"@requirement\(\s*[\"']([0-9a-z.]+)[\"']")


@dataclass(frozen=True, slots=True)
class Broken:
    """A check, or a file of checks, that cannot be run.

    Attributes:
        error: what is wrong, and where.
        requirements: the requirements that it was to prove, as far as can be told.
        name: name of the file.
    """

    error: SioLabError
    requirements: tuple[str, ...]
    name: str

    def results(self, selection: Selection) -> list[CheckResult]:
        """Return a result for each requirement that it leaves unproven."""
        return [
            CheckResult(
                id=self.name,
                title=Text(f"Contrôle illisible : {self.name}", f"Unreadable check: {self.name}"),
                requirement=id_,
                intensity="observe",
                outcome="error",
                reason=Text(
                    f"{self.error.where} : {self.error.what.fr}", f"{self.error.where}: {self.error.what.en}"
                ),
                duration=0,
            )
            for id_ in self.requirements
            if selection.wants(id_)
        ]


class Selection:
    """The checks that an audit of ``lab`` is made of.

    Args:
        lab: the lab; checks of the option that it is not for are left out.
        only: requirements or sections to keep; empty for all.

    Raises:
        UsageError: ``only`` names a requirement that does not exist.
    """

    def __init__(self, lab: Lab, only: Collection[str] = ()) -> None:
        known = catalogue.load()
        self._options = {row.id: section.options for section, row in known.rows()}
        self._lab_options = catalogue.options_of(lab.option)
        self._only = frozenset(only)
        for id_ in only:
            if not any(_within(row, id_) for row in self._options):
                raise UsageError(
                    Text(f"l'annexe II.E n'a pas d'exigence « {id_} »", f"Annexe II.E has no requirement '{id_}'"),
                    where="--only",
                    todo=closest(id_, self._options)
                    or Text("liste des exigences : sio-lab catalogue", "list of requirements: sio-lab catalogue"),
                )

    def wants(self, id_: str) -> bool:
        """Whether the audit is to prove the requirement ``id_``."""
        if self._lab_options.isdisjoint(self._options.get(id_, ())):
            return False
        return not self._only or any(_within(id_, one) for one in self._only)

    def fault(self, item: pytest.Item) -> SioLabError | None:
        """Return what is wrong with what ``item`` declares of itself, if anything."""
        path, line, _ = item.reportinfo()
        where = f"{path}:{(line or 0) + 1}"
        binding = binding_of(item)
        if type(item) is not pytest.Function:
            return SioLabError(
                Text(f"{item.name} n'est pas une simple fonction", f"{item.name} is no plain function"),
                where=where,
                todo=Text(
                    "écrivez le contrôle comme ceux de checks/common", "write the check as those of checks/common"
                ),
            )
        if binding is None:
            return SioLabError(
                NO_REQUIREMENT,
                where=where,
                todo=Text(
                    "ajoutez @requirement(…) de sio_lab.audit.requirement",
                    "add @requirement(…) of sio_lab.audit.requirement",
                ),
            )
        if binding.id not in self._options:
            return SioLabError(
                Text(
                    f"l'annexe II.E n'a pas d'exigence « {binding.id} »",
                    f"Annexe II.E has no requirement '{binding.id}'",
                ),
                where=where,
                todo=closest(binding.id, self._options),
            )
        for name in binding.uses:
            if name not in Services.model_fields:
                return SioLabError(
                    Text(f"capacité inconnue dans uses : {name}", f"unknown capability in uses: {name}"),
                    where=where,
                    todo=closest(name, Services.model_fields),
                )
        return None


def binding_of(item: pytest.Item) -> Binding | None:
    """Return what ``item`` declares of itself, if it is a check."""
    marker = item.get_closest_marker("requirement")
    if marker and marker.args and isinstance(marker.args[0], Binding):
        return marker.args[0]
    return None


def is_check(item: pytest.Item) -> bool:
    """Whether ``item`` claims to prove a requirement, well or badly."""
    return item.get_closest_marker("requirement") is not None


def stands_alone(item: pytest.Item) -> bool:
    """Whether ``item`` can be called before pytest comes to it: it asks for nobody else's fixtures."""
    if type(item) is not pytest.Function or inspect.iscoroutinefunction(item.obj):
        return False
    given: set[str] = set()
    for mark in item.iter_markers():
        if mark.name in {"skip", "skipif", "xfail", "usefixtures"} or mark.kwargs.get("indirect"):
            return False
        if mark.name == "parametrize":
            names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
            given.update(name.strip() for name in (names.split(",") if isinstance(names, str) else names))
    return set(item.fixturenames) <= OWN_FIXTURES | given


@cache
def arguments(function: Callable[..., object]) -> list[str]:
    """Return the names of the arguments that the ``function`` of a check wants."""
    parameters = inspect.signature(function).parameters.items()
    return [name for name, parameter in parameters if parameter.default is inspect.Parameter.empty]


def broken_file(path: Path, error: BaseException, folders: Sequence[Path]) -> Broken:
    """Return what is to be said of a file of checks that raises ``error`` when it is read."""
    cause = error.__cause__ if isinstance(error, pytest.Collector.CollectError) and error.__cause__ else error
    line = _line(path, cause)
    first = str(cause).strip().partition("\n")[0]
    what = f"{type(cause).__name__}: {first}" if first else type(cause).__name__
    told = SioLabError(
        Text(f"ce fichier de contrôles ne se lit pas ({what})", f"this file of checks cannot be read ({what})"),
        where=f"{path}:{line}" if line else str(path),
        todo=Text("corrigez-le ; les autres contrôles ont eu lieu", "mend it; the other checks were run"),
    )
    return Broken(told, _requirements_of(path), short_name(path, folders))


def short_name(path: Path, folders: Sequence[Path]) -> str:
    """Return ``path`` from the folder of checks that holds it on: ``checks/common/test_dbms.py``.

    Of two folders of one name, the second is named in full.
    """
    for rank, folder in enumerate(folders):
        if path.is_relative_to(folder):
            taken = folder.name in {other.name for other in folders[:rank]}
            return str(path if taken else folder.name / path.relative_to(folder))
    return path.name


def _within(id_: str, one: str) -> bool:
    return id_ == one or id_.startswith(f"{one}.")


def _requirements_of(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return tuple(dict.fromkeys(id_ for id_ in _BINDS.findall(text) if id_ in catalogue.load().ids()))


def _line(path: Path, error: BaseException) -> int:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 0
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return (frames[-1].lineno or 0) if frames else 0
