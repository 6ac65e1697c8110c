"""The procedures that roles put on the administration machine, on this very machine."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest
from lab_runner import ROOT

ROLES = ROOT / "playbooks" / "roles"
PLAYBOOK = """
- hosts: managed
  tasks:
    - ansible.builtin.copy: {{src: managed, dest: "{path}", mode: "0644"}}
"""


def script(role: str, name: str) -> ModuleType:
    """Return a script without ``.py``, as a module."""
    loader = SourceFileLoader("script", str(ROLES / role / "files" / name))
    spec = spec_from_loader("script", loader)
    assert spec
    made = module_from_spec(spec)
    loader.exec_module(made)
    return made


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``sio-config``, whose one machine is this one."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    made = script("configuration_management", "sio-config")
    repository = tmp_path / "repository"
    made.REPOSITORY, made.APPLIED = repository, repository / ".git" / "applied"
    (repository / "files").mkdir(parents=True)
    (repository / "files" / "managed").write_text("Managed\n")
    (repository / "site.yml").write_text(PLAYBOOK.format(path=tmp_path / "motd"))
    (repository / "inventory").write_text(
        f"[managed]\nhere ansible_connection=local ansible_python_interpreter={sys.executable}\n"
    )
    (repository / "ansible.cfg").write_text("[defaults]\ninventory = inventory\ngathering = explicit\n")
    assert made.commit() == 0
    return made


def test_drift_and_restoration(tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.check() == 2
    assert tool.apply() == 0
    assert (tmp_path / "motd").read_text() == "Managed\n"
    assert tool.apply() == 0
    capsys.readouterr()
    assert tool.history() == 0
    said = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert said == ["Restored: here", "Drift: here", "Desired state"]
    assert tool.commit() == 0
    assert tool.check() == 0


def test_machine_that_cannot_be_asked(tool: ModuleType) -> None:
    (tool.REPOSITORY / "inventory").write_text(
        "[managed]\nhere ansible_connection=local ansible_python_interpreter=/none\n"
    )
    with pytest.raises(SystemExit, match="here failed"):
        tool.check()


def test_list_of_a_class(tmp_path: Path) -> None:
    procedure = script("automation", "promotion.py")
    file = tmp_path / "class.csv"
    file.write_text("login,name,machine\nines.quere,Inès Quéré,srv\n", encoding="utf-8")
    assert list(procedure.students(file)) == [("srv", "ines.quere", "Inès Quéré")]


@pytest.mark.parametrize("line", ["root;reboot,X,srv", "-f,X,srv", "alice,A:B,srv", "Alice,A,srv", ",,srv"])
def test_list_that_would_do_something_else(tmp_path: Path, line: str) -> None:
    file = tmp_path / "class.csv"
    file.write_text(f"login,name,machine\n{line}\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="unusable"):
        list(script("automation", "promotion.py").students(file))
