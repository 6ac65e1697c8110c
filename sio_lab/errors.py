"""The family of errors a user can meet. Only ``cli`` turns them into words and exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sio_lab.text import Lang, Text


class SioLabError(Exception):
    """An expected failure: what is wrong, where, and what to do about it.

    Args:
        what: what is wrong.
        where: file and line, machine, or service; empty where it goes without saying.
        todo: what the user can do; ``None`` only where nothing can be done.
    """

    exit_code = 70

    def __init__(self, what: Text, *, where: str = "", todo: Text | None = None) -> None:
        super().__init__(f"{where}: {what.en}" if where else what.en)
        self.what = what
        self.where = where
        self.todo = todo


class UsageError(SioLabError):
    """The command line asks for something that does not exist."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a lab file.

    Attributes:
        what: what is wrong.
        key: dotted path of what it is about, such as ``machines.fw.addresses``; empty for the whole file.
        line: line, from 1; 0 where the problem has no place in the file.
        column: column, from 1; 0 likewise.
        todo: what to write instead, where that can be told.
    """

    what: Text
    key: str = ""
    line: int = 0
    column: int = 0
    todo: Text | None = None

    def where(self, file: str) -> str:
        """Return ``file:line:column``, the form that editors and terminals open."""
        return f"{file}:{self.line}:{self.column}" if self.line else file


class LabFileError(SioLabError):
    """The lab file is unreadable, invalid, or declares an impossible lab.

    Attributes:
        problems: every problem found, in the order of the file.
    """

    exit_code = 2

    def __init__(
        self, what: Text, *, where: str = "", todo: Text | None = None, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(what, where=where, todo=todo)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, file: str, problems: Sequence[Problem]) -> LabFileError:
        """Return the error that tells all ``problems`` (at least one) of ``file``."""
        found = sorted(problems, key=lambda problem: (problem.line, problem.column))
        if len(found) == 1:
            (only,) = found
            return cls(only.what, where=only.where(file), todo=only.todo, problems=found)
        return cls(
            Text(
                f"{len(found)} erreurs\n" + "\n".join(_line(file, problem, "fr") for problem in found),
                f"{len(found)} errors\n" + "\n".join(_line(file, problem, "en") for problem in found),
            ),
            where=file,
            problems=found,
        )


def _line(file: str, problem: Problem, lang: Lang) -> str:
    todo = f" ({problem.todo.get(lang)})" if problem.todo else ""
    return f"  {problem.where(file)}: {problem.what.get(lang)}{todo}"


class SetupError(SioLabError):
    """The host lacks something (a package, a daemon, a right)."""


class ProviderError(SioLabError):
    """Machines or networks could not be made, found, or removed."""


class ProvisionError(SioLabError):
    """A playbook failed."""


class LockedError(SioLabError):
    """Another run holds this lab."""


class ProbeError(SioLabError):
    """A probe could not ask its question. Says nothing of the requirement: ``unverified``."""


class Unreachable(ProbeError):
    """The machine that a probe starts from cannot be reached."""


class ProbeTimeout(ProbeError):
    """No answer within the deadline."""


class ServiceUnavailable(ProbeError):
    """Nothing listens at the peer: it refused the connection, or its network is unreachable."""


class ProtocolError(ProbeError):
    """The peer answered something that the protocol does not allow."""


class IdentityError(ProbeError):
    """A machine is not the one that was provisioned (host key, machine-id)."""


class InconclusiveError(SioLabError):
    """The check could not tell: ``unverified``."""
