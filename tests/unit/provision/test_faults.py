"""Faults: what they are, that each is journalled before it is made, and that all can be undone."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from sio_lab import catalogue, paths
from sio_lab.errors import ProvisionError, UsageError
from sio_lab.lab.model import Lab
from sio_lab.providers.base import SshAccess
from sio_lab.provision import faults, run
from sio_lab.text import Text

PLAYBOOKS = paths.data("playbooks", "faults")


def ignore(_: object) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Faults of the tests' own."""
    for name, hosts in (("dbms_first", "dbms"), ("dbms_second", "dbms:poste"), ("portal_elsewhere", "portal")):
        (tmp_path / f"{name}.yml").write_text(
            f"- hosts: {hosts}\n  vars: {{fault: {{fr: Panne {name}, en: Fault {name}, breaks: [1.1.b]}}}}\n"
        )
    monkeypatch.setattr(faults, "_folder", lambda: tmp_path)
    return tmp_path


class Runs:
    """Stands for Ansible, which tests/integration/test_ansible.py really runs: notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.machines: list[list[str]] = []
        self.journals: list[list[str]] = []
        self.broken: set[str] = set()

    def __call__(
        self, lab: Lab, files: list[Path], source: Path, report: object, variables: dict[str, str]
    ) -> bool:
        self.journals.append(names(lab))
        self.asked.append(("+".join(file.stem for file in files), variables["fault_action"]))
        self.machines.append(list(json.loads((source / "hosts.json").read_text())["all"]["hosts"]))
        if self.broken & {file.stem for file in files}:
            raise ProvisionError(Text.same("stubborn"))
        return True


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    runs = Runs()
    monkeypatch.setattr(run, "playbook", runs)
    return runs


@pytest.fixture
def access(small: Lab) -> dict[str, SshAccess]:
    return {name: SshAccess(machine=name, user="root", host=name) for name in small.machines}


def names(lab: Lab) -> list[str]:
    return [entry.name for entry in faults.journal(lab.lab)]


def test_broken_then_repaired_newest_first(
    small: Lab, folder: Path, access: dict[str, SshAccess], runs: Runs
) -> None:
    assert names(small) == []
    faults.break_(small, access, ["dbms_first"], ignore)
    faults.break_(small, access, ["dbms_second"], ignore)
    assert names(small) == ["dbms_first", "dbms_second"]
    assert faults.repair(small, access, ignore) == ["dbms_second", "dbms_first"]
    assert names(small) == []
    assert runs.asked == [
        ("dbms_first", "break"),
        ("dbms_second", "break"),
        ("dbms_second+dbms_first", "repair"),
    ]
    assert runs.machines[0] == list(small.machines), "a fault may do part of its work on another machine"


def test_several_at_once(small: Lab, folder: Path, access: dict[str, SshAccess], runs: Runs) -> None:
    faults.break_(small, access, ["dbms_first", "dbms_second", "dbms_first"], ignore)
    assert runs.asked == [("dbms_first+dbms_second", "break")]
    assert runs.journals == [["dbms_first", "dbms_second"]]
    with pytest.raises(UsageError, match="unknown fault"):
        faults.break_(small, access, ["dbms_first", "dbms_third"], ignore)
    assert len(runs.asked) == 1, "none is put in where one is not known"


def test_in_the_journal_from_before_it_is_made_until_after_it_is_undone(
    small: Lab, folder: Path, access: dict[str, SshAccess], runs: Runs
) -> None:
    faults.break_(small, access, ["dbms_first"], ignore)
    faults.repair(small, access, ignore)
    assert runs.journals == [["dbms_first"], ["dbms_first"]]


def test_a_fault_that_cannot_be_undone_stays_in_the_journal(
    small: Lab, folder: Path, access: dict[str, SshAccess], runs: Runs
) -> None:
    for name in ("dbms_first", "dbms_second"):
        faults.break_(small, access, [name], ignore)
    runs.broken = {"dbms_first"}
    with pytest.raises(ProvisionError, match="stubborn"):
        faults.repair(small, access, ignore)
    assert names(small) == ["dbms_first"]
    runs.broken = set()
    assert faults.repair(small, access, ignore) == ["dbms_first"]


def test_a_fault_half_made_is_undone(small: Lab, folder: Path, access: dict[str, SshAccess], runs: Runs) -> None:
    runs.broken = {"dbms_first"}
    with pytest.raises(ProvisionError):
        faults.break_(small, access, ["dbms_first"], ignore)
    assert names(small) == ["dbms_first"]


def test_broken_twice_is_undone_once(small: Lab, folder: Path, access: dict[str, SshAccess], runs: Runs) -> None:
    for name in ("dbms_first", "dbms_second", "dbms_first"):
        faults.break_(small, access, [name], ignore)
    assert names(small) == ["dbms_second", "dbms_first"]


def test_journal_is_private_and_says_when(
    small: Lab, folder: Path, access: dict[str, SshAccess], runs: Runs
) -> None:
    faults.break_(small, access, ["dbms_first"], ignore)
    file = paths.state("petit") / "journal.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (entry,) = json.loads(file.read_text())
    assert entry["at"].endswith("+00:00")


@pytest.mark.parametrize("content", ["{", "[1]", '[{"name": "x"}]', "3", '{"name": 1}'])
def test_damaged_journal(small: Lab, content: str) -> None:
    file = paths.state("petit") / "journal.json"
    file.write_text(content)
    with pytest.raises(ProvisionError, match="damaged journal") as caught:
        faults.journal("petit")
    assert caught.value.where == str(file)
    assert "sio-lab reset" in (caught.value.todo.en if caught.value.todo else "")
    faults.forget("petit")
    assert faults.journal("petit") == []


def test_unknown_fault_with_what_was_meant(small: Lab, folder: Path) -> None:
    with pytest.raises(UsageError, match="unknown fault: dbms_fist") as caught:
        faults.break_(small, {}, ["dbms_fist"], ignore)
    assert "dbms_first" in (caught.value.todo.en if caught.value.todo else "")
    assert names(small) == []


def test_unknown_fault_like_no_other(small: Lab, folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        faults.break_(small, {}, ["zzz"], ignore)
    assert caught.value.todo
    assert caught.value.todo.en == "faults of this lab: dbms_first, dbms_second"


def test_fault_of_machines_that_the_lab_does_not_have(small: Lab, folder: Path) -> None:
    with pytest.raises(UsageError, match="portal, which this lab does not have"):
        faults.break_(small, {}, ["portal_elsewhere"], ignore)
    assert [fault.name for fault in faults.available(small)] == ["dbms_first", "dbms_second"]


@pytest.mark.parametrize("content", ["", "{", "- hosts: dbms", "- {hosts: dbms, vars: {fault: {fr: x}}}", "x: 1"])
def test_playbook_that_describes_no_fault(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.yml").write_text(content)
    with pytest.raises(ProvisionError, match="describes no fault") as caught:
        faults.catalogue(tmp_path)
    assert caught.value.where == str(tmp_path / "x.yml")


@pytest.mark.parametrize("fault", faults.catalogue(PLAYBOOKS), ids=lambda fault: fault.name)
def test_each_fault_of_the_tool(fault: faults.Fault) -> None:
    assert fault.title.fr != fault.title.en
    assert fault.breaks
    assert set(fault.breaks) <= set(catalogue.load().ids())
    (play,) = yaml.safe_load(fault.file.read_text())
    included = [task.get("ansible.builtin.include_tasks") for task in play["tasks"]]
    files = [fault.file, *(PLAYBOOKS / name for name in included if name)]
    assert "fault_action" in "".join(file.read_text() for file in files)


def test_every_fault_of_section_1_can_be_put_in_the_embedded_lab(sisr: Lab) -> None:
    assert {fault.name for fault in faults.available(sisr)} >= {
        fault.name
        for fault in faults.catalogue(PLAYBOOKS)
        if any(requirement.startswith("1.") for requirement in fault.breaks)
    }
