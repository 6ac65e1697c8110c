"""What services refer to: machines, accounts, and the hosts of their addresses."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import BaseModel

from sio_lab.lab.base import AccountName, MachineName, named
from sio_lab.lab.inconsistency import Inconsistency, unknown
from sio_lab.lab.model import Lab
from sio_lab.lab.software import Application
from sio_lab.lab.tree import Path, closest
from sio_lab.text import Text

# Which side of the organisation an account must be on.
_SCOPES = {
    ("directory", "account"): "internal",
    ("portal", "account"): "external",
    ("portal", "internal_account"): "internal",
    ("secured_access", "intranet_account"): "internal",
    ("secured_access", "extranet_account"): "external",
}
# Pairs of names that must differ, or the check would compare a thing with itself.
_DISTINCT = {
    "portal": ("client", "outside_client"),
    "restricted_area": ("account", "unauthorised"),
    "ticketing": ("account", "agent"),
    "intrusion_prevention": ("client", "outside_client"),
    "terminals": ("fixed", "mobile"),
    "terminal_deployment": ("client", "stranger"),
    "secured_access": ("client", "outside_client"),
    "forge": ("account", "outsider"),
}
# What the roles of some capabilities authenticate people against.
_NEEDS = {"portal": "directory", "internet_access": "directory"}
# Sites that the role internet_sites serves under names of their own, or that are really online.
_ELSEWHERE = {"allowed_url", "forbidden_url", "flow_url", "cloud.url"}
_SCHEMES = {"directory.url": ("ldaps", "ldap"), "restricted_area.url": ("https", "sftp", "smb", "http")}


def check(lab: Lab) -> Iterator[Inconsistency]:
    """Yield what the services of ``lab`` say that cannot be."""
    for capability in type(lab.services).model_fields:
        section = getattr(lab.services, capability)
        if section is None:
            continue
        path = ("services", capability)
        yield from _names(lab, section, path)
        yield from _scopes(lab, capability, section)
        yield from _distinct(capability, section)
        yield from _needed(lab, capability)
        yield from _hosts(lab, section, path)
    for name, contract in lab.contracts.items():
        yield from _names(lab, contract, ("contracts", name))
        yield from _hosts(lab, contract, ("contracts", name))
    for name, application in lab.applications.items():
        path = ("applications", name)
        yield from _names(lab, application, path)
        yield from _hosts(lab, application, path)
        yield from _application(lab, application, path)


def _application(lab: Lab, application: Application, path: Path) -> Iterator[Inconsistency]:
    if application.calls not in lab.applications:
        yield unknown(
            (*path, "calls"),
            Text("application non déclarée", "undeclared application"),
            application.calls,
            list(lab.applications),
        )
    if bool(application.serve) == bool(application.public):
        yield Inconsistency(
            (*path, "serve"),
            Text("il faut dire l'un des deux : serve ou public", "one of the two is needed: serve or public"),
            Text(
                "serve: commande qui écoute sur {port}, ou public: dossier d'index.php",
                "serve: command that listens on {port}, or public: folder of index.php",
            ),
        )


def _names(lab: Lab, section: BaseModel, path: Path) -> Iterator[Inconsistency]:
    for where, name in named(section, MachineName, path):
        if name not in lab.machines:
            yield unknown(where, Text("machine non déclarée", "undeclared machine"), name, list(lab.machines))
    for where, name in named(section, AccountName, path):
        if name not in lab.accounts:
            yield unknown(where, Text("compte non déclaré", "undeclared account"), name, list(lab.accounts))


def _scopes(lab: Lab, capability: str, section: BaseModel) -> Iterator[Inconsistency]:
    words = {"internal": Text("interne", "internal"), "external": Text("externe", "external")}
    for (of, field), scope in _SCOPES.items():
        if of != capability:
            continue
        name = getattr(section, field)
        account = lab.accounts.get(name)
        if account and account.scope != scope:
            yield Inconsistency(
                ("services", capability, field),
                Text(f"« {name} » n'est pas un compte {words[scope].fr}", f"'{name}' is no {scope} account"),
                Text(
                    f"scope: {scope} dans accounts.{name}, ou un autre compte",
                    f"scope: {scope} in accounts.{name}, or another account",
                ),
            )


def _needed(lab: Lab, capability: str) -> Iterator[Inconsistency]:
    """A service of ours that asks another one; machines that are already there have their own ways."""
    needed = _NEEDS.get(capability)
    if needed and lab.provider != "existing" and getattr(lab.services, needed) is None:
        yield Inconsistency(
            ("services", capability),
            Text(
                f"{capability} a besoin de {needed}, qui manque", f"{capability} needs {needed}, which is missing"
            ),
            Text(f"déclarez services.{needed}", f"declare services.{needed}"),
            True,
        )


def _distinct(capability: str, section: BaseModel) -> Iterator[Inconsistency]:
    path = ("services", capability)
    if capability in _DISTINCT:
        one, other = _DISTINCT[capability]
        name = getattr(section, one)
        if name == getattr(section, other):
            yield Inconsistency(
                (*path, other),
                Text(f"« {name} » est déjà {capability}.{one}", f"'{name}' is already {capability}.{one}"),
                Text("il en faut deux différents", "two different ones are needed"),
            )
    for field in ("machines", "members"):
        names = list(getattr(section, field, ()))
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Inconsistency(
                    (*path, field, index), Text(f"« {name} » écrit deux fois", f"'{name}' written twice")
                )
    outsider = getattr(section, "outsider", None)
    if outsider in getattr(section, "members", ()):
        yield Inconsistency((*path, "outsider"), Text(f"« {outsider} » est membre", f"'{outsider}' is a member"))


def _hosts(lab: Lab, section: BaseModel, path: Path) -> Iterator[Inconsistency]:
    for field in type(section).model_fields:
        value = getattr(section, field)
        where = (*path, field)
        if isinstance(value, list | tuple):
            for index, inner in enumerate(value):
                if isinstance(inner, BaseModel):
                    yield from _hosts(lab, inner, (*where, index))
        elif isinstance(value, BaseModel):
            yield from _hosts(lab, value, where)
        elif isinstance(value, str) and (field == "url" or field.endswith("_url")):
            yield from _url(lab, where, value)
        elif isinstance(value, str) and field == "host":
            yield from _host(lab, where, value)


def _url(lab: Lab, path: Path, url: str) -> Iterator[Inconsistency]:
    name = ".".join(map(str, path[1:]))
    schemes = _SCHEMES.get(name, ("https", "http"))
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in schemes:
        forms = " ou ".join(f"{scheme}://…" for scheme in schemes[:3])
        yield Inconsistency(
            path,
            Text(f"adresse impossible : {url}", f"impossible address: {url}"),
            Text(f"forme attendue : {forms}", f"expected form: {forms.replace(' ou ', ' or ')}"),
        )
    elif name not in _ELSEWHERE and str(path[-1]) not in _ELSEWHERE:
        yield from _host(lab, path, host)


def _host(lab: Lab, path: Path, host: str) -> Iterator[Inconsistency]:
    # Machines that are already there have a DNS of their own, with aliases that the file need not know.
    if lab.provider != "existing" and lab.machine_of(host) is None:
        names = [lab.fqdn(name) for name in (*lab.machines, *lab.shared_addresses)]
        yield Inconsistency(
            path,
            Text(
                f"aucune machine ne porte le nom ou l'adresse {host}",
                f"no machine bears the name or address {host}",
            ),
            closest(host, names)
            or Text(f"noms du labo : {', '.join(names)}", f"names of the lab: {', '.join(names)}"),
        )
