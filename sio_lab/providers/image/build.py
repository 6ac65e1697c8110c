"""Systems put together by mmdebstrap: a base, and sets of packages over it. Knows nothing of Incus.

The base and what the mirror has are kept in the user's cache: both can be had again.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from sio_lab import paths
from sio_lab.errors import ProviderError
from sio_lab.providers.base import ImageRecipe, Progress, Reporter
from sio_lab.text import Text

SUITES = {"debian/12": "bookworm", "debian/13": "trixie", "debian/14": "forky"}
"""Systems that can be built here, and their suites."""

TIME = 900.0
"""Seconds that a build may take: a slow mirror and the largest set of packages."""

_BASE = (
    "ca-certificates", "dbus", "ifupdown", "iproute2", "iputils-ping", "less", "nano", "openssh-server", "procps",
    "python3", "systemd", "systemd-sysv",
)  # fmt: skip
_HOOK = Path(__file__).parent / "layer.sh"
_MEMORY = Path("/dev/shm")  # noqa: S108  # folders of names that nobody guesses are made in it
_MEMORY_NEEDED = 12 << 30  # bytes: three large systems, and the lab beside them


def key_of(recipe: ImageRecipe) -> str:
    """Return the hash of all that decides what the image holds, our own building included."""
    return hashlib.sha256(f"{recipe.digest}\n{_how()}".encode()).hexdigest()[:16]


def builder() -> str:
    """Return the hash of the way in which images are built: those of another way are of no use any more."""
    return hashlib.sha256(_how().encode()).hexdigest()[:16]


def prepare(system: str, report: Reporter) -> None:
    """Have what layers of ``system`` stand on: its base, and the packages that the mirror has today.

    Raises:
        ProviderError: it cannot be built.
    """
    step = Text("système de base", "base system")
    report(Progress(system, step, "running"))
    base, lists = _base_file(system), shlex.quote(str(_lists_file(system)))
    # At once: the images of another lab may be built from it just now.
    save = f'--extract-hook=tar -C "$1/var/lib/apt/lists" -cf {lists}.$$ . && mv {lists}.$$ {lists}'
    _mmdebstrap("--variant=custom", save, suite=SUITES[system], output=None, what=system)
    if base.exists():
        report(Progress(system, step, "unchanged"))
        return
    for old in base.parent.glob(f"{base.name.rpartition('-')[0]}-*"):
        old.unlink()
    _mmdebstrap(
        "--variant=minbase",
        f"--include={','.join(_BASE)}",
        _customize("base"),
        *_known_packages(system),
        suite=SUITES[system],
        output=base,
        what=system,
    )
    report(Progress(system, step, "changed"))


def layer(recipe: ImageRecipe, output: Path) -> None:
    """Write the tarball of the system of ``recipe``, which is prepared, with its packages.

    Raises:
        ProviderError: it cannot be built.
    """
    base = _base_file(recipe.image)
    if not recipe.packages:
        shutil.copyfile(base, output)
        return
    _mmdebstrap(
        "--variant=custom",
        f'--setup-hook=tar -C "$1" -xf {shlex.quote(str(base))}',
        *_known_packages(recipe.image),
        _customize("before"),
        # Not by --include, which unpacks everything twice over a system that is there already.
        _customize("install", *recipe.packages),
        _customize("after"),
        suite=SUITES[recipe.image],
        output=output,
        what=" ".join(recipe.packages),
    )


def _how() -> str:
    return "\n".join([_HOOK.read_text(encoding="utf-8"), *_BASE])


def _base_file(system: str) -> Path:
    return paths.cache() / f"{system.replace('/', '-')}-{builder()}.tar"


def _lists_file(system: str) -> Path:
    return paths.cache() / f"{system.replace('/', '-')}.lists.tar"


def _known_packages(system: str) -> tuple[str, str]:
    """Return the options that spare asking the mirror what it has, once more for each image."""
    lists = shlex.quote(str(_lists_file(system)))
    unpack = f'mkdir -p "$1/var/lib/apt/lists" && tar -C "$1/var/lib/apt/lists" -xf {lists}'
    return f"--setup-hook={unpack}", "--skip=update"


def _customize(*words: str) -> str:
    return f'--customize-hook=sh {shlex.quote(str(_HOOK))} "$1" {shlex.join(words)}'


def _environment() -> dict[str, str]:
    """Return the environment of a build: in memory where there is plenty, which spares a third of the work."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        known = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        available = int(known["MemAvailable"].split()[0]) << 10  # from KiB (proc(5))
        room = shutil.disk_usage(_MEMORY).free
    except (OSError, KeyError, ValueError):
        return environment
    if min(available, 2 * room) >= _MEMORY_NEEDED:
        environment["TMPDIR"] = str(_MEMORY)
    return environment


def _mmdebstrap(*options: str, suite: str, output: Path | None, what: str) -> None:
    partial = output.with_suffix(".part") if output else Path("/dev/null")
    argv = [
        "mmdebstrap",
        "--quiet",
        f"--format={'tar' if output else 'null'}",
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
            env=_environment(),
            timeout=TIME,
            check=False,
        )
    except FileNotFoundError as error:
        raise ProviderError(
            Text("mmdebstrap n'est pas installé", "mmdebstrap is not installed"),
            todo=Text("sio-lab setup l'installe", "sio-lab setup installs it"),
        ) from error
    except subprocess.TimeoutExpired as error:
        raise _unbuilt(what, f"{TIME:.0f} s") from error
    else:
        if done.returncode:
            raise _unbuilt(what, done.stderr)
        if output:
            partial.replace(output)
    finally:
        if output:
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
