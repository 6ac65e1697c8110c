"""Images of containers: built by mmdebstrap, or taken from an image server; cached by the hash of their recipe.

A system is built once, as a tarball; each set of packages is a layer over it. What is built lives in
Incus' own image store; the tarball of the system and the packages, which can be rebuilt, in the user's cache.
"""

from __future__ import annotations

import hashlib
import io
import platform
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sio_lab import paths
from sio_lab.errors import ProviderError
from sio_lab.parallel import each
from sio_lab.providers.base import ImageRecipe, Progress, Reporter
from sio_lab.providers.incus_api import Api
from sio_lab.text import Text

_SUITES = {"debian/12": "bookworm", "debian/13": "trixie", "debian/14": "forky"}
"""Systems that mmdebstrap can build here, and their suites."""

_BASE = (
    "ca-certificates", "dbus", "ifupdown", "iproute2", "iputils-ping", "less", "nano", "openssh-server", "procps",
    "python3", "systemd", "systemd-sysv",
)  # fmt: skip
_HOOK = Path(__file__).parent / "image" / "layer.sh"
_SERVER = "https://images.linuxcontainers.org"
_KEY = "sio-lab.key"
"""Property of an image that holds the hash of its recipe."""
_BUILDS = 3  # at once: each waits for the mirror, for the disk, and for one processor in turn
_BUILD_TIME = 900.0  # seconds: a slow mirror and the largest set of packages


def ensure(api: Api, recipes: Mapping[str, ImageRecipe], report: Reporter) -> tuple[dict[str, str], bool]:
    """Build the images that are missing.

    Args:
        api: connection to the daemon.
        recipes: what each machine's image must hold.
        report: told of each image as it is built.

    Returns:
        The fingerprint of each machine's image, and whether anything was built.

    Raises:
        ProviderError: an image can neither be built nor be had.
    """
    known = _known(api)
    wanted: dict[str, list[str]] = {}
    for machine, recipe in recipes.items():
        wanted.setdefault(key_of(recipe), []).append(machine)
    missing = {key: machines for key, machines in wanted.items() if key not in known}
    for system in dict.fromkeys(recipes[machines[0]].image for machines in missing.values()):
        if system in _SUITES:
            _base(system, report)

    def make(key: str) -> str:
        machines = missing[key]
        return _make(api, recipes[machines[0]], key, "+".join(machines), report)

    known |= dict(zip(missing, each(make, missing, workers=_BUILDS), strict=True))
    return {machine: known[key] for key, machines in wanted.items() for machine in machines}, bool(missing)


def _known(api: Api) -> dict[str, str]:
    """Return the fingerprint of each image of ours, by key: the oldest, should two labs have made it at once."""
    known: dict[str, str] = {}
    for image in sorted(api.images(), key=lambda image: image.uploaded_at):
        if key := (image.properties or {}).get(_KEY):
            known.setdefault(key, image.fingerprint)
    return known


def key_of(recipe: ImageRecipe) -> str:
    """Return the hash of all that decides what the image holds, our own building included."""
    how = "\n".join([_HOOK.read_text(encoding="utf-8"), *_BASE])
    return hashlib.sha256(f"{recipe.digest}\n{how}".encode()).hexdigest()[:16]


def _make(api: Api, recipe: ImageRecipe, key: str, subject: str, report: Reporter) -> str:
    step = Text(
        f"image {recipe.image}, {len(recipe.packages)} paquets",
        f"image {recipe.image}, {len(recipe.packages)} packages",
    )
    report(Progress(subject, step, "running"))
    properties = {
        _KEY: key,
        "os": recipe.image,
        "description": f"sio-lab: {recipe.image} {' '.join(recipe.packages)}",
    }
    if recipe.image in _SUITES:
        with tempfile.TemporaryDirectory(prefix="sio-lab-image-", dir=paths.cache()) as folder:
            tarball = Path(folder) / "rootfs.tar"
            _layer(recipe, tarball)
            fingerprint = api.import_image(_metadata(recipe.image), tarball, properties)
    else:
        fingerprint = _download(api, recipe, properties)
    report(Progress(subject, step, "changed"))
    return fingerprint


