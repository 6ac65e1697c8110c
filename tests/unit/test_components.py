"""The library of components: its locks hold as long as the same source makes the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "playbooks" / "roles" / "components" / "files"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a repository that was just built."""
    folder = tmp_path_factory.mktemp("depot")
    url = "https://composants.capvoile.test/"
    subprocess.run([sys.executable, SOURCE / "construire.py", SOURCE, folder, url], check=True)
    return folder


@pytest.mark.parametrize("lock", sorted((SOURCE / "verrous").iterdir()), ids=lambda lock: lock.name)
def test_what_is_built_is_what_is_locked(repository: Path, lock: Path) -> None:
    version = lock.name
    wheel = (repository / "fichiers" / f"capvoile_commun-{version}-py3-none-any.whl").read_bytes()
    locked = (lock / "requirements.lock").read_text(encoding="utf-8")
    assert f"capvoile-commun=={version} " in locked
    assert hashlib.sha256(wheel).hexdigest() == re.search(r"sha256:([0-9a-f]{64})", locked)[1]  # type: ignore[index]

    archive = (repository / "fichiers" / f"capvoile-commun-{version}.zip").read_bytes()
    (package,) = json.loads((lock / "composer.lock").read_text(encoding="utf-8"))["packages"]
    assert package["version"] == version
    assert hashlib.sha1(archive).hexdigest() == package["dist"]["shasum"]
    offered = json.loads((repository / "composer" / "packages.json").read_text(encoding="utf-8"))
    assert offered["packages"]["capvoile/commun"][version]["dist"] == package["dist"]


def test_index_gives_the_hash_of_each_wheel(repository: Path) -> None:
    page = (repository / "simple" / "capvoile-commun" / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"#]+)#sha256=([0-9a-f]{64})"', page)
    assert len(links) == 2
    for target, hashed in links:
        wheel = repository / "simple" / "capvoile-commun" / target
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() == hashed


def test_the_library_passes_its_own_tests() -> None:
    folder = SOURCE / "python"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "tests"]
    alone = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
