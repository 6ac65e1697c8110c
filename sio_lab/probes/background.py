"""A program left running on a machine while something is made for it to see; nothing of it stays behind."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Ran

_LINGERS = 60  # seconds that the files outlive the program, if nobody comes back for them
_READY = 10  # seconds that it may take to be ready

# timeout(1) ends the program, and its keeper removes the files, even if the connection is lost.
_START = r"""
umask 077; mkdir {folder} && cd {folder} || exit 1
setsid sh -c 'echo $$ >keeper; timeout {seconds} {command} >out 2>err & echo $! >pid; wait $!; echo $? >status
    sleep {lingers}; rm -rf {folder}' </dev/null >/dev/null 2>&1 &
n=0
until [ -e err ] && grep -q {ready} err; do
    [ ! -e status ] && [ $n -lt {turns} ] || {{ cat err >&2; exit 1; }}
    n=$((n + 1)); sleep 0.05
done
"""
_STOP = r"""
cd {folder} && kill "$(cat pid)" 2>/dev/null
n=0; until [ -e status ] || [ $n -ge 100 ]; do n=$((n + 1)); sleep 0.05; done
cat err; [ -e status ]
"""
_REMOVE = r"""
if cd {folder} 2>/dev/null; then
    kill "$(cat pid)" "-$(cat keeper)" 2>/dev/null
    cd / && rm -rf {folder}
fi
"""


@dataclass(frozen=True, slots=True)
class Background:
    """A program that was started; made by ``running``.

    Attributes:
        machine: where it runs.
        folder: its working folder, with its output in ``out``; it is gone once the context is left.
        started: ``granted`` once it said that it is ready; ``refused`` where it ended, or said nothing, instead.
    """

    machine: Machine
    folder: str
    started: Ran

    @property
    def removal(self) -> str:
        """Command that ends the program and removes all of it; it may run twice."""
        return _REMOVE.format(folder=self.folder)

    def stop(self) -> Ran:
        """End the program as Ctrl-C would, and wait until it has written all it has; its messages come back.

        Raises:
            Unreachable, ProbeTimeout: as every probe.
        """
        return self.machine.run(_STOP.format(folder=self.folder))


@contextmanager
def running(machine: Machine, command: list[str], *, ready: str, seconds: int) -> Iterator[Background]:
    """Start ``command`` on ``machine``, wait until it is ready, and remove all of it afterwards, whatever happens.

    Args:
        machine: where it runs, in a folder of its own.
        command: the program and its arguments, without any secret: every user of the machine can read them.
        ready: what it writes on its standard error once it sees what there is to see.
        seconds: how long it may run.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
    """
    folder = f"/var/tmp/sio-lab-{secrets.token_hex(8)}"  # noqa: S108  # made by mkdir, which fails if it is there
    start = _START.format(
        folder=folder,
        # Within the quotes of sh -c.
        command=shlex.join(command).replace("'", "'\\''"),
        ready=shlex.quote(ready),
        seconds=seconds,
        lingers=_LINGERS,
        turns=_READY * 20,
    )
    try:
        yield Background(machine, folder, machine.run(start, deadline=_READY + 5))
    finally:
        machine.run(_REMOVE.format(folder=folder))
