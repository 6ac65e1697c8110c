"""What a machine of a lab is made of, as Incus takes it. Pure functions of the lab; nothing is created here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sio_lab import paths
from sio_lab.errors import ProviderError
from sio_lab.lab.model import Lab
from sio_lab.providers import ssh_keys
from sio_lab.text import Text

POOL = "sio-lab"
"""Storage pool of all labs, made by ``sio-lab setup``."""

_SOCKET_PATH = 107  # characters (unix(7): sun_path, less its final zero)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one machine is made of: instance as the API takes it, files that it must find at its first boot."""

    name: str
    body: Mapping[str, object]
    files: Mapping[str, tuple[str, int]]  # text, mode
    memory: str

    @property
    def spec(self) -> str:
        """Hash of what cannot be changed without making the machine again."""
        plain = {path: hashlib.sha256(text.encode()).hexdigest() for path, (text, _) in self.files.items()}
        return hashlib.sha256(json.dumps([self.body, plain], sort_keys=True).encode()).hexdigest()[:16]


def bridge(lab_name: str, perimeter: str) -> str:
    """Return the name of the bridge of a perimeter: short enough for an interface, unlike those of other labs."""
    return "sio" + hashlib.sha256(f"{lab_name}/{perimeter}".encode()).hexdigest()[:10]


def of_machine(lab: Lab, name: str, image: str, keys: ssh_keys.Keys) -> Plan:
    """Return what machine ``name`` is made of, from the image with fingerprint ``image``."""
    machine = lab.machines[name]
    devices: dict[str, dict[str, str]] = {"root": {"type": "disk", "path": "/", "pool": POOL}}
    for perimeter in machine.addresses:
        devices[f"net-{perimeter}"] = {
            "type": "nic",
            "network": bridge(lab.lab, perimeter),
            "name": perimeter[:15],
        }
    if machine.kind == "network":
        # Tunnels of programs, where the kernel has none; a host without the device has them in its kernel.
        devices["tun"] = {
            "type": "unix-char",
            "source": "/dev/net/tun",
            "path": "/dev/net/tun",
            "required": "false",
        }
    devices["ssh"] = {
        "type": "proxy",
        "bind": "host",
        "listen": f"unix:{socket_path(lab, name)}",
        "connect": "tcp:127.0.0.1:22",
        "mode": "0600",
    }
    body = {
        "name": name,
        "type": "container",
        "source": {"type": "image", "fingerprint": image},
        "profiles": [],
        "devices": devices,
        "config": {
            "boot.autostart": "false",
            "limits.processes": "4096",
            # systemd's own sandboxing of services needs mount namespaces; the container stays unprivileged.
            "security.nesting": "true",
            "security.guestapi": "false",
        },
    }
    files = {
        "/etc/ssh/ssh_host_ed25519_key": (keys.private_file(name).read_text(), 0o600),
        "/etc/ssh/ssh_host_ed25519_key.pub": (f"{keys.public[name]}\n", 0o644),
        "/root/.ssh/authorized_keys": (f"{keys.identity}\n", 0o600),
        "/etc/network/interfaces": (_interfaces(lab, name), 0o644),
    }
    return Plan(name, body, files, machine.memory)


def _interfaces(lab: Lab, name: str) -> str:
    """Return the configuration of the machine's interfaces (interfaces(5))."""
    gateway = lab.gateway(name)
    lines = ["# Written by sio-lab.", "no-scripts lo", "auto lo", "iface lo inet loopback"]
    for perimeter, address in lab.machines[name].addresses.items():
        cidr = lab.perimeters[perimeter].cidr
        interface = perimeter[:15]
        lines += [
            "",
            f"auto {interface}",
            f"iface {interface} inet static",
            f"    address {address}/{cidr.prefixlen}",
            # The flow matrix is IPv4's: nothing may go round it.
            f"    pre-up echo 1 >/proc/sys/net/ipv6/conf/{interface}/disable_ipv6",
        ]
        if gateway and gateway in cidr:
            lines.append(f"    gateway {gateway}")
    return "\n".join(lines) + "\n"


def folder(lab: Lab) -> Path:
    """Return where the keys and sockets of ``lab`` are kept, whether it exists or not."""
    return paths.state_path(lab.lab) / "incus"


def sockets(lab: Lab) -> Path:
    """Return the folder of the sockets that lead to the machines."""
    return folder(lab) / "sockets"


def socket_path(lab: Lab, name: str) -> Path:
    """Return the socket that leads to the SSH server of machine ``name``.

    Raises:
        ProviderError: the state folder's path is too long for it.
    """
    path = sockets(lab) / f"{name}.sock"
    if len(str(path)) > _SOCKET_PATH:
        raise ProviderError(
            Text("chemin trop long pour une socket unix", "path too long for a unix socket"),
            where=str(path),
            todo=Text(
                "donnez un chemin plus court à XDG_STATE_HOME, puis relancez",
                "give XDG_STATE_HOME a shorter path, then run again",
            ),
        )
    return path
