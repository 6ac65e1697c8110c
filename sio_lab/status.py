"""What ``sio-lab status`` and ``sio-lab break`` show: machines, what is broken or cut, and faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from sio_lab.disruption import journal as disruptions
from sio_lab.lab import LoadedLab
from sio_lab.lab.model import Lab
from sio_lab.providers import provider_for
from sio_lab.provision import faults
from sio_lab.reports.visible import visible
from sio_lab.text import Lang, Text

_STATES = {
    "absent": Text("absente", "absent"),
    "stopped": Text("arrêtée", "stopped"),
    "running": Text("en marche", "running"),
}
_STYLES = {"absent": "dim", "stopped": "yellow", "running": "green"}


def show(loaded: LoadedLab, out: Console, lang: Lang, *, as_json: bool) -> None:
    """Show the state of each machine of the lab, what is broken or cut in it, and what mends that."""
    lab = loaded.lab
    states = provider_for(lab).status(lab)
    if as_json:
        told = {
            "lab": lab.lab,
            "machines": states,
            "faults": [entry.name for entry in faults.journal(lab.lab)],
            "cuts": [{"kind": cut.kind, "machine": cut.machine} for cut in disruptions.read(lab.lab)],
        }
        out.file.write(json.dumps(told, indent=2) + "\n")
        return
    table = Table(
        title=Styled(visible(f"{lab.lab} — {lab.title}")), title_justify="left", box=None, pad_edge=False
    )
    for heading in (
        Text("machine", "machine"),
        Text("état", "state"),
        Text("adresses", "addresses"),
        Text("rôle", "role"),
    ):
        table.add_column(heading.get(lang), overflow="fold")
    for name, machine in lab.machines.items():
        state = states.get(name, "absent")
        addresses = ", ".join(str(address) for address in machine.addresses.values())
        table.add_row(
            name, Styled(_STATES[state].get(lang), _STYLES[state]), addresses, Styled(visible(machine.title))
        )
    out.print(table)
    amiss = [*_broken(lab), *_cut(lab)]
    if amiss:
        mend = Text(
            f"→ pour tout remettre en état : sio-lab repair {loaded.path}",
            f"→ to put everything right: sio-lab repair {loaded.path}",
        )
        for line in (*amiss, mend):
            out.print(Styled(visible(line.get(lang)), "bold yellow"), soft_wrap=True)


def _broken(lab: Lab) -> Iterator[Text]:
    """Yield what there is to say of each fault that was put into the lab."""
    entries = faults.journal(lab.lab)
    titles = {fault.name: fault.title for fault in faults.available(lab)} if entries else {}
    for entry in entries:
        at = datetime.fromisoformat(entry.at).astimezone()
        title = titles.get(entry.name, Text.same("—"))
        yield Text(
            f"panne {entry.name} (depuis le {at:%d/%m à %H:%M}) : {title.fr}",
            f"fault {entry.name} (since {at:%Y-%m-%d %H:%M}): {title.en}",
        )


def _cut(lab: Lab) -> Iterator[Text]:
    """Yield what there is to say of each cut that is not undone yet."""
    for cut in disruptions.read(lab.lab):
        yield Text(
            f"coupé par un contrôle, en cours ou interrompu : {cut.title.fr}",
            f"cut by a check that runs, or was interrupted: {cut.title.en}",
        )


def show_faults(loaded: LoadedLab, out: Console, lang: Lang) -> None:
    """List the faults that this lab can be given, and what each breaks."""
    table = Table(box=None, pad_edge=False)
    for heading in (
        Text("panne", "fault"),
        Text("ce qui se passe", "what happens"),
        Text("exigences", "requirements"),
    ):
        table.add_column(heading.get(lang), overflow="fold")
    for fault in faults.available(loaded.lab):
        table.add_row(fault.name, Styled(fault.title.get(lang)), ", ".join(fault.breaks))
    out.print(table)
