"""One check of an audit: what it is bound to, what it saw, and the one result that it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from sio_lab.audit import outcomes
from sio_lab.audit.document import CheckResult
from sio_lab.audit.outcomes import Ending
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import Binding
from sio_lab.probes.machine import Machine, Session
from sio_lab.probes.observation import Evidence
from sio_lab.text import Text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sio_lab.disruption.cuts import Ways
    from sio_lab.probes.netdevice import Device
    from sio_lab.probes.ssh_transport import Reconnection


class _StopCheck(BaseException):
    """Ends the function of a check whose result is already settled; its own clean-up still runs."""


class CaseProof(Proof):
    """A proof that can be closed: what comes later belongs to no result."""

    def __init__(
        self,
        machine: Callable[[str, Callable[[Evidence], None]], Machine],
        passwords: Mapping[str, str],
        secrets: Mapping[str, str],
        ca: Path,
        ways: Ways | None = None,
        device: Callable[[str, Machine], AbstractContextManager[Device]] | None = None,
    ) -> None:
        super().__init__(machine, passwords, secrets, ca, ways, device)
        self._warned = False
        self._asked: dict[str, tuple[Session, int]] = {}

    def machine(self, name: str) -> Machine:
        """Return the machine ``name``; see ``Proof.machine``."""
        machine = super().machine(name)
        self._asked.setdefault(name, (machine.session, len(_reconnections(machine.session))))
        return machine

    def whole(self) -> list[Evidence]:
        """Return the evidence, and with it each connection that was lost and tried again meanwhile."""
        retries = [
            _retried(name, retry)
            for name, (session, before) in self._asked.items()
            for retry in _reconnections(session)[before:]
        ]
        return [replace(evidence) for evidence in (*self.evidence, *retries)]

    def record(self, evidence: Evidence) -> None:
        """Keep ``evidence``; once closed, stop the check at its first exchange, then let it clean up."""
        if not self.closed:
            evidence.target = self._masked(evidence.target)
            evidence.retry_reason = self._masked(evidence.retry_reason)
            super().record(evidence)
        elif not self._warned:
            self._warned = True
            raise _StopCheck

    def masked(self, text: Text | None) -> Text | None:
        """Return ``text`` without the lab's secrets: a reason may quote what a peer answered."""
        return text and Text(self._masked(text.fr), self._masked(text.en))


def _reconnections(session: Session) -> Sequence[Reconnection]:
    found: Sequence[Reconnection] = getattr(session, "reconnections", ())
    return found


def _retried(name: str, retry: Reconnection) -> Evidence:
    said = "connected again" if retry.succeeded else "not reached again"
    made = Evidence.of(
        "ssh.connect", source="sio-lab", target=name, sent="", received=said, at=retry.at, duration=0
    )
    made.attempt, made.retry_reason = 2, retry.reason
    return made


class Case:
    """One check.

    Args:
        id: how reports name it: ``checks/common/test_dbms.py::test_application_account``.
        binding: what it declares of itself.
        proof: what it asks and judges through.
        folders: where checks lie.
        on_start: told when it begins.
        on_end: told when it is settled.
    """

    def __init__(
        self,
        id: str,  # noqa: A002  # as the audit document calls it
        binding: Binding,
        proof: CaseProof,
        folders: Sequence[Path],
        *,
        on_start: Callable[[Case], None],
        on_end: Callable[[Case], None],
    ) -> None:
        self.id, self.binding, self.proof = id, binding, proof
        self.error: BaseException | None = None
        self._folders, self._on_start, self._on_end = folders, on_start, on_end
        self._lock = Lock()
        self._started: float | None = None
        self._result: CheckResult | None = None

    @property
    def result(self) -> CheckResult | None:
        """The result, once there is one."""
        return self._result

    def run(self, function: Callable[[], object]) -> None:
        """Run the check's function and settle what it says; raises nothing."""
        self._started = monotonic()
        self._on_start(self)
        try:
            function()
        except BaseException as error:  # noqa: BLE001  # whatever a check raises ends that check alone
            self.fail(error)
        else:
            self.settle(outcomes.of_return(self.binding, self.proof))

    def fail(self, error: BaseException) -> None:
        """Settle what the end of the check by ``error`` says."""
        self.error = error
        self.settle(outcomes.of_error(error, self.proof, self._folders))

    def spoil(self, error: BaseException) -> None:
        """Settle what a fixture that broke says, even after the check has passed: nothing broken ever passes."""
        with self._lock:
            if self._result is not None and self._result.outcome == "passed":
                ending = outcomes.broken(error, self._folders)
                changes = {"outcome": ending.outcome, "reason": self.proof.masked(ending.reason)}
                self._result = self._result.model_copy(update=changes)
                return
        self.fail(error)

    def settle(self, ending: Ending) -> CheckResult:
        """Give the check its result, unless it has one; return it. Evidence that comes later is ignored."""
        with self._lock:
            if self._result is not None:
                return self._result
            self.proof.closed = True
            self._result = CheckResult(
                id=self.id,
                title=self.binding.title,
                requirement=self.binding.id,
                intensity=self.binding.intensity,
                outcome=ending.outcome,
                reason=self.proof.masked(ending.reason),
                duration=0.0 if self._started is None else round(monotonic() - self._started, 3),
                evidence=self.proof.whole(),
                matrix=self.proof.matrix,
                timelines=list(self.proof.timelines),
                uses=list(self.binding.uses),
                nature_only=self.binding.informational,
            )
        self._on_end(self)
        return self._result
