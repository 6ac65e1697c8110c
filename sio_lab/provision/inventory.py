"""The Ansible inventory, made from the lab file: one source, nothing to keep in step.

Written as files, so that Vagrant's provisioner and a plain ``ansible-playbook`` read it too::

    <state>/ansible/inventory/hosts.json           machines and groups, nothing secret
    <state>/ansible/inventory/group_vars/all.json  what every host shares, secrets too (mode 0600)
    <state>/ansible/ssh_config                     how to reach each machine
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import JsonValue

from sio_lab import files, paths
from sio_lab.lab.base import Service
from sio_lab.lab.model import Lab
from sio_lab.providers.base import SshAccess
from sio_lab.provision import addressing, connect, filtering, roles, sources
from sio_lab.provision.secrets import Secrets


def folder(lab: Lab) -> Path:
    """Return the folder (mode 0700) that Ansible works in for ``lab``."""
    path = paths.state(lab.lab) / "ansible"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def write(
    lab: Lab,
    access: Mapping[str, SshAccess],
    secrets: Secrets,
    *,
    machines: Collection[str] | None = None,
    only_roles: Collection[str] | None = None,
) -> Path:
    """Write the inventory of ``lab``; return its path, for ``ansible-playbook -i``.

    Args:
        lab: the lab.
        access: how to reach each machine; machines without it are left out.
        secrets: the lab's secrets.
        machines: the only machines to write; default: all.
        only_roles: the only roles to run beyond ``common``; default: all.

    Raises:
        OSError: the state folder cannot be written.
    """
    root = folder(lab)
    inventory = root / "inventory"
    (inventory / "group_vars").mkdir(mode=0o700, parents=True, exist_ok=True)
    config = root / "ssh_config"
    files.write(root / "known_hosts", _known_hosts(access).encode())
    files.write(config, ssh_config(access, root / "known_hosts").encode())
    chosen = [name for name in lab.machines if name in access and (machines is None or name in machines)]
    tree = hosts(lab, access, chosen, config, only_roles)
    files.write(inventory / "hosts.json", json.dumps(tree, indent=1).encode())
    shared = shared_variables(lab, secrets)
    files.write(inventory / "group_vars" / "all.json", json.dumps(shared, indent=1).encode())
    return inventory


def hosts(
    lab: Lab,
    access: Mapping[str, SshAccess],
    machines: Collection[str],
    ssh_config: Path,
    only_roles: Collection[str] | None = None,
) -> dict[str, JsonValue]:
    """Return the inventory of ``machines`` in Ansible's YAML layout, without any secret.

    Groups: one a role, one a capability, ``kind_<kind>``, ``perimeter_<perimeter>`` (hyphens become underscores).
    """
    variables: dict[str, JsonValue] = {
        name: {**_connection(access[name], ssh_config), **host_variables(lab, name, only_roles)}
        for name in machines
    }
    children: dict[str, JsonValue] = {
        group: {"hosts": {name: None for name in members if name in machines}}
        for group, members in groups(lab).items()
    }
    return {"all": {"hosts": variables, "children": children}}


def groups(lab: Lab) -> dict[str, list[str]]:
    """Return the groups of ``lab`` and their machines (see ``hosts``)."""
    found: dict[str, list[str]] = {}
    for machine in lab.machines:
        for group in _groups(lab, machine):
            found.setdefault(group.replace("-", "_"), []).append(machine)
    return found


def host_variables(lab: Lab, machine: str, only_roles: Collection[str] | None = None) -> dict[str, JsonValue]:
    """Return the variables of ``machine`` (see docs/architecture.md), whatever way it is reached."""
    section: JsonValue = lab.machines[machine].model_dump(mode="json")
    run = [role for role in roles.of_machine(lab, machine) if only_roles is None or role in only_roles]
    variables: dict[str, JsonValue] = {
        "machine": section,
        "sio_roles": list[JsonValue](run),
        "sio_packages": list[JsonValue](roles.packages(lab, machine)),
        "interfaces": {name: addressing.interface(name) for name in lab.machines[machine].addresses},
        "gateway": str(lab.gateway(machine) or ""),
        "host_addresses": {name: str(address) for name, address in addressing.hosts(lab, machine).items()},
    }
    if lab.machines[machine].kind == "firewall":
        variables["firewall_crossings"] = filtering.crossings(lab, machine)
        variables["firewall_arrivals"] = filtering.arrivals(lab, machine)
        variables["firewall_routes"] = filtering.routes(lab, machine)
        variables["firewall_peers"] = filtering.peers(lab, machine)
        variables["firewall_mirrors"] = list[JsonValue](filtering.mirrors(lab, machine))
    return variables


def shared_variables(lab: Lab, secrets: Secrets) -> dict[str, JsonValue]:
    """Return the variables that every host shares; they hold the secrets."""
    return {
        "lab": lab.model_dump(mode="json", by_alias=True),
        "secrets": {"accounts": dict(secrets.passwords), "services": dict(secrets.services)},
        "pki_dir": str(paths.certificates(lab.lab)),
        "sources_dir": str(sources.folder(lab)),
        "internet_sites": {name: str(address) for name, address in addressing.sites(lab).items()},
    }


def ssh_config(access: Mapping[str, SshAccess], known_hosts: Path) -> str:
    """Return an OpenSSH configuration (ssh_config(5)) that leads to each machine under its name."""
    lines: list[str] = []
    for name, way in access.items():
        lines += [
            f"Host {name}",
            f"  HostName {way.host}",
            f"  Port {way.port}",
            f"  User {way.user}",
            "  PreferredAuthentications publickey",
            "  GSSAPIAuthentication no",
            "  ConnectTimeout 10",
            "  ServerAliveInterval 15",
            "  LogLevel ERROR",
        ]
        if way.identity_file:
            lines += [f"  IdentityFile {_quoted(way.identity_file)}", "  IdentitiesOnly yes"]
        if way.host_key:
            lines += [
                f"  HostKeyAlias {name}",
                f"  UserKnownHostsFile {_quoted(known_hosts)}",
                "  GlobalKnownHostsFile none",
                "  StrictHostKeyChecking yes",
            ]
        if way.unix_socket:
            command = shlex.join([sys.executable, "-IS", connect.__file__, str(way.unix_socket)])
            lines += [f"  ProxyCommand {command.replace('%', '%%')}", "  ProxyUseFdpass yes"]
    if any(way.unix_socket is None for way in access.values()):
        # Machines that were there before us: the user's own jump hosts and keys count, after ours.
        lines += ["Match all", "  Include ~/.ssh/config"]
    return "\n".join(lines) + "\n"


def _known_hosts(access: Mapping[str, SshAccess]) -> str:
    return "".join(f"{name} {way.host_key}\n" for name, way in access.items() if way.host_key)


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("%", "%%") + '"'


def _connection(way: SshAccess, config: Path) -> dict[str, JsonValue]:
    return {
        "ansible_host": way.machine,
        "ansible_ssh_common_args": shlex.join(["-F", str(config)]),
        "ansible_become": way.become,
        "ansible_python_interpreter": "/usr/bin/python3",  # asking costs a round trip a machine
    }


def _groups(lab: Lab, machine: str) -> list[str]:
    section = lab.machines[machine]
    capabilities = [
        name for name, service in lab.services if isinstance(service, Service) and machine in service.machines
    ]
    return [
        *dict.fromkeys([*roles.of_machine(lab, machine), *capabilities]),
        f"kind_{section.kind}",
        *(f"perimeter_{perimeter}" for perimeter in section.addresses),
    ]
