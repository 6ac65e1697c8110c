"""Giving the host what it lacks. Every step looks first: run again, it changes nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from sio_lab.errors import ProviderError, SetupError
from sio_lab.providers.base import Progress, Reporter
from sio_lab.providers.incus_api import Api, NotFoundError
from sio_lab.providers.incus_plan import POOL
from sio_lab.setup import daemon, host
from sio_lab.text import Text

_SUBJECT = "host"
_INSTALL = 900.0  # seconds: a slow line
_SOURCES = Path("/etc/apt/sources.list.d")
_LIMITS = Path("/etc/sysctl.d/60-sio-lab.conf")
_WHY = "# Added by sio-lab: the containers of a lab share one user's quotas."
_BACKPORTS = """\
# Added by sio-lab: Incus, which this release of Debian does not have. Nothing else is taken from there by default.
Types: deb
URIs: http://deb.debian.org/debian
Suites: {codename}-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def bootstrap(report: Reporter) -> bool:
    """Install packages, start the daemon, make the storage pool; whatever is there already stays as it is.

    Returns:
        Whether anything changed.

    Raises:
        SetupError: not root, an unknown system, no network, no room.
    """
    if not host.is_root():
        raise SetupError(
            Text("préparer la machine demande les droits de root", "setting the host up takes root's rights"),
            todo=Text(
                "relancez avec sudo ; sio-lab doctor dit ce qui manque sans rien changer",
                "run again with sudo; sio-lab doctor tells what is missing and changes nothing",
            ),
        )
    changed = _packages(report)
    changed |= _step(report, Text("limites du noyau", "kernel limits"), _limits)
    changed |= _step(report, Text("service Incus", "Incus daemon"), daemon.start)
    changed |= _step(report, Text("réserve de stockage", "storage pool"), _pool)
    return changed


def _step(report: Reporter, what: Text, work: Callable[[], bool]) -> bool:
    report(Progress(_SUBJECT, what, "running"))
    changed = work()
    report(Progress(_SUBJECT, what, "changed" if changed else "unchanged"))
    return changed


def _packages(report: Reporter) -> bool:
    packages = [need.package for need in host.missing()]
    what = Text("paquets", "packages")
    if not packages:
        report(Progress(_SUBJECT, what, "unchanged"))
        return False
    found = host.release()
    if not host.is_supported(found):
        name = found.get("PRETTY_NAME", "?")
        raise SetupError(
            Text(f"système non pris en charge : {name}", f"unsupported system: {name}"),
            todo=Text(
                f"installez vous-même {', '.join(packages)} (Incus 6.0 ou plus récent), puis relancez",
                f"install {', '.join(packages)} yourself (Incus 6.0 or later), then run again",
            ),
        )
    listed = ", ".join(packages)
    report(Progress(_SUBJECT, Text(f"installation de {listed}", f"installing {listed}"), "running"))
    _apt("update")
    incus = [package for package in packages if package.startswith("incus")]
    release = []
    if incus and not _has_candidate(incus[0]):
        _add_backports(found["VERSION_CODENAME"])
        release = ["-t", f"{found['VERSION_CODENAME']}-backports"]
    others = [package for package in packages if package not in incus]
    if others:
        _apt("install", "-y", "--no-install-recommends", *others)
    if incus:
        _apt("install", "-y", "--no-install-recommends", *release, *incus)
    report(Progress(_SUBJECT, Text(f"installé : {listed}", f"installed: {listed}"), "changed"))
    return True


def _has_candidate(package: str) -> bool:
    policy = subprocess.run(
        ["apt-cache", "policy", package],
        capture_output=True,
        text=True,
        env=os.environ | {"LC_ALL": "C"},
        check=False,
    )
    line = next((line for line in policy.stdout.splitlines() if "Candidate:" in line), "")
    return bool(line) and "(none)" not in line


def _add_backports(codename: str) -> None:
    file = _SOURCES / "sio-lab-backports.sources"
    if not file.exists():
        file.write_text(_BACKPORTS.format(codename=codename), encoding="utf-8")
        file.chmod(0o644)
    _apt("update")


def _apt(*arguments: str) -> None:
    argv = ["apt-get", "-q", *arguments]
    try:
        done = subprocess.run(
            argv,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_INSTALL,
            check=False,
        )
    except FileNotFoundError as error:
        raise _failed(argv, "apt-get ?") from error
    except subprocess.TimeoutExpired as error:
        raise _failed(argv, f"{_INSTALL:.0f} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        raise _failed(argv, "\n".join((lines or done.stderr.splitlines())[-4:]))


def _failed(argv: list[str], said: str) -> SetupError:
    command = " ".join(argv)
    return SetupError(
        Text(f"{command} a échoué :\n{said}", f"{command} failed:\n{said}"),
        todo=Text(
            "vérifiez le réseau (http_proxy derrière un mandataire) et les sources d'apt, puis relancez",
            "check the network (http_proxy behind a proxy) and apt's sources, then run again",
        ),
    )


def _limits() -> bool:
    """Raise the limits that are too low, now and at each boot; one that is higher already stays."""
    low = host.low_limits()
    if not low:
        return False
    kept = _LIMITS.read_text(encoding="utf-8").splitlines() if _LIMITS.exists() else [_WHY]
    lines = [*kept, *(f"{name} = {host.LIMITS[name]}" for name in low)]
    _LIMITS.write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf-8")
    for name in low:
        Path("/proc/sys", *name.split(".")).write_text(str(host.LIMITS[name]), encoding="utf-8")
    return True


def _pool() -> bool:
    api = Api()
    try:
        api.request("GET", f"/1.0/storage-pools/{POOL}")
    except NotFoundError:
        api.request("POST", "/1.0/storage-pools", pool(host.free_gib(), btrfs=host.has_btrfs()))
        return True
    except ProviderError as error:
        raise SetupError(error.what, where=error.where, todo=error.todo) from error
    return False


def pool(free_gib: int, *, btrfs: bool) -> dict[str, object]:
    """Return the storage pool that suits a host, as Incus' API takes it.

    Args:
        free_gib: free space, in GiB.
        btrfs: whether the kernel knows btrfs, which copies machines and keeps snapshots for nothing.

    Raises:
        SetupError: not enough room.
    """
    if free_gib < host.SMALLEST_POOL_GIB:
        raise SetupError(
            Text(
                f"{free_gib} Gio libres, il en faut {host.SMALLEST_POOL_GIB}",
                f"{free_gib} GiB free, {host.SMALLEST_POOL_GIB} are needed",
            ),
            where="/var/lib/incus",
            todo=Text("libérez de la place, puis relancez", "free some space, then run again"),
        )
    description = "sio-lab"
    if not btrfs:
        return {"name": POOL, "driver": "dir", "description": description, "config": {}}
    # The file is sparse: it takes what machines really use.
    size = min(host.POOL_GIB, free_gib * 9 // 10)
    return {"name": POOL, "driver": "btrfs", "description": description, "config": {"size": f"{size}GiB"}}
