"""The check of what is kept of network equipment: the role's own tool, sound and edited, and a router over SSH."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from check_module import check_module
from lab_runner import ROOT
from loopback import LocalSession
from sshd import Sshd, keys, sshd

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import ConfigurationManagement
from sio_lab.lab.loading import load
from sio_lab.lab.model import Machine as Section
from sio_lab.probes import netdevice
from sio_lab.probes.machine import Machine

EMBEDDED = load(ROOT / "inventories" / "sisr").lab
LAB = EMBEDDED.model_copy(update={"machines": {"routeur": Section(kind="network"), "gestion": Section()}})
VTYSH = ROOT / "tests" / "vtysh.py"
TOOL = ROOT / "playbooks" / "roles" / "configuration_management" / "files" / "sio-equipment"

Judge = Callable[..., Proof]


@pytest.fixture(scope="module")
def check() -> ModuleType:
    return check_module("sisr/test_configuration_management.py")


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("router") / "changes"


@pytest.fixture(scope="module")
def router(changes: Path) -> Iterator[Sshd]:
    keys(changes.parent)
    with sshd(changes.parent, {"ForceCommand": f"{sys.executable} -IS {VTYSH} {changes}"}) as running:
        yield running


@pytest.fixture
def judge(check: ModuleType, router: Sshd, changes: Path, tmp_path: Path) -> Iterator[Judge]:
    """Run the check on a tool that was edited; the router is as it was when all is over."""
    changes.write_text("")

    def judge(*edits: tuple[str, str], **declared: object) -> Proof:
        tool = tmp_path / "tool"
        asked = f'exec {sys.executable} -IS {VTYSH} {changes} -c "$1"'
        text = TOOL.read_text()
        for old, new in (
            ('SSH = ["ssh", ', f'SSH = ["sh", "-c", {asked!r}]\nUNUSED = ["ssh", '),
            ("/srv/equipment", str(tmp_path / "kept")),
            ("/run/lock/", f"{tmp_path}/"),
            *edits,
        ):
            assert old in text
            text = text.replace(old, new)
        tool.write_text(text)
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "inventory").write_text("routeur netadmin@routeur\n")
        run = f"{sys.executable} {tool}"
        session = LocalSession()
        session.run(f"{run} adopt", stdin="", deadline=10)
        proof = Proof(
            lambda name, record: Machine(name, session, record),
            {},
            {},
            tmp_path,
            device=lambda _, start: netdevice.connected(start, router.access, netdevice.FRR, direct=True),
        )
        equipment = {
            "machines": ["routeur"],
            "check": f"{run} check",
            "save": f"{run} save",
            "show": f"{run} show {{machine}}",
            "history": f"{run} history {{machine}}",
            **declared,
        }
        check.judge_equipment(LAB, proof, service_of(equipment))
        return proof

    yield judge
    assert changes.read_text() == ""


def service_of(equipment: object) -> ConfigurationManagement:
    files = {"managed": ["gestion"], "path": "/etc/motd", "check": "true", "apply": "true", "history": "true"}
    return ConfigurationManagement.model_validate(
        {"product": "ansible", "machines": ["gestion"], **files, "equipment": equipment}
    )


def test_change_seen_and_kept(judge: Judge) -> None:
    proof = judge()
    assert proof.sides() == {"positive", "negative"}
    assert not proof.remarks


def test_what_an_interrupted_check_left(judge: Judge, changes: Path) -> None:
    changes.write_text("ip route 198.51.100.9/32 blackhole")
    proof = judge()
    (remark,) = proof.remarks  # the reference was made while it was there
    assert "reference" in remark.en


WRITE = "        file.write_text(found)"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("return 2 if differs else 0", "return 0", "a change of equipment is not seen"),
        ("return 2 if differs else 0", "return 1", "is not compared with its reference"),
        (WRITE, "        file.exists() or file.write_text(found)", "not the one that runs"),
        (WRITE, "        file.write_text('hostname x\\n')", "is not the configuration that runs"),
        (WRITE, "        import time; file.write_text(f'! {time.time()}\\n{found}')", "nothing changes"),
        (
            '            git("commit", "-q", "-m"',
            '            git("commit", "-q", "--amend", "-m"',
            "two versions",
        ),
        ("def save(names: list[str]) -> int:", "def save(names: list[str]) -> int:\n    return 1", "are not kept"),
    ],
)
def test_unsound_tool(judge: Judge, old: str, new: str, reason: str) -> None:
    with pytest.raises(NotSatisfiedError, match=reason):
        judge((old, new))


def test_a_line_that_cannot_be_added(judge: Judge) -> None:
    with pytest.raises(InconclusiveError, match="cannot be changed"):
        judge(change=["colour {address}"])


def test_equipment_that_nothing_keeps(check: ModuleType) -> None:
    with pytest.raises(InconclusiveError, match="routeur"):
        check.keeper(LAB, service_of(None))
