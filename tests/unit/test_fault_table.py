"""The table of faults: who made what fail, in the order of the annexe, and only once all were measured."""

from __future__ import annotations

from pathlib import Path

import fault_table
import pytest

from sio_lab.provision.faults import Fault
from sio_lab.text import Text


def fault(name: str, *breaks: str) -> Fault:
    return Fault(name, Text(f"panne {name}", f"fault {name}"), breaks, (), "bdd", Path(f"{name}.yml"))


FAULTS = [fault("dbms_stopped", "1.1.b"), fault("cipher", "2.1.e", "1.3.c"), fault("cut", "2.1.i")]


@pytest.fixture
def measures(tmp_path: Path) -> Path:
    file = tmp_path / "measures.jsonl"
    both = {"1.1.b": "not_satisfied", "2.1.e": "not_satisfied", "1.3.c": "unverified"}
    fault_table.note(file, FAULTS[:2], both)
    return file


def test_nothing_is_written_before_all_was_measured(measures: Path, tmp_path: Path) -> None:
    target = tmp_path / "faults.md"
    assert not fault_table.write(measures, target, FAULTS)
    assert not target.exists()


def test_a_row_a_fault_and_a_column_a_requirement(measures: Path, tmp_path: Path) -> None:
    fault_table.note(measures, FAULTS[2:], {"2.1.i": "not_satisfied", "2.1.b": "not_satisfied"})
    target = tmp_path / "faults.md"
    assert fault_table.write(measures, target, FAULTS)
    heading, _, *rows = [line for line in target.read_text().splitlines() if line.startswith("|")]
    assert heading == "| Fault | What happens | 1.1.b | 1.3.c | 2.1.b | 2.1.e | 2.1.i |"
    assert rows == [
        "| `dbms_stopped` | fault dbms_stopped<br>*panne dbms_stopped* | ✘ |  |  |  |  |",
        "| `cipher` | fault cipher<br>*panne cipher* |  | ? |  | ✘ |  |",
        "| `cut` | fault cut<br>*panne cut* |  |  | ✘ |  | ✘ |",
    ]
