"""The rules of docs/architecture.md that a reader cannot be trusted to keep: layers, names, sizes."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sio_lab import catalogue
from sio_lab.lab import load
from sio_lab.lab.services import Services
from sio_lab.provision import faults

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sio_lab"
COMMON = {"text", "errors", "paths", "parallel", "files", "startup"}

MAY_IMPORT = {
    "lab": COMMON | {"lab"},
    "catalogue": COMMON | {"catalogue"},
    "providers": COMMON | {"providers", "lab"},
    # How a machine is reached; the words of a machine's nature.
    "probes": COMMON | {"probes", "lab", "providers.base.SshAccess", "audit.document.Nature"},
    # The document's own classes: those of evidence, and of the catalogue that `sio-lab catalogue` shows.
    "reports": COMMON | {"reports", "audit.document", "audit.timeline", "probes.observation", "catalogue.model"},
    "verdict.py": COMMON | {"verdict_words", "audit.document", "catalogue"},
    "verdict_words.py": COMMON | {"audit.document"},
}
CHECKS_MAY_IMPORT = {"text", "errors", "parallel", "lab", "probes", "audit", "disruption"}
SPEAKING = {
    "asyncio", "ftplib", "http", "httpx", "imaplib", "ldap3", "multiprocessing", "netmiko", "os", "paramiko",
    "psycopg", "scapy", "smtplib", "socket", "socketserver", "ssl", "sslyze", "subprocess", "testinfra", "urllib3",
}  # fmt: skip
"""Modules by which a check would ask by itself what a probe should ask for it."""

WITHOUT_ROLE = {
    "operating_systems": "a claim about machines",
    "encryption": "a claim about the other services",
    "secured_access": "a claim about the portal",
    "cloud": "somebody else's machine",
    "terminals": "two roles, one a terminal",
}
WITHOUT_CHECK = {
    "directory": "1.1.a is about both: test_authentication.py",
    "portal": "1.1.a is about both: test_authentication.py",
    "website": "2.1.b is about the whole way to it",
    "remote_data": "3.2 is about the applications that use it: test_application.py",
}
WITHOUT_FAULT = {
    "operating_systems": "no playbook makes another system of a machine",
    "cloud": "somebody else's machine",
}
AT_THE_TOP = {
    ".ansible-lint", ".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "LISEZMOI.md", "Makefile",
    "README.md", "Vagrantfile", "benchmarks", "checks", "docs", "hatch_build.py", "inventories", "playbooks",
    "pyproject.toml", "sio_lab", "templates", "tests",
}  # fmt: skip
LONGEST = 440
"""Lines: about 400, as CONTRIBUTING.md says."""


def imported(file: Path) -> Iterator[str]:
    """Yield the dotted names that ``file`` imports, wherever it does."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def of_the_package(file: Path) -> set[str]:
    return {name.removeprefix("sio_lab.") for name in imported(file) if name.startswith("sio_lab.")}


def within(name: str, allowed: set[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed)


def python_files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


CHECKS = [file for file in python_files(ROOT / "checks") if file.name.startswith("test_")]


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_data_goes_one_way(layer: str) -> None:
    for file in python_files(PACKAGE / layer):
        strangers = [name for name in of_the_package(file) if not within(name, MAY_IMPORT[layer])]
        assert not strangers, f"{file.relative_to(ROOT)} imports {', '.join(strangers)}"


@pytest.mark.parametrize("file", CHECKS, ids=lambda file: file.stem)
def test_checks_ask_through_probes(file: Path) -> None:
    names = set(imported(file))
    assert not {name for name in names if name.split(".")[0] in SPEAKING}
    assert not {name for name in of_the_package(file) if not within(name, CHECKS_MAY_IMPORT)}


def checks_of(file: Path) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Yield the checks of ``file``, each with the requirement that it is bound to."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            (bound,) = (
                mark
                for mark in node.decorator_list
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "requirement"
            )
            assert isinstance(bound.args[0], ast.Constant)
            yield node, str(bound.args[0].value)


@pytest.mark.parametrize("file", CHECKS, ids=lambda file: file.stem)
def test_checks_say_what_they_conclude(file: Path) -> None:
    known = catalogue.load().ids()
    for check, id_ in checks_of(file):
        assert id_ in known
        said = ast.get_docstring(check) or ""
        for start in ("Satisfied:", "Not satisfied:", "Unverified:", "Reads:"):
            assert re.search(rf"^{start} ", said, re.MULTILINE), f"{file.name}::{check.name}: {start}"


def test_every_requirement_of_section_1_has_a_check() -> None:
    proven = {id_ for file in CHECKS for _, id_ in checks_of(file)}
    assert {id_ for id_ in catalogue.load().ids() if id_.startswith("1.")} <= proven


@pytest.mark.parametrize("capability", Services.model_fields)
def test_a_capability_is_found_by_its_name(capability: str) -> None:
    role = ROOT / "playbooks" / "roles" / capability / "tasks" / "main.yml"
    assert role.is_file() != (capability in WITHOUT_ROLE)
    check = list((ROOT / "checks").glob(f"*/test_{capability}.py"))
    assert bool(check) != (capability in WITHOUT_CHECK)
    broken = list((ROOT / "playbooks" / "faults").glob(f"{capability}_*.yml"))
    assert bool(broken) != (capability in WITHOUT_FAULT)


def test_a_fault_is_named_after_what_it_breaks() -> None:
    roles = {path.name for path in (ROOT / "playbooks" / "roles").iterdir()} | set(Services.model_fields)
    for fault in faults.catalogue(ROOT / "playbooks" / "faults"):
        assert [role for role in roles if fault.name.startswith(f"{role}_")], fault.name


def tracked() -> list[Path]:
    """Return the files under version control that are still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [file for name in listed.stdout.split("\0") if name and (file := ROOT / name).is_file()]


def test_nothing_but_sources_is_kept() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in tracked()} <= AT_THE_TOP
    assert {file.suffix for file in tracked() if b"\0" in file.read_bytes()} <= {".png"}


def test_no_file_is_too_long() -> None:
    files = [file for file in tracked() if file.suffix in {".py", ".yml", ".j2", ".css"}]
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


@pytest.mark.parametrize(
    ("name", "faults_of"), [("sisr", ["sisr"]), ("slam", ["slam"]), ("both", ["sisr", "slam"])]
)
def test_readme_of_an_embedded_lab_is_complete(name: str, faults_of: list[str]) -> None:
    page = (ROOT / "inventories" / name / "README.md").read_text(encoding="utf-8")
    lab = load(ROOT / "inventories" / name).lab
    listed = [
        line
        for other in faults_of
        for line in (ROOT / "inventories" / other / "README.md").read_text(encoding="utf-8").splitlines()
    ]
    for name, machine in lab.machines.items():
        addresses = ", ".join(f"{address} ({perimeter})" for perimeter, address in machine.addresses.items())
        assert f"| `{name}` | {addresses} |" in page, name
    for fault in faults.available(lab):
        rows = [line for line in listed if line.startswith(f"| `{fault.name}` |")]
        told = {id_ for row in rows for id_ in row.removesuffix(" |").rpartition("| ")[2].split(", ")}
        assert told == set(fault.breaks), fault.name


def test_documents_name_what_exists() -> None:
    """Links and paths in the documents lead somewhere."""
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("inventories/*/*.md")]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
        for path in re.findall(
            r"`((?:sio_lab|checks|playbooks|templates|tests|docs|inventories)/[\w./-]+)`", text
        ):
            assert (ROOT / path).exists(), f"{page.name}: {path}"