def _base(system: str, report: Reporter) -> Path:
    """Return the tarball of ``system`` without any role's package, built if need be."""
    file = _base_file(system)
    if file.exists():
        return file
    step = Text("système de base", "base system")
    report(Progress(system, step, "running"))
    for old in file.parent.glob(f"{file.name.rpartition('-')[0]}-*"):
        old.unlink()
    _mmdebstrap(
        "--variant=minbase",
        f"--include={','.join(_BASE)}",
        f'--customize-hook=sh {_HOOK} "$1" base',
        suite=_SUITES[system],
        output=file,
        what=system,
    )
    report(Progress(system, step, "changed"))
    return file


def _base_file(system: str) -> Path:
    how = hashlib.sha256("\n".join([_HOOK.read_text(encoding="utf-8"), *_BASE]).encode()).hexdigest()[:16]
    return paths.cache() / f"{system.replace('/', '-')}-{how}.tar"


def _layer(recipe: ImageRecipe, output: Path) -> None:
    """Write the tarball of the system of ``recipe`` with its packages."""
    base = _base_file(recipe.image)
    if not recipe.packages:
        shutil.copyfile(base, output)
        return
    _mmdebstrap(
        "--variant=custom",
        f"--include={','.join(recipe.packages)}",
        f'--setup-hook=tar -C "$1" -xf {base}',
        f'--setup-hook=sh {_HOOK} "$1" before',
        f'--customize-hook=sh {_HOOK} "$1" after',
        suite=_SUITES[recipe.image],
        output=output,
        what=" ".join(recipe.packages),
    )


def _mmdebstrap(*options: str, suite: str, output: Path, what: str) -> None:
    partial = output.with_suffix(".part")
    argv = [
        "mmdebstrap",
        "--quiet",
        "--format=tar",
        '--aptopt=Acquire::Languages "none"',
        "--aptopt=APT::Install-Recommends false",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        # Packages that fill their database at installation read their examples there.
        "--dpkgopt=path-include=/usr/share/doc/*/examples/*",
        *options,
        suite,
        str(partial),
    ]
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_BUILD_TIME,
            check=False,
        )
    except FileNotFoundError as error:
        raise ProviderError(
            Text("mmdebstrap n'est pas installé", "mmdebstrap is not installed"),
            todo=Text("sio-lab setup l'installe", "sio-lab setup installs it"),
        ) from error
    except subprocess.TimeoutExpired as error:
        raise _unbuilt(what, f"{_BUILD_TIME:.0f} s") from error
    else:
        if done.returncode:
            raise _unbuilt(what, done.stderr)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


def _unbuilt(what: str, said: str) -> ProviderError:
    errors = [line for line in said.splitlines() if line.startswith(("E:", "W:"))]
    words = "\n".join((errors or said.splitlines())[-4:])
    return ProviderError(
        Text(f"image impossible à construire ({what}) :\n{words}", f"image cannot be built ({what}):\n{words}"),
        todo=Text(
            "vérifiez l'accès au miroir Debian (http_proxy derrière un mandataire) et la place, puis relancez : "
            "les images déjà construites restent",
            "check that the Debian mirror is reached (http_proxy behind a proxy) and the space, then run again: "
            "images that are built stay",
        ),
    )


def _metadata(system: str) -> bytes:
    """Return the tarball that tells Incus what an image is."""
    lines = [
        f"architecture: {platform.machine()}",
        f"creation_date: {time.time():.0f}",
        f"properties: {{os: {system}}}",
    ]
    content = "\n".join(lines).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("metadata.yaml")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _download(api: Api, recipe: ImageRecipe, properties: Mapping[str, str]) -> str:
    """Take a system that cannot be built here from the public image server."""
    source = {
        "type": "image",
        "mode": "pull",
        "server": _SERVER,
        "protocol": "simplestreams",
        "alias": recipe.image.removeprefix("images:"),
    }
    try:
        done = api.request(
            "POST", "/1.0/images", {"source": source, "properties": dict(properties)}, deadline=_BUILD_TIME
        )
    except ProviderError as error:
        raise ProviderError(
            Text(
                f"l'image {recipe.image} ne se construit pas ici et {_SERVER} ne la donne pas",
                f"image {recipe.image} is not built here and {_SERVER} does not give it",
            ),
            todo=Text(
                f"donnez une image de repli : image: [{recipe.image}, debian/13]",
                f"give an image to fall back on: image: [{recipe.image}, debian/13]",
            ),
        ) from error
    return str(done["fingerprint"])
