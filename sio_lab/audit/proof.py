"""``Proof``: what a check holds in its hands. It asks through it, and judges through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sio_lab.audit.document import FlowMatrix
from sio_lab.audit.timeline import Timeline
from sio_lab.errors import InconclusiveError, UsageError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import KEPT, Evidence, Observation
from sio_lab.text import Text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sio_lab.disruption.account import CutObservation, DisruptionObservation, WatchObservation
    from sio_lab.disruption.cuts import Cut, Ways
    from sio_lab.disruption.engine import Step
    from sio_lab.disruption.watch import Watch
    from sio_lab.probes.netdevice import Device

Side = Literal["positive", "negative"]


class NotSatisfiedError(AssertionError):
    """The requirement was seen not to be met; ``reason`` says how."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


class Proof:
    """The context of one check.

    Args:
        machine: gives the machine of a name, bound to this proof's record.
        passwords: password of each account.
        secrets: the lab's other secrets, such as ``services.dbms``.
        ca: PEM bundle of the authorities that the lab's certificates must descend from.
        ways: what it takes to cut parts of the lab; none where nothing may be cut.
        device: logs in on network equipment, by its name, from a machine.
    """

    closed = False
    """Whether nobody waits for this proof any more."""

    def __init__(
        self,
        machine: Callable[[str, Callable[[Evidence], None]], Machine],
        passwords: Mapping[str, str],
        secrets: Mapping[str, str],
        ca: Path,
        ways: Ways | None = None,
        device: Callable[[str, Machine], AbstractContextManager[Device]] | None = None,
    ) -> None:
        self.ca = ca
        self._device = device
        self._ways = ways
        self._machine = machine
        self._passwords = passwords
        self._secrets = secrets
        self.evidence: list[Evidence] = []
        self.remarks: list[Text] = []
        self.matrix: FlowMatrix | None = None
        self.timelines: list[Timeline] = []

    def machine(self, name: str) -> Machine:
        """Return the machine ``name``; whatever it is asked is recorded here.

        Raises:
            Unreachable: it does not answer.
            IdentityError: it is not the machine that was provisioned.
        """
        return self._machine(name, self.record)

    def device(self, name: str, start: Machine) -> AbstractContextManager[Device]:
        """Log in on the network equipment ``name`` from ``start``, the machine that it is administered from.

        Raises:
            InconclusiveError: nothing says how to reach it.
            SioLabError: as ``sio_lab.probes.netdevice.connected``, on entry.
        """
        if self._device is None:
            raise InconclusiveError(
                Text("aucun équipement ne peut être joint", "no equipment can be reached"), where=name
            )
        return self._device(name, start)

    def password(self, account: str) -> str:
        """Return the password of ``account``."""
        return self._lookup(self._passwords, account)

    def secret(self, name: str) -> str:
        """Return another secret of the lab, such as ``services.dbms``."""
        return self._lookup(self._secrets, name)

    @staticmethod
    def _lookup(known: Mapping[str, str], name: str) -> str:
        if name not in known:
            raise UsageError(
                Text(f"le secret « {name} » n'est pas connu de ce labo", f"this lab has no secret '{name}'"),
                todo=Text("relancez `sio-lab up`, qui le crée", "run `sio-lab up` again, which makes it"),
            )
        return known[name]

    def record(self, evidence: Evidence) -> None:
        """Keep ``evidence``, its secrets masked and its answer trimmed."""
        evidence.sent = self._masked(evidence.sent)
        evidence.received = self._masked(evidence.received)[:KEPT]
        self.evidence.append(evidence)

    def _masked(self, text: str) -> str:
        for secret in (*self._passwords.values(), *self._secrets.values()):
            text = text.replace(secret, "••••••")
        return text

    def watch(self, service: Watch, *, seconds: float) -> WatchObservation:
        """Ask for a service again and again for ``seconds``, 40 times a second; nothing is cut.

        Raises:
            ProbeError: the client does not answer, or cannot watch.
        """
        from sio_lab.disruption import engine

        return engine.observe(service, self.machine(service.client), self.ca, seconds)

    def disrupt(
        self, cut: Cut, *, watch: Watch, hold: float, until: Callable[[], bool], within: float = 60.0
    ) -> DisruptionObservation:
        """Cut a part of the lab for ``hold`` seconds while a service is watched, and give it back.

        What is cut is journalled first, and given back however this ends.

        Args:
            cut: what is cut (see ``sio_lab.disruption.cuts``).
            watch: the service, and where it is asked from.
            hold: seconds that it stays cut.
            until: tells whether the service is back in its nominal state; asked once the cut is undone.
            within: seconds that this may take.

        Raises:
            InconclusiveError: nothing can be told: the service was not well before, or nothing may be cut here.
            ProbeError, ProviderError: something could not be asked, cut or given back.
        """
        from sio_lab.disruption.engine import Step  # it takes what knows of proofs

        (seen,) = self.disrupt_in_turn([Step(cut, hold, until, within)], watch=watch)
        return seen

    def disrupt_in_turn(self, steps: Sequence[Step], *, watch: Watch) -> Iterator[DisruptionObservation]:
        """Make several disruptions, one after the other, under one watch; yield what was seen of each.

        All are made before the first is told. One that does not come back to its nominal state is the last.

        Raises:
            InconclusiveError, ProbeError, ProviderError: as ``disrupt``.
        """
        from sio_lab.disruption import engine

        ways = self._may_cut(steps[0].cut)
        for seen in engine.run(steps, watch, ways, self.ca, self.record, self.goes_on):
            self.timelines.append(seen.timeline)
            yield seen

    def cuttable(self, cut: Cut) -> None:
        """Make sure that there is something to cut, where much is to be looked at before it is.

        Raises:
            InconclusiveError: what is to be cut does not work beforehand, or nothing can be cut in this lab.
            ProbeError: the machine does not answer.
        """
        from sio_lab.disruption import cuts

        cuts.ready(cut, self._may_cut(cut))

    @contextmanager
    def cut(self, cut: Cut, *, within: float = 60.0) -> Iterator[CutObservation]:
        """Cut a part of the lab while the context lasts; the check itself watches what it is about.

        What is cut is journalled first, and given back however this ends. Then the machines concerned must be as
        they were: services, links, addresses, routes and firewall rules.

        Args:
            cut: what is cut (see ``sio_lab.disruption.cuts``).
            within: seconds that it may take until all is as before.

        Raises:
            NotSatisfiedError: something is not as before.
            InconclusiveError, ProbeError, ProviderError: as ``disrupt``.
        """
        from sio_lab.disruption import engine

        ways = self._may_cut(cut)
        known = engine.before(cut, ways)
        with engine.cut(cut, ways) as done:
            self.record(done.evidence)
            yield done
        seen, _ = engine.settled(known, ways, self.goes_on, within=within)
        self.record(seen.evidence)
        self.holds(
            seen.granted,
            seen,
            side="positive",
            fr=f"{cut.title.fr} : après rétablissement, tout n'est pas comme avant ({seen.detail})",
            en=f"{cut.title.en}: given back, not all is as before ({seen.detail})",
        )

    @contextmanager
    def put_back(self, machine: str, command: str) -> Iterator[None]:
        """Run ``command`` on ``machine`` on leaving: it takes back what the check changes meanwhile.

        It is journalled first: should this process be killed, the next one that takes the lab runs it. It may thus
        run twice, or where nothing was changed yet, and holds no secret.

        Raises:
            ProbeError: the machine does not answer; the command stays in the journal.
        """
        from sio_lab.disruption import cuts, engine

        if self._ways is None:
            try:
                yield
            finally:
                self.machine(machine).run(command, deadline=60)
            return
        with engine.put_back(cuts.command(machine, "", back=command), self._ways):
            yield

    def goes_on(self) -> bool:
        """Whether somebody still waits for this proof: once not, all that counts is to put things back."""
        return not self.closed

    def _may_cut(self, cut: Cut) -> Ways:
        if self._ways is None:
            raise InconclusiveError(
                Text("rien ne peut être coupé dans ce labo", "nothing can be cut in this lab"), where=cut.machine
            )
        return self._ways

    def works(self, seen: Observation, *, fr: str, en: str) -> None:
        """Positive side: what had to work was seen to work. ``fr`` and ``en`` tell the failure."""
        self.holds(seen.granted, seen, side="positive", fr=_why(fr, seen), en=_why(en, seen))

    def refused(self, seen: Observation, *, fr: str, en: str) -> None:
        """Negative side: what had to be refused was refused, by a peer that answers.

        Raises:
            NotSatisfiedError: it was granted.
            InconclusiveError: nobody answered; a dead server refuses everybody.
        """
        if seen.answer == "unavailable":
            raise InconclusiveError(
                Text(
                    f"le service n'a pas répondu : son refus ne prouve rien ({seen.detail})",
                    f"the service did not answer: its refusal proves nothing ({seen.detail})",
                ),
                where=seen.evidence.target,
            )
        self.holds(not seen.granted, seen, side="negative", fr=fr, en=en)

    def holds(self, fact: bool, *seen: Observation, side: Side, fr: str, en: str) -> None:
        """Judge any other ``fact`` that was ``seen``; ``fr`` and ``en`` tell its failure."""
        for observation in seen:
            observation.evidence.side = side
        if not fact:
            raise NotSatisfiedError(Text(fr, en))

    def remark(self, *, fr: str, en: str) -> None:
        """Tell what the reader of a satisfied requirement must know all the same: a reservation."""
        self.remarks.append(Text(fr, en))

    def attach(self, matrix: FlowMatrix) -> None:
        """Show ``matrix`` in the report, beside the evidence that it was made from."""
        self.matrix = matrix

    def sides(self) -> set[Side]:
        """Return the sides that probes were judged on so far."""
        return {e.side for e in self.evidence if e.side != "context"}


def _why(sentence: str, seen: Observation) -> str:
    return f"{sentence} ({seen.detail})" if seen.detail else sentence
