"""What docs/own-application.md prints, put in place of an application of the embedded lab, is a lab."""

import re
import shutil
from pathlib import Path

import pytest

from sio_lab.lab import LoadedLab, load
from sio_lab.provision import roles, sources

ROOT = Path(__file__).parents[3]
SLAM = ROOT / "inventories" / "slam"
PAGE = (ROOT / "docs" / "own-application.md").read_text(encoding="utf-8")
MACHINE, APPLICATION, CALLS, FLOWS = re.findall(r"(?ms)^```yaml\n(.+?)^```$", PAGE)
SECTION = re.compile(r"(?m)^  licences:\n(?:    .*\n)+")


@pytest.fixture
def replaced(tmp_path: Path) -> LoadedLab:
    """Return the lab that who follows the page has."""
    text = (SLAM / "lab.yml").read_text(encoding="utf-8")
    assert len(SECTION.findall(text)) == 2, "a machine and an application"
    for section in (MACHINE, APPLICATION):
        text = SECTION.sub(lambda _, section=section: section, text, count=1)
    assert text.count("    calls: licences\n") == 1
    text = text.replace("    calls: licences\n", CALLS)
    lines, flows = text.split("\nflows:\n")
    kept = [line for line in flows.splitlines(keepends=True) if "licences" not in line]
    (tmp_path / "lab.yml").write_text(f"{lines}\nflows:\n{''.join(kept)}{FLOWS}", encoding="utf-8")
    for folder in (ROOT / "docs" / "exemples" / "materiel", SLAM / "applications" / "regates"):
        shutil.copytree(folder, tmp_path / "applications" / folder.name)
    return load(tmp_path)


def test_the_lab_file_loads(replaced: LoadedLab) -> None:
    lab = replaced.lab
    assert list(lab.applications) == ["materiel", "regates"]
    assert lab.applications["regates"].calls == "materiel"
    assert "licences" not in lab.machines
    roles.check(lab)


def test_nothing_else_names_what_is_replaced(replaced: LoadedLab) -> None:
    left = [line for line in replaced.path.read_text(encoding="utf-8").splitlines() if "licences" in line]
    assert left == ["      call_url: https://regates.capvoile.test/api/licences?cherche={mark}"]


def test_the_application_has_its_role_and_packages_where_they_are_needed(replaced: LoadedLab) -> None:
    lab = replaced.lab
    assert roles.of_machine(lab, "materiel") == ["application"]
    assert "browser" in roles.of_machine(lab, "poste")
    for machine in ("materiel", "dev"):
        assert "python3-flask" in roles.packages(lab, machine)


def test_its_source_is_packed(replaced: LoadedLab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources.paths, "state", lambda _: tmp_path)
    assert {file.name for file in sources.pack(replaced).iterdir()} == {"materiel.tar", "regates.tar"}
