"""What is cut, written down before it is: whatever becomes of the process that cut it, the next command knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from sio_lab import journal, paths
from sio_lab.disruption import cuts
from sio_lab.disruption.cuts import Cut, Ways
from sio_lab.lab.model import Lab
from sio_lab.providers.base import Progress, Provider, Reporter
from sio_lab.text import Text

_FILE = "disruptions.json"
_LOCK = Lock()  # checks that cut different things may run at the same time


def read(lab_name: str) -> list[Cut]:
    """Return what may be cut in the lab, the oldest first.

    Raises:
        ProvisionError: the journal was damaged.
    """
    return journal.read(paths.state_path(lab_name) / _FILE, Cut, Text("coupures", "cuts"))


def add(lab_name: str, cut: Cut) -> None:
    """Write down that ``cut`` is about to be made; on the disk when this returns."""
    with _LOCK:
        _keep(lab_name, [*(kept for kept in read(lab_name) if kept != cut), cut])


def strike(lab_name: str, cut: Cut) -> None:
    """Note that what ``cut`` took is back."""
    with _LOCK:
        _keep(lab_name, [kept for kept in read(lab_name) if kept != cut])


def forget(lab_name: str, machines: Sequence[str] | None = None) -> None:
    """Forget what was cut on ``machines`` (default: all): they came back to their reference state."""
    file = paths.state_path(lab_name) / _FILE
    if machines is None:
        file.unlink(missing_ok=True)
    elif file.exists():
        with _LOCK:
            _keep(lab_name, [cut for cut in read(lab_name) if cut.machine not in machines])


def wake(lab: Lab, provider: Provider, report: Reporter) -> None:
    """Start the machines whose power was cut: some providers say how to reach a machine only while it runs.

    Raises:
        ProviderError: one does not start.
    """
    for cut in read(lab.lab):
        if cut.kind == "power":
            provider.power_on(lab, cut.machine, report)


def restore(ways: Ways, report: Reporter) -> list[Cut]:
    """Give back all that the journal holds, the newest first, each struck off once it is seen to be back.

    Raises:
        ProviderError, ProbeError: something is not back; it stays in the journal, with what is older.
    """
    back = []
    for cut in reversed(read(ways.lab.lab)):
        said = Text(f"rétablissement : {cut.title.fr}", f"giving back: {cut.title.en}")
        report(Progress(cut.machine, said, "running"))
        done = give_back(cut, ways)
        report(Progress(cut.machine, said, "changed" if done else "failed"))
        back.append(cut)
    return back


def give_back(cut: Cut, ways: Ways) -> bool:
    """Give back ``cut`` and strike it off.

    Returns:
        Whether it is back. A command that fails was run all the same, and would fail again: it is struck off too,
        or a lab on which it cannot succeed could never be audited again.

    Raises:
        ProviderError, ProbeError: it is not back; it stays in the journal.
    """
    done = True
    try:
        cuts.undo(cut, ways)
    except cuts.FailedError:
        if cut.kind != "command":
            raise
        done = False
    strike(ways.lab.lab, cut)
    return done


def _keep(lab_name: str, kept: Iterable[Cut]) -> None:
    entries = list(kept)
    file = paths.state(lab_name) / _FILE
    if entries:
        journal.keep(file, entries)
    else:
        file.unlink(missing_ok=True)
