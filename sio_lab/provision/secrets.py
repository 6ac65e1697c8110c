"""The lab's secrets: generated once, kept in a file that only their owner reads."""

from __future__ import annotations

import secrets as random
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sio_lab import files, paths
from sio_lab.errors import ProvisionError
from sio_lab.lab.model import Lab
from sio_lab.provision import roles
from sio_lab.text import Text

# Letters and digits only: nothing to escape in a URL, a shell, LDIF, SQL or a configuration file.
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 24  # characters: 142 bits


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not be told.

    Attributes:
        passwords: password of each account of the lab.
        services: other secrets by name: ``dbms``, ``backup``…
    """

    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    services: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __or__(self, other: Secrets) -> Secrets:
        """Return both, ``other`` having the last word."""
        return Secrets({**self.passwords, **other.passwords}, {**self.services, **other.services})


@dataclass(frozen=True, slots=True)
class Vault:
    """Secrets of the user's own, in a file encrypted by ``ansible-vault``.

    Attributes:
        file: same keys as ``secrets.yml``: ``accounts`` and ``services``.
        password_file: file whose first line is the vault's password.
    """

    file: Path
    password_file: Path


def load(lab: Lab) -> Secrets:
    """Return the secrets that ``lab`` was provisioned with; empty before its first ``up``.

    Raises:
        ProvisionError: the file was damaged.
    """
    file = _file(lab)
    return _parse(file.read_bytes(), file) if file.exists() else Secrets()


def ensure(lab: Lab, own: Secrets | None = None) -> Secrets:
    """Return the secrets of ``lab``; generate and keep those that it does not have yet.

    A secret never changes once it is there, unless the user's ``own`` say otherwise.

    Raises:
        ProvisionError: the file was damaged.
    """
    kept = load(lab)
    known = kept | own if own else kept
    accounts = [name for name in lab.accounts if name not in known.passwords]
    services = [name for name in roles.secrets(lab) if name not in known.services]
    complete = known | Secrets({name: _generate() for name in accounts}, {name: _generate() for name in services})
    if complete != kept:
        tree = {"accounts": dict(complete.passwords), "services": dict(complete.services)}
        files.write(_file(lab), yaml.safe_dump(tree, sort_keys=True).encode())
    return complete


def _file(lab: Lab) -> Path:
    return paths.state(lab.lab) / "secrets.yml"


def _generate() -> str:
    return "".join(random.choice(_ALPHABET) for _ in range(_LENGTH))


def unlock(vault: Vault) -> Secrets:
    """Return what ``vault`` holds.

    Raises:
        ProvisionError: it cannot be read.
    """
    from ansible.errors import AnsibleError
    from ansible.parsing.vault import VaultLib, VaultSecret

    try:
        password = vault.password_file.read_text(encoding="utf-8").splitlines()[0].strip().encode()
        library = VaultLib(secrets=[("default", VaultSecret(password))])
        content = library.decrypt(vault.file.read_bytes())
    except (OSError, IndexError, UnicodeDecodeError, AnsibleError) as error:
        raise ProvisionError(
            Text("coffre illisible", "vault cannot be read"),
            where=str(vault.file),
            todo=Text(
                "vérifiez le fichier et son mot de passe : ansible-vault view",
                "check the file and its password: ansible-vault view",
            ),
        ) from error
    return _parse(content, vault.file)


def _parse(content: bytes, file: Path) -> Secrets:
    try:
        tree = yaml.safe_load(content) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _damaged(file) from error
    if not isinstance(tree, dict):
        raise _damaged(file)
    found: list[dict[str, str]] = []
    for section in ("accounts", "services"):
        names = tree.get(section) or {}
        if not isinstance(names, dict) or not all(isinstance(value, str) and value for value in names.values()):
            raise _damaged(file)
        found.append(names)
    return Secrets(*found)


def _damaged(file: Path) -> ProvisionError:
    return ProvisionError(
        Text("fichier de secrets abîmé", "damaged secrets file"),
        where=str(file),
        todo=Text(
            "réparez-le (accounts: et services:, un secret par nom), ou refaites le labo : sio-lab down, puis up",
            "mend it (accounts: and services:, a secret a name), or make the lab again: sio-lab down, then up",
        ),
    )
