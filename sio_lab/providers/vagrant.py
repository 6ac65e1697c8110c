"""Labs on virtual machines (VirtualBox, libvirt), through the project's Vagrantfile.

Vagrant says nothing of host keys: the key that a machine shows once Vagrant has made it is kept, and no other
is accepted afterwards.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko
from pydantic import TypeAdapter

from sio_lab import paths
from sio_lab.errors import ProviderError
from sio_lab.lab.model import Lab
from sio_lab.providers.base import ImageRecipe, MachineState, Progress, Reporter, SshAccess
from sio_lab.text import Text

_QUICK = 120.0  # seconds: Vagrant takes one or two to start, each machine adds a little
_SLOW = 3600.0  # seconds: a box of several hundred MB may have to come down a slow line
_SSH_TIMEOUT = 10.0  # seconds
_RUNNING = {"running"}
_ABSENT = {"not_created"}
_KEYS = TypeAdapter(dict[str, str])


@dataclass(frozen=True, slots=True)
class Message:
    """One line of ``vagrant --machine-readable``.

    Attributes:
        target: machine concerned; empty for all.
        kind: ``state``, ``ui``, ``error-exit``…
        data: fields of that kind.
    """

    target: str
    kind: str
    data: tuple[str, ...]


def messages(output: str) -> Iterator[Message]:
    """Yield the messages in the ``output`` of ``vagrant --machine-readable``; other lines are passed over."""
    for line in output.splitlines():
        fields = line.split(",")
        if len(fields) >= 3 and fields[0].isdigit():  # timestamp, target, kind, data…
            yield Message(fields[1], fields[2], tuple(_plain(field) for field in fields[3:]))


def _plain(field: str) -> str:
    escapes = {"%!(VAGRANT_COMMA)": ",", "\\n": "\n", "\\r": ""}
    return re.sub(r"%!\(VAGRANT_COMMA\)|\\n|\\r", lambda found: escapes[found[0]], field)


def states(output: str, machines: Iterable[str]) -> dict[str, MachineState]:
    """Return the state of ``machines`` according to ``vagrant status --machine-readable``."""
    told = {message.target: message.data[0] for message in messages(output) if message.kind == "state"}
    return {name: _state(told.get(name, "not_created")) for name in machines}


def _state(word: str) -> MachineState:
    if word in _RUNNING:
        return "running"
    return "absent" if word in _ABSENT else "stopped"


def accesses(config: str, machines: Iterable[str], host_keys: Mapping[str, str]) -> dict[str, SshAccess]:
    """Return how to reach ``machines`` according to ``vagrant ssh-config``.

    Args:
        config: its output.
        machines: machines to look for; those that it does not name are left out.
        host_keys: known public host key of each machine.
    """
    parsed = paramiko.SSHConfig.from_text(config)
    named = parsed.get_hostnames()
    found = {}
    for name in machines:
        if name not in named:
            continue
        way = parsed.lookup(name)
        keys = list(way.get("identityfile", ()))
        found[name] = SshAccess(
            machine=name,
            user=way["user"],
            host=way["hostname"],
            port=int(way.get("port", "22")),
            identity_file=Path(keys[0]) if keys else None,
            host_key=host_keys.get(name),
            become=True,
        )
    return found


class VagrantProvider:
    """Virtual machines made by Vagrant; see ``Provider`` for what each method does."""

    def up(self, lab: Lab, recipes: Mapping[str, ImageRecipe], report: Reporter) -> bool:
        """Bring up the machines; packages and interfaces are the Vagrantfile's work, at each ``up``.

        Raises:
            ProviderError: Vagrant is missing, or says why it could not.
        """
        del recipes  # the Vagrantfile asks for the same packages itself: `vagrant up` alone must work too
        before = self.status(lab)
        for name in lab.machines:
            report(Progress(name, Text("machine virtuelle", "virtual machine"), "running"))
            self._run(lab, "up", name, deadline=_SLOW)
            changed = before[name] != "running"
            report(
                Progress(name, Text("machine virtuelle", "virtual machine"), "changed" if changed else "unchanged")
            )
        self._learn_host_keys(lab, [name for name in lab.machines if before[name] == "absent"])
        return any(state != "running" for state in before.values())

    def down(self, lab: Lab, report: Reporter) -> bool:
        """Destroy the machines."""
        if all(state == "absent" for state in self.status(lab).values()):
            return False
        report(Progress(lab.lab, Text("retrait des machines", "removing machines"), "running"))
        self._run(lab, "destroy", "--force", deadline=_SLOW)
        self._keys_file(lab).unlink(missing_ok=True)
        report(Progress(lab.lab, Text("machines retirées", "machines removed"), "changed"))
        return True

    def status(self, lab: Lab) -> dict[str, MachineState]:
        """Return the state of each declared machine."""
        return states(self._run(lab, "status"), lab.machines)

    def access(self, lab: Lab) -> dict[str, SshAccess]:
        """Return how to reach each machine that runs."""
        running = [name for name, state in self.status(lab).items() if state == "running"]
        return self._accesses(lab, running)

    def snapshot(self, lab: Lab, name: str, report: Reporter) -> None:
        """Keep the present state of every machine under ``name``."""
        self._each(lab, lab.machines, Text("instantané", "snapshot"), report, "snapshot", "save", "--force", name)

    def restore(self, lab: Lab, name: str, report: Reporter, machines: Sequence[str]) -> None:
        """Bring machines back to the snapshot ``name``."""
        what = Text("retour à l'instantané", "back to the snapshot")
        self._each(lab, machines, what, report, "snapshot", "restore", "--no-provision", name)

    def has_snapshot(self, lab: Lab, name: str) -> bool:
        """Return whether every machine has the snapshot ``name``."""
        output = self._run(lab, "snapshot", "list")
        # Vagrant does not say whose snapshot it lists, but each machine lists one of a name once.
        listed = [message for message in messages(output) if message.data == ("detail", name)]
        return len(listed) == len(lab.machines)

    def power_off(self, lab: Lab, machine: str) -> None:
        """Take the power from ``machine``."""
        self._run(lab, "halt", "--force", machine)

    def power_on(self, lab: Lab, machine: str, report: Reporter) -> None:
        """Start ``machine``, which Vagrant waits for."""
        self._each(lab, [machine], Text("démarrage", "start"), report, "up", "--no-provision")

    def _each(self, lab: Lab, machines: Iterable[str], what: Text, report: Reporter, *command: str) -> None:
        """Run ``vagrant`` for each machine in turn; its name goes before the last word of ``command``."""
        for machine in machines:
            report(Progress(machine, what, "running"))
            self._run(lab, *command[:-1], machine, command[-1], deadline=_SLOW)
            report(Progress(machine, what, "changed"))

    def _run(self, lab: Lab, *command: str, deadline: float = _QUICK) -> str:
        vagrant = shutil.which("vagrant")
        if vagrant is None:
            raise ProviderError(
                Text("Vagrant n'est pas installé", "Vagrant is not installed"),
                todo=Text(
                    "apt install vagrant-libvirt, ou VirtualBox et Vagrant d'après vagrantup.com ; "
                    "ou provider: incus dans le fichier de labo",
                    "apt install vagrant-libvirt, or VirtualBox and Vagrant from vagrantup.com; "
                    "or provider: incus in the lab file",
                ),
            )
        try:
            done = subprocess.run(
                [vagrant, *command, "--machine-readable"],
                env=os.environ | self._environment(lab),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=deadline,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ProviderError(
                Text(
                    f"vagrant {' '.join(command)} : pas de réponse en {deadline:.0f} s",
                    f"vagrant {' '.join(command)}: no answer within {deadline:.0f} s",
                ),
            ) from error
        if done.returncode:
            raise _failure(command, done.stdout, done.stderr)
        return done.stdout

    def _environment(self, lab: Lab) -> dict[str, str]:
        folder = _folder(lab)
        file = folder / "lab.yml"
        file.write_text(lab.model_dump_json(by_alias=True, indent=1), encoding="utf-8")  # JSON is YAML
        return {
            "SIO_LAB": str(file),
            "SIO_LAB_PROVISION": "no",  # the playbooks are run from here, once all machines are up
            "SIO_LAB_PYTHON": sys.executable,
            "VAGRANT_CWD": str(paths.data()),
            "VAGRANT_DOTFILE_PATH": str(folder / "machines"),
            "VAGRANT_CHECKPOINT_DISABLE": "1",
        }

    def _accesses(self, lab: Lab, machines: Sequence[str]) -> dict[str, SshAccess]:
        if not machines:
            return {}
        output = self._run(lab, "ssh-config", *machines)
        config = "\n".join(message.data[0] for message in messages(output) if message.kind == "ssh-config")
        return accesses(config, machines, self._host_keys(lab))

    def _keys_file(self, lab: Lab) -> Path:
        return _folder(lab) / "host_keys.json"

    def _host_keys(self, lab: Lab) -> dict[str, str]:
        file = self._keys_file(lab)
        return _KEYS.validate_json(file.read_bytes()) if file.exists() else {}

    def _learn_host_keys(self, lab: Lab, new: Iterable[str]) -> None:
        """Keep the host keys of machines that were just made, and of those whose key is not known."""
        known = {name: key for name, key in self._host_keys(lab).items() if name not in set(new)}
        missing = [name for name in lab.machines if name not in known]
        for name, way in self._accesses(lab, missing).items():
            known[name] = host_key(way.host, way.port)
        self._keys_file(lab).write_text(json.dumps(known), encoding="utf-8")


def host_key(host: str, port: int) -> str:
    """Return the public host key that an SSH server shows, as one line.

    Raises:
        ProviderError: nothing answers there, or not in SSH.
    """
    try:
        transport = paramiko.Transport((host, port))
        transport.set_log_channel(__name__)
        logging.getLogger(__name__).setLevel(logging.CRITICAL)  # it logs a traceback of what it also raises
        try:
            transport.start_client(timeout=_SSH_TIMEOUT)
            key = transport.get_remote_server_key()
        finally:
            transport.close()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise ProviderError(
            Text(f"pas de serveur SSH : {error}", f"no SSH server: {error}"), where=f"{host}:{port}"
        ) from error
    return f"{key.get_name()} {key.get_base64()}"


def _folder(lab: Lab) -> Path:
    folder = paths.state(lab.lab) / "vagrant"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _failure(command: Sequence[str], output: str, errors: str) -> ProviderError:
    told = [message.data[-1] for message in messages(output) if message.kind == "error-exit" and message.data]
    said = (told or [errors or output])[-1].strip()
    return ProviderError(
        Text(f"vagrant {' '.join(command)} a échoué :\n{said}", f"vagrant {' '.join(command)} failed:\n{said}"),
        todo=Text(
            "réglez ce que dit Vagrant, puis recommencez : ce qui est fait reste",
            "mend what Vagrant says, then start again: what is done stays",
        ),
    )
