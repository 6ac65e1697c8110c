"""The checks of the administration machine, on this very machine: sound tools, and unsound ones."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from check_module import check_module
from lab_runner import ROOT
from loopback import LocalSession

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import Automation, ConfigurationManagement
from sio_lab.lab.loading import load
from sio_lab.lab.model import Lab
from sio_lab.probes.machine import Machine

ALONE = Lab.model_validate({"lab": "petit", "title": "Petit", "option": "SISR", "machines": {"a": {}}})
"""A lab without network equipment: see ``test_equipment``."""
TOOL = """#!/bin/sh
# Keeps {path} as {path}.wanted says.
case "$1" in
    check) cmp -s {path} {path}.wanted || exit 2 ;;
    apply)
        cmp -s {path} {path}.wanted && exit
        echo "Drift: a" >>{log}; cp {path}.wanted {path}; echo "Restored: a" >>{log}
        ;;
    history) tac {log} ;;
esac
"""
PROCEDURE = """#!/bin/sh
case "$1" in
    run) mkdir -p {made}; [ -e {made}/one ] || echo 1 >{made}/one ;;
    undo) rm -rf {made} ;;
esac
"""


def module(name: str) -> ModuleType:
    return check_module(f"sisr/{name}.py")


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    return Proof(lambda name, record: Machine(name, LocalSession(), record), {}, {}, tmp_path)


def drift(proof: Proof, folder: Path, *edits: tuple[str, str]) -> None:
    """Run the check of configuration management on a tool that was edited."""
    path, log, tool = folder / "motd", folder / "log", folder / "tool"
    for file in (path, folder / "motd.wanted"):
        file.write_text("Managed\n")
    log.write_text("Desired state\n")
    text = TOOL.format(path=path, log=log)
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    tool.write_text(text)
    tool.chmod(0o755)
    service = ConfigurationManagement(
        product="ansible",
        machines=["tool"],
        managed=["a"],
        path=str(path),
        check=f"{tool} check",
        apply=f"{tool} apply",
        history=f"{tool} history",
    )
    try:
        module("test_configuration_management").test_drift_is_undone(ALONE, proof, service)
    finally:
        assert path.read_text() == "Managed\n"


def test_drift_undone(proof: Proof, tmp_path: Path) -> None:
    drift(proof, tmp_path)
    assert proof.sides() == {"positive", "negative"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("|| exit 2", "|| exit 0", "does not see"),
        ("exit 2", "exit 1", "does not see"),
        ("check) cmp", "check) exit 2; cmp", "fails, or sees a drift"),
        ("cp {path}.wanted {path};", "", "did not come back"),
        ("cp {path}.wanted {path};", "echo x >{path};", "did not come back"),
        ('echo "Drift: a" >>{log};', "", "Drift: a"),
        ('echo "Restored: a" >>{log}', ":", "Restored: a"),
        ("    apply)", "    apply) cp -p {path} {path}.n; mv {path}.n {path}", "again"),
        ("    apply)", "    apply) echo run >>{log}", "nothing changes"),
        ("    apply)", "    apply) exit 1", "not undone"),
    ],
)  # fmt: skip
def test_unsound_tool(proof: Proof, tmp_path: Path, old: str, new: str, reason: str) -> None:
    known = {"path": tmp_path / "motd", "log": tmp_path / "log"}
    with pytest.raises(NotSatisfiedError, match=reason):
        drift(proof, tmp_path, (old.format(**known), new.format(**known)))


def procedure(proof: Proof, folder: Path, old: str = "", new: str = "", language: str = "shell") -> None:
    """Run the check of automation on a procedure that was edited."""
    file, made = folder / "procedure", folder / "made"
    text = PROCEDURE.format(made=made)
    assert old in text
    file.write_text(text.replace(old, new) if old else text)
    file.chmod(0o755)
    service = Automation.model_validate({
        "product": "shell",
        "machines": ["tool"],
        "language": language,
        "path": str(file),
        "run": f"{file} run",
        "undo": f"{file} undo",
        "target": "a",
        "effect": f"cd {made} && ls -i && cat *",
    })  # fmt: skip
    module("test_automation").test_procedure_has_its_effect_once(proof, service)


def test_procedure(proof: Proof, tmp_path: Path) -> None:
    procedure(proof, tmp_path)
    assert proof.sides() == {"positive", "negative"}
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("|| echo 1 >", "; echo 1 >>", "changes what the first"),
        ("run) mkdir", "run) exit 0; mkdir", "declared effect"),
        ("run) mkdir", "run) exit 1; mkdir", "fails"),
        ("undo) rm -rf", "undo) : rm -rf", "leaves something"),
        ("undo) rm -rf", "undo) exit 1; rm -rf", "undone"),
        ("#!/bin/sh", "echo", "no shell script"),
    ],
)
def test_unsound_procedure(proof: Proof, tmp_path: Path, old: str, new: str, reason: str) -> None:
    with pytest.raises(NotSatisfiedError, match=reason):
        procedure(proof, tmp_path, old, new)


def test_effect_that_is_already_there(proof: Proof, tmp_path: Path) -> None:
    """Somebody may need it: it is not undone."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "one").write_text("somebody's")
    with pytest.raises(InconclusiveError, match="already there"):
        procedure(proof, tmp_path)
    assert (tmp_path / "made" / "one").read_text() == "somebody's"


def test_who_is_to_be_administered() -> None:
    lab = load(ROOT / "inventories" / "sisr").lab
    found = module("test_remote_administration").administered(lab, "sauvegarde")
    assert {"fw1", "fw2", "bdd1", "bdd2", "poste"} <= set(found)
    assert not {"internet", "sauvegarde", "mobile"} & set(found)
