"""Mobile terminals: what a device says it is over the Android debug bridge. Never judges."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from sio_lab.errors import ProbeTimeout, ProtocolError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Answer, Observation
from sio_lab.text import Text

_PORT = 5555  # what adb calls TCP/IP mode

# The client's own key is used (a real device asks once whether to trust it); its adb server is this question's
# own, so that nothing stays behind and two audits do not cut each other's.
_ASK = r"""
command -v adb >/dev/null || { echo 'adb is not installed'; exit 3; }
folder=$(mktemp -d) || exit 3
server=localfilesystem:$folder/adb
trap 'adb -L "$server" kill-server; rm -rf "$folder"' EXIT
timeout 5 adb -L "$server" connect "$1" 2>&1 | grep -v '^\* '
timeout 5 adb -L "$server" -s "$1" shell 'for p in ro.product.manufacturer ro.product.model ro.product.device \
    ro.build.characteristics ro.build.version.release ro.kernel.qemu ro.sio.simulated
    do echo "$p=$(getprop $p)"; done; echo "uname=$(uname -sm)"' 2>&1
"""

_ADB_MISSING = 3  # exit status of the script above


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileObservation(Observation):
    """What a mobile terminal says it is.

    Attributes:
        manufacturer: maker of the device.
        model: model, for people.
        device: code name of the model.
        characteristics: what the system was built for: ``tablet``, ``phone``, ``nosdcard``…
        system: version of Android, and kernel.
        simulated: whether the device says that it is no real one.
    """

    manufacturer: str = ""
    model: str = ""
    device: str = ""
    characteristics: str = ""
    system: str = ""
    simulated: bool = False


def identity(machine: Machine, host: str, port: int = _PORT) -> MobileObservation:
    """Ask ``host`` for its identity over adb, from ``machine`` (which has the client), in one round trip.

    ``refused``: the device does not trust that machine's key. ``unavailable``: no debug bridge there.

    Raises:
        Unreachable: ``machine`` does not answer.
        ProbeTimeout: the device does not.
        ProtocolError: ``machine`` has no adb, or what answers is no device.
    """
    at, start = datetime.now(UTC), monotonic()
    target = f"{host}:{port}"
    status, stdout, stderr = machine.session.run(f"sh -s {shlex.quote(target)}", stdin=_ASK, deadline=15)
    said = stdout.strip() or stderr.strip()
    if status == _ADB_MISSING:
        raise ProtocolError(
            Text("le client adb manque sur cette machine", "this machine has no adb client"),
            where=machine.name,
            todo=Text("installez-le : apt install adb", "install it: apt install adb"),
        )
    evidence = machine.saw(
        "mobile.identity",
        target=target,
        sent=f"adb connect {target}; adb shell getprop ro.product.*",
        received=said,
        at=at,
        start=start,
    )
    properties = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    answer, detail = reading(said)
    return MobileObservation(
        evidence,
        answer,
        detail,
        manufacturer=properties.get("ro.product.manufacturer", ""),
        model=properties.get("ro.product.model", ""),
        device=properties.get("ro.product.device", ""),
        characteristics=properties.get("ro.build.characteristics", ""),
        system=f"{properties.get('ro.build.version.release', '')} {properties.get('uname', '')}".strip(),
        simulated="1" in {properties.get("ro.kernel.qemu"), properties.get("ro.sio.simulated")},
    )


def reading(said: str) -> tuple[Answer, str]:
    """Tell from what adb printed whether a device gave its identity, and why not.

    Raises:
        ProbeTimeout: nothing answered.
        ProtocolError: something else than a device did.
    """
    words = said.lower()
    if any(line.startswith("ro.product.model=") and not line.endswith("=") for line in said.splitlines()):
        return "granted", ""
    first = said.splitlines()[0] if said else ""
    if "unauthorized" in words or "failed to authenticate" in words:
        return "refused", first
    if "connection refused" in words or "no route to host" in words or "device offline" in words:
        return "unavailable", first
    if not said or "timed out" in words:
        raise ProbeTimeout(Text("l'appareil ne répond pas", "the device does not answer"))
    raise ProtocolError(Text(f"réponse incomprise d'adb : {first}", f"adb's answer not understood: {first}"))
