"""The flow matrix: packets sent between all machines at once, and seen where they arrive. Never judges.

Both ends are watched: a packet that comes in at the machine that it was meant for was let through, whether or not
anything listens there, and one that is seen at a firewall but not behind it was held back. Nothing is opened on
any machine for it, and no server has to answer.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Literal, TypeVar

from sio_lab import parallel
from sio_lab.errors import ProbeError, ProtocolError
from sio_lab.lab.matrix import Trial
from sio_lab.lab.model import Lab
from sio_lab.probes import background, flow_packets
from sio_lab.probes.background import Background
from sio_lab.probes.flow import FILTER_V4
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence, Observation
from sio_lab.text import Text

Asked = TypeVar("Asked")
Fate = Literal["open", "reached", "cut", "closed", "unknown"]
"""``open``: it arrived, and the answer came back. ``reached``: it arrived, nobody was there to take it. ``cut``:
it arrived, but the answer did not come back. ``closed``: it left, and did not arrive. ``unknown``: one of the two
ends could not be watched."""

_WORKERS = 16
_LISTENING = 60  # seconds that a listener lasts, if nobody ends it
_SETTLING = 0.6  # seconds that the last packet and its answer may take
_SENDING = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one packet: its fate, and in a few words how that is known."""

    trial: Trial
    fate: Fate
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Observation):
    """What one machine sent that is allowed, or that is not. ``granted``: one at least arrived; ``refused``: none.

    Attributes:
        allowed: which of the two.
        packets: what became of each.
    """

    allowed: bool
    packets: Sequence[Seen]


@dataclass(slots=True)
class Record:
    """What the listeners of all machines told.

    Attributes:
        watched: machines that listened from before the first packet until after the last.
        missed: those of them that could not look at every packet.
        came: machines at whose interfaces each packet came in.
        delivered: machines whose own filter let it through.
        replied: machines that answered it.
        answered: what came back to its sender: ``open 443 10.0.0.1``, ``unreachable 13 10.0.0.254``.
        unsent: why it could not be sent.
        alive: what is known to answer, for it answered another packet.
    """

    watched: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)
    came: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    delivered: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    replied: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    answered: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    unsent: dict[int, str] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)

    def take(self, machine: str, output: str, senders: Mapping[int, str]) -> None:
        """Add what ``machine`` told; ``senders`` are the machines that packets were sent from, by number.

        Raises:
            ProtocolError: that is not what a listener or a sender prints.
        """
        for line in output.splitlines():
            try:
                what, number, *more = line.split("\t")
                token = int(number)
                if what == "missed":
                    self.watched.add(machine)
                    self.missed |= {machine} if token else set()
                elif what == "unsent":
                    self.unsent[token] = more[0]
                elif what == "answered":
                    if senders.get(token) == machine:
                        self.answered[token].append(more[0])
                elif what != "replied" or not more[0].startswith("unreachable"):
                    {"came": self.came, "delivered": self.delivered, "replied": self.replied}[what][token].add(
                        machine
                    )
            except (ValueError, KeyError, IndexError) as error:
                raise ProtocolError(
                    Text(
                        f"réponse inattendue de la machine : {line!r}",
                        f"unexpected answer of the machine: {line!r}",
                    ),
                    where=machine,
                ) from error


def send(lab: Lab, machines: Mapping[str, Machine], trials: Sequence[Trial]) -> list[Sent]:
    """Send the packets of ``trials`` from ``machines``, all watching; return one or two observations a sender.

    What a machine that cannot be watched or cannot send (no python3, not root, lost) would tell is ``unknown``.

    Args:
        lab: the lab.
        machines: those that can be reached, by name, firewalls included.
        trials: packets, of these machines alone.
    """
    at, start = datetime.now(UTC), monotonic()
    record, problems = _exchange(machines, trials)
    fates = [fate(lab, number, trial, record, problems) for number, trial in enumerate(trials)]
    trusted = _with_control(lab, fates, record)
    return [
        _observation(machine, sent, at, start)
        for name, machine in machines.items()
        for allowed in (True, False)
        if (sent := [seen for seen in trusted if seen.trial.source == name and seen.trial.allowed == allowed])
    ]


