"""SSH keys of a lab: one to log in with, one a machine to be known by. Made once, kept in the state folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sio_lab import files

_IDENTITY = "id_ed25519"
_HOSTS = "host_keys"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a lab.

    Attributes:
        folder: where they are kept (mode 0700, files 0600).
        identity: public key that machines let in, as one line.
        public: public host key of each machine, as one line.
    """

    folder: Path
    identity: str
    public: Mapping[str, str]

    @property
    def identity_file(self) -> Path:
        """Private key to log in with."""
        return self.folder / _IDENTITY

    def private_file(self, machine: str) -> Path:
        """Return the private host key of ``machine``."""
        return self.folder / _HOSTS / machine


def ensure(folder: Path, machines: Iterable[str]) -> Keys:
    """Make the keys that are missing; return all.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / _HOSTS).mkdir(mode=0o700, exist_ok=True)
    _make(folder / _IDENTITY)
    for machine in machines:
        _make(folder / _HOSTS / machine)
    return load(folder)


def load(folder: Path) -> Keys:
    """Return the keys that ``ensure`` made; none where it never ran."""
    identity = folder / _IDENTITY
    hosts = folder / _HOSTS
    return Keys(
        folder,
        _public(identity) if identity.exists() else "",
        {file.name: _public(file) for file in sorted(hosts.iterdir())} if hosts.is_dir() else {},
    )


def _make(file: Path) -> None:
    if not file.exists():
        key = Ed25519PrivateKey.generate()
        files.write(
            file,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
            ),
        )


def _public(file: Path) -> str:
    key = serialization.load_ssh_private_key(file.read_bytes(), password=None)
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return line.decode()
