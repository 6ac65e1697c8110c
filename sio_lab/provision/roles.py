"""Which roles a machine runs, and what they need of its image and of the lab's secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from sio_lab import files, paths
from sio_lab.errors import LabFileError, ProvisionError
from sio_lab.lab.base import Service
from sio_lab.lab.model import Lab
from sio_lab.lab.software import Application
from sio_lab.lab.tree import closest
from sio_lab.providers.base import ImageRecipe
from sio_lab.text import Text

COMMON = "common"
"""Role of every machine; it runs before the others."""
APPLICATION_SECRETS = ("session", "data", "service")
"""What each application has a secret for, ``<kind>_<application>``: its users' sessions, its data on the remote
site, and the applications that call it."""


def folder() -> Path:
    """Return the folder of the roles that travel with the tool."""
    return paths.data("playbooks", "roles")


def of_machine(lab: Lab, machine: str) -> list[str]:
    """Return the roles of ``machine`` beyond ``common``, in the order in which they run, each once.

    Its own ``roles`` come first (a firewall before what passes through it), then those of the
    services that it renders, then those that other machines' services need of it.
    """
    wanted = [*lab.machines[machine].roles, *(role for role, name in _of_services(lab) if name == machine)]
    return list(dict.fromkeys(role for role in wanted if role != COMMON))


def check(lab: Lab, roles: Path | None = None) -> None:
    """Make sure that every role that ``lab`` asks for exists.

    Raises:
        LabFileError: one does not; the error names those that do.
    """
    root = roles or folder()
    existing = sorted(path.name for path in root.iterdir() if path.is_dir())
    for machine in lab.machines:
        for role in of_machine(lab, machine):
            if role not in existing:
                raise LabFileError(
                    Text(f"rôle inconnu : {role}", f"unknown role: {role}"),
                    where=f"machines.{machine}",
                    todo=closest(role, existing)
                    or Text(f"rôles : {', '.join(existing)}", f"roles: {', '.join(existing)}"),
                )


def packages(lab: Lab, machine: str, roles: Path | None = None) -> tuple[str, ...]:
    """Return the packages that the roles of ``machine`` need, sorted.

    Raises:
        ProvisionError: a role's ``vars/main.yml`` is not what it should be.
    """
    root = roles or folder()
    found = {name for role in (COMMON, *of_machine(lab, machine)) for name in _list(root, role, "packages")}
    for application in lab.applications.values():
        # Its clones are built and tested where it is developed.
        if machine in (*application.machines, application.development):
            found.update(application.packages)
    return tuple(sorted(found))


def secrets(lab: Lab, roles: Path | None = None) -> tuple[str, ...]:
    """Return the names of the secrets that the roles of ``lab`` ask for, sorted.

    Raises:
        ProvisionError: a role's ``vars/main.yml`` is not what it should be.
    """
    root = roles or folder()
    used = {role for machine in lab.machines for role in (COMMON, *of_machine(lab, machine))}
    of_applications = {f"{kind}_{name}" for name in lab.applications for kind in APPLICATION_SECRETS}
    return tuple(sorted({name for role in used for name in _list(root, role, "secrets")} | of_applications))


def recipes(lab: Lab, roles: Path | None = None) -> dict[str, ImageRecipe]:
    """Return what the image of each machine must hold.

    Raises:
        LabFileError: a role does not exist.
        ProvisionError: a role's ``vars/main.yml`` is not what it should be.
    """
    check(lab, roles)
    return {
        name: ImageRecipe(
            image=machine.image if isinstance(machine.image, str) else machine.image[0],
            packages=packages(lab, name, roles),
        )
        for name, machine in lab.machines.items()
    }


def _of_services(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield (role, machine) for every declared service."""
    for capability, service in lab.services:
        if not isinstance(service, Service) or capability == "terminals":
            continue  # `encryption`, `cloud`…: claims about other services, nothing to install
        for machine in service.machines:
            yield capability, machine
    if lab.services.terminals:
        yield "terminal_fixed", lab.services.terminals.fixed
        yield "terminal_mobile", lab.services.terminals.mobile
    if lab.services.internet_access:
        yield "internet_client", lab.services.internet_access.client
    for shared in lab.shared_addresses.values():
        for machine in shared.machines:
            yield "shared_address", machine
    if lab.services.backup:
        yield "backup_source", lab.services.backup.source
    for application in lab.applications.values():
        yield from _of_application(application)


def _of_application(application: Application) -> Iterator[tuple[str, str]]:
    for machine in application.machines:
        yield "application", machine
    if application.heavy_client:
        yield "application_client", application.heavy_client.machine
    for page in (application.browser, application.mobile):
        if page:
            yield "browser", page.machine


def _list(root: Path, role: str, what: str) -> list[str]:
    """Return ``<role>_<what>`` of the role's variables: a list of names, empty where it says nothing."""
    file = root / role / "vars" / "main.yml"
    if not file.is_file():
        return []
    try:
        content = files.own_yaml(file) or {}
    except yaml.YAMLError as error:
        raise _malformed(file) from error
    names = content.get(f"{role}_{what}", []) if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _malformed(file)
    return names


def _malformed(file: Path) -> ProvisionError:
    return ProvisionError(
        Text("variables de rôle incomprises", "role variables not understood"),
        where=str(file),
        todo=Text(
            "<rôle>_packages et <rôle>_secrets y sont des listes de noms",
            "<role>_packages and <role>_secrets are lists of names there",
        ),
    )
