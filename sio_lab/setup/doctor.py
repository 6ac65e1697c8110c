"""What the host lacks to hold labs, and the command that mends each thing. Changes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from sio_lab.errors import ProviderError
from sio_lab.providers.incus_api import Api, NotFoundError
from sio_lab.providers.incus_plan import POOL
from sio_lab.setup import host
from sio_lab.text import Lang, Text

_SETUP = "sudo sio-lab setup"
_MEMORY_GIB = 4  # the embedded lab runs in 2, and somebody works beside it
_QUICK = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what.
        ok: whether it is as it should be.
        detail: what was seen.
        mend: command that mends it; empty where it is well, or where no command can.
    """

    name: Text
    ok: bool
    detail: Text
    mend: str = ""


def examine() -> list[Finding]:
    """Look at the host."""
    return [_system(), _rights(), *_programs(), _kernel(), _limits(), _space(), _memory(), *_daemon(), *_bridges()]


def show(findings: Sequence[Finding], out: Console, lang: Lang, *, as_json: bool) -> None:
    """Show what was found, as a table, as lines in a pipe, or as JSON."""
    if as_json:
        out.file.write(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2) + "\n")
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        mark = Styled("✔", "green") if finding.ok else Styled("✘", "bold red")
        words = Styled(finding.detail.get(lang))
        if not finding.ok and finding.mend:
            words.append(f"\n→ {finding.mend}", "bold")
        table.add_row(mark, finding.name.get(lang), words)
    out.print(table)
    wrong = [finding for finding in findings if not finding.ok]
    if not wrong:
        out.print(Text("Cette machine peut porter des labos.", "This machine can hold labs.").get(lang))


def _system() -> Finding:
    found = host.release()
    name = found.get("PRETTY_NAME", "?")
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    ok = host.is_supported(found) or not host.missing()
    return Finding(
        Text("système", "system"),
        ok,
        Text(f"{name}, {python}", f"{name}, {python}")
        if ok
        else Text(f"{name} : Debian 12 ou 13 attendu", f"{name}: Debian 12 or 13 expected"),
    )


def _rights() -> Finding:
    ok = host.is_root()
    return Finding(
        Text("droits", "rights"),
        ok,
        Text("root", "root") if ok else Text("monter un labo demande root", "bringing a lab up takes root"),
        "" if ok else "sudo -i",
    )


def _programs() -> list[Finding]:
    return [
        Finding(
            Text.same(need.program),
            path is not None,
            Text.same(path)
            if path
            else Text(f"absent (paquet {need.package})", f"missing (package {need.package})"),
            "" if path else _SETUP,
        )
        for need in host.NEEDS
        for path in (host.find(need.program),)
    ]


def _kernel() -> Finding:
    if host.has_btrfs():
        return Finding(Text("noyau", "kernel"), True, Text("btrfs disponible", "btrfs available"))
    slower = Text(
        "sans btrfs : les labos marchent, plus lentement (copies entières)",
        "no btrfs: labs work, but slower (whole copies)",
    )
    return Finding(Text("noyau", "kernel"), True, slower)


def _limits() -> Finding:
    name, low = Text("limites du noyau", "kernel limits"), host.low_limits()
    if not low:
        return Finding(name, True, Text("suffisantes", "high enough"))
    listed = ", ".join(f"{key} = {value}" for key, value in low.items())
    return Finding(name, False, Text(f"trop basses : {listed}", f"too low: {listed}"), _SETUP)


def _space() -> Finding:
    free = host.free_gib()
    # Once the pool is there its file grows within what is left.
    ok = free >= host.SMALLEST_POOL_GIB // 2
    return Finding(
        Text("espace disque", "disk space"),
        ok,
        Text(f"{free} Gio libres dans /var/lib", f"{free} GiB free in /var/lib"),
        "" if ok else "df -h /var/lib",
    )


def _memory() -> Finding:
    size = host.memory_gib()
    # A machine of "4 GB" shows a little less.
    ok = size >= _MEMORY_GIB * 0.9
    return Finding(
        Text("mémoire", "memory"),
        ok,
        Text(f"{size:.1f} Gio".replace(".", ","), f"{size:.1f} GiB")
        if ok
        else Text(
            f"{size:.1f} Gio : {_MEMORY_GIB} conseillés pour le labo embarqué",
            f"{size:.1f} GiB: {_MEMORY_GIB} advised for the embedded lab",
        ),
    )


def _daemon() -> list[Finding]:
    name = Text("service Incus", "Incus daemon")
    try:
        api = Api()
        answer = api.request("GET", "/1.0", deadline=_QUICK)
        pool = _pool(api)
    except ProviderError as error:
        return [Finding(name, False, error.what, _SETUP)]
    version = str(answer["environment"]["server_version"]) if answer.get("auth") == "trusted" else ""
    return [_version(name, version), pool]


def _pool(api: Api) -> Finding:
    name = Text("réserve de stockage", "storage pool")
    try:
        api.request("GET", f"/1.0/storage-pools/{POOL}", deadline=_QUICK)
    except NotFoundError:
        return Finding(name, False, Text(f"{POOL} absente", f"{POOL} missing"), _SETUP)
    return Finding(name, True, Text.same(POOL))


def _version(name: Text, version: str) -> Finding:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    ok = numbers >= host.OLDEST_INCUS
    return Finding(
        name,
        ok,
        Text.same(version)
        if ok
        else Text(f"version {version or '?'} : 6.0 au moins", f"version {version or '?'}: at least 6.0"),
        "" if ok else _SETUP,
    )


def _bridges() -> list[Finding]:
    """Docker's usual trap: the host's firewall drops what crosses the lab's bridges."""
    if not (host.bridges_are_filtered() and host.find("docker") and host.find("dockerd")):
        return []
    return [
        Finding(
            Text("filtrage des ponts", "filtering of bridges"),
            False,
            Text(
                "Docker filtre aussi le trafic des ponts : les machines d'un labo peuvent ne pas se joindre",
                "Docker filters the traffic of bridges too: the machines of a lab may not reach each other",
            ),
            "sudo sysctl -w net.bridge.bridge-nf-call-iptables=0",
        )
    ]
