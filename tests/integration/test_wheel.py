"""The package as users install it: whole, without anybody's reports, and working far from the checkout."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAVELS = ("checks", "playbooks", "templates", "inventories", "Vagrantfile")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed: pip install -e '.[dev]'"
    ),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network from a checkout that was worked in."""
    folder = tmp_path_factory.mktemp("wheel")
    checkout = folder / "checkout"
    checkout.mkdir()
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).write_bytes((ROOT / name).read_bytes())
    left = ["inventories/sisr/reports/audit.json", "checks/common/__pycache__/x.pyc", "inventories/x/.vagrant/id"]
    for name in left:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("left by a tool")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=checkout,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_what_must_travel_travels(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", *TRAVELS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wanted = {name for name in tracked.stdout.split("\0") if name and (ROOT / name).is_file()}
    assert {name.split("/")[0] for name in wanted} == set(TRAVELS)
    assert {f"sio_lab/_data/{name}" for name in wanted} <= names(wheel)
    for name in ("py.typed", "catalogue/annexe_ii_e.yml", "lab/lab.schema.json", "audit/audit.schema.json"):
        assert f"sio_lab/{name}" in names(wheel)


def test_what_must_stay_stays(wheel: Path) -> None:
    left = ("/reports/audit.json", "__pycache__", ".vagrant")
    assert not [name for name in names(wheel) if any(each in name for each in left)]
    # Ours; those of the embedded labs' applications are part of the labs.
    assert not [
        name for name in names(wheel) if name.startswith(("tests/", "sio_lab/tests/", "sio_lab/_data/tests/"))
    ]
    tops = {name.split("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"sio_lab"}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-index",
            "--target",
            str(folder),
            str(wheel),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def run(installed: Path, *argv: str) -> str:
    """Run the installed package from a folder of its own, as ``python ARGV``."""
    ran = subprocess.run(
        [sys.executable, *argv],
        cwd=installed.parent,
        env=os.environ | {"PYTHONPATH": str(installed), "XDG_STATE_HOME": str(installed.parent / "state")},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


def test_the_installed_package_is_the_one_that_runs(installed: Path) -> None:
    where = run(
        installed, "-c", "import sio_lab, sio_lab.paths as p; print(sio_lab.__file__, p.data('playbooks'))"
    )
    assert where.split() == [str(installed / "sio_lab" / name) for name in ("__init__.py", "_data/playbooks")]


def test_catalogue(installed: Path) -> None:
    listed = run(installed, "-m", "sio_lab", "--lang", "en", "catalogue", "--format", "json")
    assert json.loads(listed)["sections"]


def test_starter_lab_and_its_errors(installed: Path) -> None:
    """init reads a template, and a loaded lab finds its roles."""
    run(installed, "-m", "sio_lab", "init", "--option", "SISR", "monlabo")
    script = (
        "from sio_lab.lab import load; from sio_lab.provision import roles, faults; from pathlib import Path\n"
        "lab = load(Path('monlabo')).lab\n"
        "print(len(roles.recipes(lab)), len(faults.available(lab)))"
    )
    machines, faults = run(installed, "-c", script).split()
    assert int(machines) > 1
    assert int(faults) > 1
