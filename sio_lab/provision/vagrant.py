"""What the Vagrantfile needs of sio-lab to provision a lab: ``python -m sio_lab.provision.vagrant LAB``.

Prints one JSON object: ``inventory``, a folder for ``ansible-playbook --inventory`` that says what each
machine is (Vagrant's own inventory says how to reach it), and ``packages``, a list by machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import JsonValue

from sio_lab import files, paths
from sio_lab.errors import SioLabError
from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.provision import inventory, pki, roles, secrets, sources
from sio_lab.provision.secrets import Secrets


def write(lab: Lab, known: Secrets) -> Path:
    """Write the variables of the machines of ``lab``; return the folder that holds them.

    Args:
        lab: the lab.
        known: its secrets.

    Raises:
        OSError: the state folder cannot be written.
    """
    folder = paths.state(lab.lab) / "vagrant-inventory"
    (folder / "group_vars").mkdir(mode=0o700, parents=True, exist_ok=True)
    hosts: dict[str, JsonValue] = {name: inventory.host_variables(lab, name) for name in lab.machines}
    shared = inventory.shared_variables(lab, known)
    files.write(folder / "hosts.json", json.dumps({"all": {"hosts": hosts}}).encode())
    files.write(folder / "group_vars" / "all.json", json.dumps(shared).encode())
    return folder


def main(path: Path) -> None:
    """Prepare the lab at ``path`` and print what the Vagrantfile needs of it.

    Raises:
        SioLabError: the lab is invalid, or its state cannot be written.
    """
    loaded = load(path)
    lab = loaded.lab
    roles.check(lab)
    sources.pack(loaded)
    pki.ensure(lab)
    plan = {
        "inventory": str(write(lab, secrets.ensure(lab))),
        "packages": {name: roles.packages(lab, name) for name in lab.machines},
    }
    sys.stdout.write(json.dumps(plan) + "\n")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except SioLabError as error:
        todo = f"\n{error.todo.en}" if error.todo else ""
        sys.exit(f"{error}{todo}")
