"""The inventory, as Ansible and ssh themselves read it."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sio_lab import paths
from sio_lab.lab.model import Lab
from sio_lab.providers.base import SshAccess
from sio_lab.provision import inventory, secrets
from sio_lab.provision.secrets import Secrets

BESIDE = Path(sys.executable).parent


def ways(lab: Lab, tmp_path: Path, **changes: Any) -> dict[str, SshAccess]:
    return {
        name: SshAccess(
            machine=name,
            user="root",
            host=name,
            unix_socket=tmp_path / "sockets 100%" / name,
            identity_file=tmp_path / "a key",
            host_key=f"ssh-ed25519 AAAA{name}",
            **changes,
        )
        for name in lab.machines
    }


@pytest.fixture
def made(small: Lab) -> Secrets:
    return secrets.ensure(small)


@pytest.fixture
def written(small: Lab, made: Secrets, tmp_path: Path) -> Path:
    return inventory.write(small, ways(small, tmp_path), made)


def ansible(source: Path, host: str) -> dict[str, Any]:
    """Return the variables of ``host``, as Ansible has them."""
    listed = subprocess.run(
        [BESIDE / "ansible-inventory", "-i", source, "--host", host], capture_output=True, text=True, check=True
    )
    return dict(json.loads(listed.stdout))


def test_readable_by_its_owner_alone(written: Path) -> None:
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700
    for path in written.parent.rglob("*"):
        assert path.is_dir() or stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_no_secret_beside_group_vars(written: Path, made: Secrets) -> None:
    values = [*made.passwords.values(), *made.services.values()]
    assert values
    for path in written.parent.rglob("*"):
        if path.is_file() and path.name != "all.json":
            assert not [value for value in values if value in path.read_text()], path
    shared = json.loads((written / "group_vars" / "all.json").read_text())
    assert shared["secrets"] == {"accounts": dict(made.passwords), "services": dict(made.services)}


def test_as_ansible_reads_it(written: Path, small: Lab, made: Secrets) -> None:
    variables = ansible(written, "bdd")
    assert variables["sio_roles"] == ["dbms"]
    assert variables["interfaces"] == {"dmz": "dmz", "mirror": "mirror"}
    assert variables["machine"]["addresses"] == {"dmz": "10.9.1.11", "mirror": "10.9.9.11"}
    assert variables["lab"]["flows"][0]["from"] == "internet"
    assert variables["lab"]["domain"] == small.domain
    assert variables["secrets"]["accounts"]["alice"] == made.passwords["alice"]
    assert variables["pki_dir"] == str(paths.certificates(small.lab))
    assert variables["host_addresses"]["web"] == "10.9.1.10"
    assert not variables["ansible_become"]
    assert "firewall_crossings" not in variables


def test_firewall_has_the_flow_matrix(written: Path) -> None:
    hosts = json.loads((written / "hosts.json").read_text())["all"]["hosts"]
    assert len(hosts["fw"]["firewall_crossings"]) == 4
    assert hosts["fw"]["firewall_mirrors"] == ["mirror"]


def test_groups(small: Lab, sisr: Lab) -> None:
    assert inventory.groups(small) == {
        "internet_sites": ["dehors"],
        "kind_server": ["dehors", "web", "bdd"],
        "perimeter_internet": ["dehors", "fw"],
        "firewall": ["fw"],
        "kind_firewall": ["fw"],
        "perimeter_dmz": ["fw", "web", "bdd"],
        "perimeter_users": ["fw", "poste"],
        "perimeter_mirror": ["fw", "bdd"],
        "dbms": ["bdd"],
        "kind_terminal": ["poste"],
    }
    assert inventory.groups(sisr)["terminals"] == ["poste", "mobile"]
    assert inventory.groups(sisr)["backup_source"] == ["bdd1"]


def test_only_some_machines_and_roles(small: Lab, tmp_path: Path) -> None:
    access = ways(small, tmp_path)
    del access["poste"]
    source = inventory.write(small, access, Secrets(), machines=["bdd", "poste"], only_roles=["firewall"])
    tree = json.loads((source / "hosts.json").read_text())["all"]
    assert list(tree["hosts"]) == ["bdd"]
    assert tree["hosts"]["bdd"]["sio_roles"] == []
    assert tree["children"]["dbms"]["hosts"] == {"bdd": None}
    assert tree["children"]["firewall"]["hosts"] == {}


def ssh(config: Path, host: str) -> dict[str, str]:
    """Return what ssh makes of the configuration for ``host``."""
    read = subprocess.run(["ssh", "-G", "-F", config, host], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in read.stdout.splitlines() if " " in line)


def test_ssh_configuration(written: Path, tmp_path: Path) -> None:
    found = ssh(written.parent / "ssh_config", "web")
    assert found["user"] == "root"
    assert found["stricthostkeychecking"] == "true"
    assert found["hostkeyalias"] == "web"
    assert found["identityfile"] == str(tmp_path / "a key")
    assert found["identitiesonly"] == "yes"
    assert found["userknownhostsfile"] == str(written.parent / "known_hosts")
    assert found["proxyusefdpass"] == "yes"
    assert found["proxycommand"].endswith(f"'{tmp_path}/sockets 100%%/web'")
    assert (written.parent / "known_hosts").read_text().splitlines()[0] == "dehors ssh-ed25519 AAAAdehors"


def test_ssh_configuration_of_machines_that_were_there(tmp_path: Path) -> None:
    access = {"srv": SshAccess(machine="srv", user="audit", host="srv.lycee.lan", port=2222, become=True)}
    config = tmp_path / "ssh_config"
    config.write_text(inventory.ssh_config(access, tmp_path / "known_hosts"))
    found = ssh(config, "srv")
    assert (found["hostname"], found["port"], found["user"]) == ("srv.lycee.lan", "2222", "audit")
    assert "proxycommand" not in found
    assert "Include ~/.ssh/config" in config.read_text()
