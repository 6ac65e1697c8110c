"""What the forge makes of the sources of applications: one commit a version, the same on every forge."""

from __future__ import annotations

import base64
import importlib.util
import io
import subprocess
import tarfile
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

ROLE = Path(__file__).parents[2] / "playbooks" / "roles" / "forge" / "files"


def loaded() -> Any:
    loader = SourceFileLoader("sio_forge", str(ROLE / "sio-forge"))
    spec = importlib.util.spec_from_loader("sio_forge", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class Forge:
    """A forge below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.script = loaded()
        self.script.GIT = folder
        self.source = folder / "source.tar.b64"

    def receives(self, files: dict[str, str], tag: str = "v1.0.0") -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content.encode())
                archive.addfile(entry, io.BytesIO(content.encode()))
        self.source.write_bytes(base64.b64encode(packed.getvalue()))
        self.script.repository("licences", str(self.source), tag)

    def git(self, *arguments: str, name: str = "licences") -> str:
        command = ["git", "--git-dir", str(self.script.GIT / f"{name}.git"), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forge:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return Forge(tmp_path)


def test_a_source_becomes_a_tagged_commit_and_stays(forge: Forge) -> None:
    forge.receives({"a.php": "1", ".gitignore": "*.php"})
    assert forge.git("rev-parse", "main") == forge.git("rev-parse", "v1.0.0")
    assert forge.git("ls-tree", "-r", "--name-only", "main") == ".gitignore\na.php"
    first = forge.git("rev-parse", "main")
    forge.receives({"a.php": "1", ".gitignore": "*.php"})
    assert forge.git("rev-list", "--all") == first
    assert forge.git("log", "-1", "--format=%an %aI %cn %cI") == (
        "Cap Voile 2026-01-01T00:00:00+00:00 Cap Voile 2026-01-01T00:00:00+00:00"
    )


def test_the_same_source_is_the_same_commit_elsewhere(forge: Forge, tmp_path: Path) -> None:
    forge.receives({"a.php": "1"})
    other = Forge(tmp_path / "other")
    other.script.GIT.mkdir()
    other.receives({"a.php": "1"})
    assert forge.git("rev-parse", "main") == other.git("rev-parse", "main")


def test_a_changed_source_is_a_new_commit_and_its_tag_moves(forge: Forge) -> None:
    forge.receives({"a.php": "1", "b.php": "2"})
    first = forge.git("rev-parse", "main")
    forge.receives({"a.php": "3"})
    assert forge.git("rev-parse", "main^") == first
    assert forge.git("rev-parse", "v1.0.0") == forge.git("rev-parse", "main")
    assert forge.git("ls-tree", "-r", "--name-only", "main") == "a.php"


def test_another_tag_leaves_the_first_where_it_is(forge: Forge) -> None:
    forge.receives({"a.php": "1"})
    first = forge.git("rev-parse", "main")
    forge.receives({"a.php": "2"}, tag="v1.1.0")
    assert forge.git("rev-parse", "v1.0.0") == first
    assert forge.git("rev-parse", "v1.1.0") == forge.git("rev-parse", "main")


def test_a_repository_for_trials_begins_once(forge: Forge) -> None:
    forge.script.repository("essai", "", "")
    assert forge.git("ls-tree", "--name-only", "main", name="essai") == "LISEZMOI.md"
    blob = forge.git("rev-parse", "main:LISEZMOI.md", name="essai")
    forge.git("update-ref", "refs/heads/autre", forge.git("rev-parse", "main", name="essai"), name="essai")
    forge.script.repository("essai", "", "")
    assert forge.git("rev-parse", "main:LISEZMOI.md", name="essai") == blob
    assert forge.git("tag", "--list", name="essai") == ""


@pytest.mark.parametrize("again", [False, True])
def test_the_tracker_is_told_of_what_is_new(forge: Forge, tmp_path: Path, monkeypatch: Any, again: bool) -> None:
    """A commit that another branch holds already was told when it came there."""
    told = tmp_path / "told"
    tool = tmp_path / "bin" / "trac-admin"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" >>{told}\n', encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    forge.script.repository("essai", "", "")
    clone = tmp_path / "clone"
    run = ["git", "-C", str(clone), "-c", "user.name=C", "-c", "user.email=c@example.test"]
    hook = tmp_path / "hooks" / "post-receive"
    hook.parent.mkdir()
    hook.write_text((ROLE / "post-receive").read_text(encoding="utf-8"), encoding="utf-8")
    hook.chmod(0o755)
    forge.git("config", "core.hooksPath", str(hook.parent), name="essai")
    subprocess.run(["git", "clone", "-q", str(forge.script.GIT / "essai.git"), str(clone)], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "refs #1"], check=True)
    subprocess.run([*run, "push", "-q", "origin", "HEAD:un"], check=True)
    if again:
        subprocess.run([*run, "push", "-q", "origin", "HEAD:deux", "HEAD:main"], check=True)
        subprocess.run([*run, "push", "-q", "origin", ":un"], check=True)
    head = subprocess.run([*run, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert told.read_text(encoding="utf-8") == f"/srv/trac/suivi changeset added essai {head}\n"
