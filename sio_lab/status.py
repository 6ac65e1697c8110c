"""What ``sio-lab status`` and ``sio-lab break`` show: machines, and faults."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from sio_lab.lab import LoadedLab
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
    """Show the state of each machine of the lab, and the faults that are in place."""
    lab = loaded.lab
    states = provider_for(lab).status(lab)
    broken = [entry.name for entry in faults.journal(lab.lab)]
    if as_json:
        out.file.write(json.dumps({"lab": lab.lab, "machines": states, "faults": broken}, indent=2) + "\n")
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
    if broken:
        label = Text("Pannes en place", "Faults in place").get(lang)
        out.print(f"{label} : {', '.join(broken)}", style="bold yellow", markup=False)


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
