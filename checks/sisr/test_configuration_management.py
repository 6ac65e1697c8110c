"""2.1.d: configuration management."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.infrastructure import ConfigurationManagement
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Ran
from sio_lab.text import Text

DRIFT = 2
"""Exit status that says that a machine is not as it should be."""
LONG = 60.0
"""Seconds that one run of the tool may take."""


@requirement(
    "2.1.d",
    title=Text("Écart vu, corrigé, gardé en mémoire", "Drift seen, undone, remembered"),
    uses=["configuration_management"],
    deadline=180,
)
def test_drift_is_undone(proof: Proof, service: ConfigurationManagement) -> None:
    """A managed file that somebody alters comes back, and the history tells both.

    Satisfied: the tool sees no drift at first; the file is altered on every managed machine: the tool sees it,
    brings back what was there, and its history names the drift and the restoration of each
    machine; another run changes neither the file nor the history.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, or the file cannot be altered.
    Reads: services.configuration_management.
    """
    tool = proof.machine(service.machines[0])
    managed = [proof.machine(name) for name in service.managed]
    judge_check(proof, tool, service, drift=False)
    before = history(proof, tool, service)
    with ExitStack() as stack:
        kept = [stack.enter_context(altered(proof, machine, service.path)) for machine in managed]
        judge_check(proof, tool, service, drift=True)
        proof.works(
            tool.run(service.apply, deadline=LONG), fr="l'écart n'est pas corrigé", en="the drift is not undone"
        )
        states = []
        for machine, copy in zip(managed, kept, strict=True):
            same = machine.run(f"cmp {shlex.quote(service.path)} {copy}")
            proof.works(
                same,
                fr=f"{service.path} n'est pas revenu comme avant sur {machine.name}",
                en=f"{service.path} did not come back as it was on {machine.name}",
            )
            states.append(state(machine, service.path))
        after = history(proof, tool, service)
        judge_history(proof, service, before, after)
        judge_second_run(proof, tool, service, managed, states)


def judge_check(proof: Proof, tool: Machine, service: ConfigurationManagement, *, drift: bool) -> Ran:
    """Judge what the tool sees."""
    seen = tool.run(service.check, deadline=LONG)
    said = f"exit {seen.exit_status}" + (f": {seen.detail}" if seen.detail else "")
    proof.holds(
        seen.exit_status == (DRIFT if drift else 0),
        seen,
        side="positive" if drift else "negative",
        fr=f"l'outil ne voit pas l'écart ({said})" if drift else f"l'outil échoue, ou voit un écart ({said})",
        en=f"the tool does not see the drift ({said})" if drift else f"the tool fails, or sees a drift ({said})",
    )
    return seen


def history(proof: Proof, tool: Machine, service: ConfigurationManagement) -> Ran:
    """Return the history as the tool prints it."""
    seen = tool.run(service.history)
    proof.works(seen, fr="l'historique ne se lit pas", en="the history cannot be read")
    return seen


def judge_history(proof: Proof, service: ConfigurationManagement, before: Ran, after: Ran) -> None:
    """Judge what the history tells of what has just happened."""
    for name in service.managed:
        for entry in (service.drift_entry, service.restored_entry):
            text = entry.format(machine=name)
            proof.holds(
                entries(after, text) > entries(before, text),
                before,
                after,
                side="positive",
                fr=f"l'historique ne dit rien de : {text}",
                en=f"the history tells nothing of: {text}",
            )


def entries(seen: Ran, text: str) -> int:
    """Return how many lines of a history hold ``text``."""
    return sum(text in line for line in seen.stdout.splitlines())


def judge_second_run(
    proof: Proof,
    tool: Machine,
    service: ConfigurationManagement,
    managed: Sequence[Machine],
    states: Sequence[Ran],
) -> None:
    """Judge that a run where nothing is to be done does nothing."""
    after = history(proof, tool, service)
    again = tool.run(service.apply, deadline=LONG)
    proof.works(again, fr="la seconde exécution échoue", en="the second run fails")
    for machine, known in zip(managed, states, strict=True):
        now = state(machine, service.path)
        proof.holds(
            now.stdout == known.stdout,
            known,
            now,
            side="negative",
            fr=f"la seconde exécution réécrit {service.path} sur {machine.name}",
            en=f"the second run writes {service.path} on {machine.name} again",
        )
    last = history(proof, tool, service)
    proof.holds(
        last.stdout == after.stdout,
        after,
        last,
        side="negative",
        fr="la seconde exécution laisse une trace dans l'historique, alors que rien ne change",
        en="the second run leaves an entry in the history, while nothing changes",
    )


def state(machine: Machine, path: str) -> Ran:
    """Return what tells whether a file was written again: inode and times."""
    return machine.run(f"stat -c '%i %Y %Z' {shlex.quote(path)}")


@contextmanager
def altered(proof: Proof, machine: Machine, path: str) -> Iterator[str]:
    """Alter the file ``path`` by a line of our own; yield a copy of what it was, which is put back afterwards."""
    token = f"sio-lab-{secrets.token_hex(8)}"
    folder, file = f"/var/tmp/{token}", shlex.quote(path)  # noqa: S108  # made by mkdir: never one that is there
    copy = f"{folder}/sound"
    try:
        made = machine.run(f"set -e; umask 077; mkdir {folder}; cp -p {file} {copy}; echo '# {token}' >>{file}")
        proof.works(
            made,
            fr=f"{path} ne peut pas être modifié sur {machine.name}",
            en=f"{path} cannot be altered on {machine.name}",
        )
        yield copy
    finally:
        machine.run(f"[ ! -e {copy} ] || cmp -s {copy} {file} || cp -p {copy} {file}; rm -rf {folder}")
