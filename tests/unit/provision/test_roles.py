"""Which roles run where, and what they ask of images and secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_lab import SMALL, changed

from sio_lab.errors import LabFileError, ProvisionError
from sio_lab.lab.model import Lab
from sio_lab.provision import roles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Roles of the tests' own."""
    said = {
        "common": "common_packages: [sudo, openssl]",
        "firewall": "firewall_packages: [nftables]",
        "internet_sites": "",
        "dbms": "dbms_packages: [postgresql, openssl]\ndbms_secrets: [dbms]",
        "backup_source": "---\nother: true",
    }
    for name, variables in said.items():
        (tmp_path / "roles" / name / "vars").mkdir(parents=True)
        (tmp_path / "roles" / name / "vars" / "main.yml").write_text(variables)
    (tmp_path / "roles" / "README.md").write_text("no role")
    return tmp_path / "roles"


def test_of_the_small_lab(small: Lab) -> None:
    found = {machine: roles.of_machine(small, machine) for machine in small.machines}
    assert found == {"dehors": ["internet_sites"], "fw": ["firewall"], "web": [], "bdd": ["dbms"], "poste": []}


def test_of_the_embedded_lab(sisr: Lab) -> None:
    assert roles.of_machine(sisr, "bdd1") == ["dbms", "continuity", "shared_address", "backup_source"]
    assert roles.of_machine(sisr, "poste")[0] == "terminal_fixed"
    assert roles.of_machine(sisr, "mobile") == ["terminal_mobile"]
    assert roles.of_machine(sisr, "portail") == ["portal", "intrusion_prevention"]


def test_each_role_once_and_common_left_to_the_play() -> None:
    machines = {
        **SMALL["machines"],
        "bdd": {"addresses": {"dmz": "10.9.1.11"}, "roles": ["dbms", "common", "dbms"]},
    }
    assert roles.of_machine(changed(machines=machines), "bdd") == ["dbms"]


def test_packages(small: Lab, folder: Path) -> None:
    assert roles.packages(small, "bdd", folder) == ("openssl", "postgresql", "sudo")
    assert roles.packages(small, "web", folder) == ("openssl", "sudo")


def test_secrets(small: Lab, folder: Path) -> None:
    assert roles.secrets(small, folder) == ("dbms",)


def test_recipes(small: Lab, folder: Path) -> None:
    recipes = roles.recipes(small, folder)
    assert set(recipes) == set(small.machines)
    assert recipes["web"] == recipes["poste"]
    assert recipes["web"].digest == recipes["poste"].digest != recipes["bdd"].digest
    assert recipes["bdd"].image == "debian/13"


def test_unknown_role_is_told_with_what_was_meant(folder: Path) -> None:
    machines = {**SMALL["machines"], "web": {"addresses": {"dmz": "10.9.1.10"}, "roles": ["firewal"]}}
    with pytest.raises(LabFileError, match="unknown role: firewal") as caught:
        roles.check(changed(machines=machines), folder)
    assert caught.value.where == "machines.web"
    assert caught.value.todo
    assert "firewall" in caught.value.todo.en


@pytest.mark.parametrize("content", ["dbms_packages: postgresql", "dbms_packages: [1]", "- list", "{"])
def test_variables_not_understood(small: Lab, folder: Path, content: str) -> None:
    (folder / "dbms" / "vars" / "main.yml").write_text(content)
    with pytest.raises(ProvisionError, match="role variables not understood") as caught:
        roles.packages(small, "bdd", folder)
    assert caught.value.where.endswith("roles/dbms/vars/main.yml")