def _exchange(machines: Mapping[str, Machine], trials: Sequence[Trial]) -> tuple[Record, dict[str, str]]:
    """Return what was seen, and by machine why it could not watch or send."""
    mark = secrets.randbelow(1 << (32 - flow_packets.NUMBERS))
    senders = {number: trial.source for number, trial in enumerate(trials)}
    record, problems = Record(), dict[str, str]()
    contexts = {name: _listener(machine, mark) for name, machine in machines.items()}

    def asked(function: Callable[[str], Asked], names: Iterable[str]) -> dict[str, Asked]:
        """Call ``function`` for each machine that has no problem yet, all at once; note those that have one."""

        def ask(name: str) -> tuple[str, Asked] | None:
            try:
                return name, function(name)
            except ProbeError as error:
                problems[name] = error.what.en
                return None

        usable = [name for name in names if name not in problems]
        return dict(answer for answer in parallel.each(ask, usable, workers=_WORKERS) if answer)

    try:
        programs = asked(lambda name: _started(contexts[name].__enter__()), machines)
        said = asked(
            lambda name: _sent(machines[name], mark, {n: t for n, t in enumerate(trials) if t.source == name}),
            [name for name in programs if name in senders.values()],
        )
        sleep(_SETTLING)
        heard = asked(lambda name: _ended(programs[name]), programs)
    finally:
        parallel.each(lambda name: _left(contexts[name]), contexts, workers=_WORKERS)
    for name, output in [*said.items(), *heard.items()]:
        record.take(name, output, senders)
    record.alive |= {
        trials[number].target
        for number, answers in record.answered.items()
        if any(not answer.startswith("unreachable") for answer in answers)
    }
    return record, problems


def _listener(machine: Machine, mark: int) -> AbstractContextManager[Background]:
    source = Path(flow_packets.__file__).read_text(encoding="utf-8")
    command = ["python3", "-IS", "-c", source, str(mark), str(_LISTENING)]
    # Its commands are the program itself: nothing that evidence need hold once a machine.
    return background.running(_unrecorded(machine), command, ready="listening", seconds=_LISTENING)


def _started(program: Background) -> Background:
    if not program.started.granted:
        raise ProtocolError(Text.same(program.started.detail), where=program.machine.name)
    return program


def _sent(machine: Machine, mark: int, trials: Mapping[int, Trial]) -> str:
    probes = [
        (number, trial.protocol, trial.claimed or trial.source_address, trial.address, trial.port)
        for number, trial in trials.items()
    ]
    source = Path(flow_packets.__file__).read_text(encoding="utf-8")
    status, stdout, stderr = machine.session.run(
        "exec python3 -IS -", stdin=f"{source}\nsend({mark}, {probes!r})\n", deadline=_SENDING
    )
    if status != 0:
        said = (stderr.strip() or f"exit {status}").splitlines()[-1]
        raise ProtocolError(Text.same(said), where=machine.name)
    return stdout


def _ended(program: Background) -> str:
    if not program.stop().granted:
        raise ProtocolError(
            Text("l'écoute ne s'arrête pas", "the listener does not stop"), where=program.machine.name
        )
    return program.machine.run(f"cat {program.folder}/out").stdout


def _left(context: AbstractContextManager[Background]) -> None:
    # A machine that was lost meanwhile removes it by itself.
    with suppress(ProbeError, RuntimeError):
        context.__exit__(None, None, None)


def _unrecorded(machine: Machine) -> Machine:
    return Machine(machine.name, machine.session, lambda _: None)


def fate(lab: Lab, number: int, trial: Trial, record: Record, problems: Mapping[str, str]) -> Seen:
    """Return what became of the packet ``number``, from what listeners told."""
    if trial.source in problems:
        return Seen(trial, "unknown", f"{trial.source}: {problems[trial.source]}")
    answers = [answer.split() for answer in record.answered[number]]
    return (
        _arrived(lab, number, trial, record, answers)
        or _refused(trial, answers)
        or _lost(lab, number, trial, record, problems, answered=bool(answers))
    )


