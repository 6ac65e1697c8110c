"""Checks and machines of one audit, run in parallel; knows nothing of pytest."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sio_lab.audit import outcomes
from sio_lab.audit.case import Case, CaseProof
from sio_lab.audit.document import CheckResult, MachineFinding, Outcome
from sio_lab.audit.ground import Ground
from sio_lab.audit.machines import Machines, same_ones
from sio_lab.audit.outcomes import Ending
from sio_lab.audit.requirement import Binding
from sio_lab.audit.scheduler import Scheduler, Task
from sio_lab.lab.model import Lab
from sio_lab.providers.base import Progress, Reporter
from sio_lab.text import Text

_CLEAN_UP = 1.0  # seconds that interrupted checks get to remove what they made
_RESTORE = 15.0  # and those that cut something, to restore it

_SAID: dict[Outcome, Text] = {
    "passed": Text("conforme", "satisfied"),
    "failed": Text("non conforme", "not satisfied"),
    "unreachable": Text("non vérifié, machine injoignable", "unverified, machine unreachable"),
    "timeout": Text("non vérifié, délai dépassé", "unverified, out of time"),
    "error": Text("non vérifié, erreur dans le contrôle", "unverified, error in the check"),
    "inconclusive": Text("non vérifié", "unverified"),
    "skipped": Text("non lancé", "not run"),
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What an audit found.

    Attributes:
        checks: results, in the order of the checks.
        machines: machines, in the order of the lab file.
        traces: traceback of each check that is itself broken, for developers.
    """

    checks: Sequence[CheckResult]
    machines: Sequence[MachineFinding]
    traces: Sequence[str]


