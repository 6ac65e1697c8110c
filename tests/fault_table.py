"""Which fault makes which requirement fail, as the tests of the faults measured it: ``docs/faults-<lab>.md``.

Measures are JSON lines, one an audit of a broken lab; ``statuses`` are those that are not as on the healthy lab:
``{"at": "2026-03-04", "faults": ["dbms_stopped"], "statuses": {"1.1.b": "not_satisfied"}}``
Faults that are put in together share no requirement: each is charged with those that it declares.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sio_lab.provision.faults import Fault
from sio_lab.reports.words import STATUS_MARK

Measured = Mapping[str, Mapping[str, str]]
"""Fault → requirement → status."""

_HEAD = """# Faults and the requirements that they make fail

Measured by the integration tests ({at}): each fault was put into the embedded lab, and the lab audited.
✘: seen not to be met. ?: could not be verified any more. `sio-lab break LAB` lists what
a lab can be given; `sio-lab repair LAB` undoes all of it.
"""


def note(file: Path, faults: Iterable[Fault], statuses: Mapping[str, str]) -> None:
    """Append to ``file`` what an audit came to, with ``faults`` in the lab."""
    line = {
        "at": f"{datetime.now(UTC):%Y-%m-%d}",
        "faults": [fault.name for fault in faults],
        "statuses": statuses,
    }
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def write(measures: Path, target: Path, faults: Sequence[Fault]) -> bool:
    """Write the table to ``target`` where each of ``faults`` was measured; return whether they all were."""
    lines = [json.loads(line) for line in measures.read_text(encoding="utf-8").splitlines()]
    measured: dict[str, dict[str, str]] = defaultdict(dict)
    known = {fault.name: fault for fault in faults}
    for line in lines:
        for name in line["faults"]:
            alone = len(line["faults"]) == 1
            declared = known[name].breaks if name in known else ()
            measured[name] |= {id_: s for id_, s in line["statuses"].items() if alone or id_ in declared}
    whole = set(known) <= set(measured)
    if whole:
        target.write_text(table(measured, faults, max(line["at"] for line in lines)), encoding="utf-8")
    return whole


def table(measured: Measured, faults: Sequence[Fault], at: str) -> str:
    """Return the table in Markdown: a row a fault, a column a requirement that one of them makes fail."""
    columns = sorted({id_ for statuses in measured.values() for id_ in statuses}, key=_place)
    rows = [
        _HEAD.format(at=at),
        _row("Fault", "What happens", *columns),
        _row("---", "---", *[":-:"] * len(columns)),
    ]
    for fault in faults:
        seen = measured.get(fault.name, {})
        marks = (STATUS_MARK[seen[id_]] if id_ in seen else "" for id_ in columns)  # type: ignore[index]
        rows.append(_row(f"`{fault.name}`", f"{fault.title.en}<br>*{fault.title.fr}*", *marks))
    return "\n".join(rows) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _place(id_: str) -> list[tuple[bool, int, str]]:
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in id_.split(".")]