def _arrived(lab: Lab, number: int, trial: Trial, record: Record, answers: Sequence[Sequence[str]]) -> Seen | None:
    kinds = {kind for kind, *_ in answers}
    if kinds & {"open", "echo"}:
        return Seen(trial, "open", "its answer came back")
    # A firewall sees all that it forwards come in; only what its own filter lets through has arrived there.
    arrived = record.delivered[number] - {trial.source}
    if not lab.is_firewall(trial.target):
        arrived |= record.came[number] & set(lab.holders(trial.target))
    if not arrived:
        return None
    where = ", ".join(sorted(arrived))
    if record.replied[number] and "reset" not in kinds and not trial.claimed:
        return Seen(trial, "cut", f"arrived at {where}, whose answer did not come back")
    return Seen(trial, "reached", f"arrived at {where}")


def _refused(trial: Trial, answers: Sequence[Sequence[str]]) -> Seen | None:
    """Tell what a filter on the way says; what comes from the target itself may be the target's own word."""
    said = [who for kind, code, who in answers if kind == "unreachable" and int(code) in FILTER_V4]
    others = [who for who in said if who != trial.address]
    return Seen(trial, "closed", f"refused by {others[0]}") if others else None


def _lost(
    lab: Lab, number: int, trial: Trial, record: Record, problems: Mapping[str, str], *, answered: bool
) -> Seen:
    if number in record.unsent:
        return Seen(trial, "unknown", f"{trial.source} cannot send it ({record.unsent[number]})")
    holders = set(lab.holders(trial.target))
    blind = sorted((holders - record.watched) | (holders & record.missed))
    if not blind:
        return Seen(trial, "closed", "did not arrive")
    if trial.protocol == "tcp" and trial.target in record.alive and not answered and not trial.claimed:
        # RFC 9293 §3.10.7: whoever a SYN reaches answers it, with a reset if nothing listens; unless it is off.
        return Seen(trial, "closed", "no answer, not even a reset")
    why = "; ".join(f"{name}: {problems.get(name, 'not watched to the end')}" for name in blind)
    return Seen(trial, "unknown", why)


def _with_control(lab: Lab, fates: Sequence[Seen], record: Record) -> list[Seen]:
    """Return ``fates``, without those that only say that a packet was never seen again.

    It must have been seen to leave: at a firewall or a router, or where none is watched, by others of the same
    machine that arrived.
    """
    routers = {n for n in record.watched if lab.is_firewall(n) or lab.machines[n].kind == "network"}
    heard_of = {seen.trial.source for seen in fates if seen.fate in ("open", "reached", "cut")}
    return [
        Seen(seen.trial, "unknown", "was not seen to leave")
        if seen.fate == "closed"
        and not record.answered[number]
        and not record.came[number] & routers - {seen.trial.source}
        and (routers or seen.trial.source not in heard_of)
        else seen
        for number, seen in enumerate(fates)
    ]


def _observation(machine: Machine, packets: Sequence[Seen], at: datetime, start: float) -> Sent:
    allowed = packets[0].trial.allowed
    evidence: Evidence = machine.saw(
        "flow.matrix",
        target=f"{len({seen.trial.target for seen in packets})} machines",
        sent=f"{len(packets)} packets that {'may' if allowed else 'must not'} arrive: {_ports(packets)}",
        received="\n".join(_lines(packets)),
        at=at,
        start=start,
    )
    arrived = any(seen.fate in ("open", "reached") for seen in packets)
    return Sent(evidence, "granted" if arrived else "refused", allowed=allowed, packets=packets)


def _lines(packets: Sequence[Seen]) -> list[str]:
    """Return what became of ``packets``: one line a target, what is closed as numbers alone."""
    lines = []
    for target in dict.fromkeys(seen.trial.target for seen in packets):
        there = [seen for seen in packets if seen.trial.target == target]
        words = [f"{_port(seen.trial)} {seen.fate}" for seen in there if seen.fate in ("open", "reached", "cut")]
        for quiet in ("closed", "unknown"):
            count = sum(seen.fate == quiet for seen in there)
            words += [f"{count} {quiet}"] if count else []
        lines.append(f"{target}: {', '.join(words)}")
    return lines


def _ports(packets: Sequence[Seen]) -> str:
    return ", ".join(dict.fromkeys(_port(seen.trial) for seen in packets))


def _port(trial: Trial) -> str:
    port = f"{trial.protocol}/{trial.port}" if trial.port else trial.protocol
    return f"{port} as {trial.claimed}" if trial.claimed else port