class Engine:
    """Runs checks on a ground.

    Args:
        ground: the lab and the ways into it.
        report: told of each check as it starts and ends.
        disrupt: whether checks may cut services.
        grace: see ``Scheduler``.
    """

    def __init__(self, ground: Ground, report: Reporter, *, disrupt: bool = False, grace: float = 30.0) -> None:
        self._ground, self._report, self._disrupt = ground, report, disrupt
        self._machines = Machines(ground.lab, ground.sessions)
        self._found: dict[str, MachineFinding] = {}
        self._asked: list[Task] = []
        self._cases: list[Case] = []
        self._of_requirement: Counter[str] = Counter()
        self._subjects: dict[Case, str] = {}
        self._disruptive: list[Task] = []
        self._scheduler = Scheduler(grace=grace)

    def case(self, id_: str, binding: Binding, folders: Sequence[Path]) -> Case:
        """Add a check; it is settled at once where it is not to run."""
        ground = self._ground
        proof = CaseProof(
            self._machines.bound,
            ground.secrets.passwords,
            ground.named_secrets(),
            ground.ca,
            ground.ways(),
            ground.device,
        )
        case = Case(id_, binding, proof, folders, on_start=self._started, on_end=self._ended)
        self._of_requirement[binding.id] += 1
        number = self._of_requirement[binding.id]
        self._subjects[case] = f"{binding.id} ({number})" if number > 1 else binding.id
        self._cases.append(case)
        missing = [name for name in binding.uses if getattr(ground.lab.services, name, None) is None]
        if missing:
            case.settle(outcomes.undeclared(missing))
        elif binding.intensity == "disrupt" and not self._disrupt:
            case.settle(outcomes.forbidden())
        return case

    def identify(self) -> None:
        """Begin to ask every machine what it is."""
        for name in self._ground.lab.machines:

            def ask(name: str = name) -> None:
                with suppress(Exception):  # a machine that cannot be described is as declared
                    self._found[name] = self._machines.find(name)

            self._asked.append(Task(f"identify {name}", ask, _nothing, _nothing, shared=frozenset({name})))
        self._scheduler.submit(*self._asked)

    def start(self, calls: Sequence[tuple[Case, Callable[[], object]]]) -> list[Task]:
        """Begin checks, each with the call that runs it: what disturbs nothing first, the longest before."""
        tasks = [self._task(case, call) for case, call in calls]
        self._scheduler.submit(*sorted(tasks, key=lambda task: (bool(task.exclusive), -task.deadline)))
        return tasks

    def close(self, *, interrupted: bool) -> None:
        """End the audit; what is not settled yet never will be otherwise than ``interrupted``."""
        if not interrupted:
            for task in self._asked:
                task.done.wait()
        self._scheduler.stop()
        unfinished = [case for case in self._cases if case.result is None]
        for case in unfinished:
            case.settle(outcomes.interrupted())
        if not self._scheduler.join(0, self._disruptive):
            what = Text("rétablissement de ce qui a été coupé", "restoring what was cut")
            self._tell(Progress("sio-lab", what, "running"))
            self._scheduler.join(_RESTORE, self._disruptive)
        if unfinished:
            self._scheduler.join(_CLEAN_UP)

    @property
    def busy(self) -> bool:
        """Whether threads of checks are still there."""
        return not self._scheduler.join(0)

    def findings(self) -> Findings:
        """Return what was found so far."""
        checks = [case.result or case.settle(outcomes.interrupted()) for case in self._cases]
        machines = [self._found.get(name) or self._unasked(name) for name in self._ground.lab.machines]
        traces = [
            f"{case.id}\n{''.join(traceback.format_exception(case.error))}"
            for case in self._cases
            if case.error is not None and case.result is not None and case.result.outcome == "error"
        ]
        return Findings(checks, same_ones(machines), traces)

    def _unasked(self, name: str) -> MachineFinding:
        problem = Text("la machine n'a pas pu être identifiée", "the machine could not be identified")
        return self._machines.declared(name).model_copy(update={"problem": problem})

    def _task(self, case: Case, call: Callable[[], object]) -> Task:
        binding, lab = case.binding, self._ground.lab
        disruptive = binding.intensity == "disrupt"
        task = Task(
            case.id,
            lambda: case.run(call),
            lambda: _settle(case, outcomes.expired(binding)),
            lambda: _settle(case, outcomes.blocked()),
            shared=needs(binding, lab),
            exclusive=disturbed(binding, lab),
            deadline=binding.deadline,
        )
        if disruptive:
            self._disruptive.append(task)
        return task

    def _started(self, case: Case) -> None:
        self._tell(Progress(self._subjects[case], case.binding.title, "running"))

    def _ended(self, case: Case) -> None:
        result = case.result
        if result is None or result.outcome == "skipped":
            return
        said = _SAID[result.outcome]
        step = Text(f"{result.title.fr} : {said.fr}", f"{result.title.en}: {said.en}")
        state = {"passed": "changed", "failed": "failed"}.get(result.outcome, "unchanged")
        self._tell(Progress(self._subjects[case], step, state))  # type: ignore[arg-type]

    def _tell(self, event: Progress) -> None:
        # Whoever shows it may be gone (a closed pipe): the audit goes on.
        with suppress(Exception):
            self._report(event)


def needs(binding: Binding, lab: Lab) -> frozenset[str]:
    """Return the services and machines that a check relies on; all of them where it names no service."""
    if not binding.uses:
        return frozenset((*type(lab.services).model_fields, *lab.machines))
    services = [getattr(lab.services, name) for name in binding.uses]
    return frozenset(binding.uses).union(*(service.machines_named() for service in services))


def disturbed(binding: Binding, lab: Lab) -> frozenset[str]:
    """Return the services and machines that nobody can rely on while a check runs."""
    said = binding.disturbs(lab) if callable(binding.disturbs) else binding.disturbs
    if said or binding.intensity != "disrupt":
        return frozenset(said)
    # A disruption that does not say what it cuts cuts all that it uses.
    return frozenset(binding.uses or needs(binding, lab))


def _settle(case: Case, ending: Ending) -> None:
    case.settle(ending)


def _nothing() -> None:
    pass
