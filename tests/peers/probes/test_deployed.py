"""Deployed files against those of a working copy: what is told of each kind of difference."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from loopback import LocalSession

from sio_lab.errors import ProtocolError
from sio_lab.probes import deployed
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Evidence

FILES = {"src/a.php": "<?php\n", "b c.py": "print()\n", "é: OK.txt": "x\n"}


@pytest.fixture
def sums(tmp_path: Path) -> str:
    """What a working copy sums up to; another one of the same files is deployed."""
    for folder in ("copy", "served"):
        for name, content in FILES.items():
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
    copy = tmp_path / "copy"
    (copy / "link").symlink_to("src/a.php")
    (copy / "not-of-the-source").write_text("x")
    for command in (["init", "--quiet"], ["add", "src", "b c.py", "é: OK.txt", "link"]):
        subprocess.run(["git", "-C", copy, *command], check=True)
    done = subprocess.run(["sh", "-c", deployed.SUMS], cwd=copy, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == len(FILES)
    return done.stdout


def compared(tmp_path: Path, sums: str) -> deployed.DeployedObservation:
    record: list[Evidence] = []
    seen = deployed.compared(Machine("app", LocalSession(), record.append), str(tmp_path / "served"), sums)
    assert record == [seen.evidence]
    return seen


def test_the_same(tmp_path: Path, sums: str) -> None:
    (tmp_path / "served" / "cache").write_text("of no source")
    seen = compared(tmp_path, sums)
    assert (seen.answer, seen.same, seen.changed, seen.missing) == ("granted", 3, (), ())


@pytest.mark.parametrize("name", FILES)
def test_changed_on_the_spot(tmp_path: Path, sums: str, name: str) -> None:
    with (tmp_path / "served" / name).open("a") as file:
        file.write("# on the spot\n")
    seen = compared(tmp_path, sums)
    assert (seen.answer, seen.same, seen.changed, seen.detail) == ("refused", 2, (name,), name)
    assert f"{name}: otherwise" in seen.evidence.received


def test_left_out(tmp_path: Path, sums: str) -> None:
    (tmp_path / "served" / "b c.py").unlink()
    seen = compared(tmp_path, sums)
    assert (seen.answer, seen.same, seen.missing) == ("granted", 2, ("b c.py",))


def test_nothing_of_the_source_there(tmp_path: Path, sums: str) -> None:
    for name in FILES:
        (tmp_path / "served" / name).unlink()
    with pytest.raises(ProtocolError, match="no file of the source"):
        compared(tmp_path, sums)
    with pytest.raises(ProtocolError, match="no file of the source"):
        deployed.compared(Machine("app", LocalSession(), lambda _: None), str(tmp_path / "nowhere"), sums)
