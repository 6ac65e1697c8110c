"""Images of containers: built by mmdebstrap, or taken from an image server; cached by the hash of their recipe.

What is built lives in Incus' own image store, until the space is needed for others.
"""

from __future__ import annotations

import io
import platform
import tarfile
import tempfile
import time
from collections.abc import Collection, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path

from sio_lab import paths
from sio_lab.errors import ProviderError
from sio_lab.providers.base import ImageRecipe, Progress, Reporter
from sio_lab.providers.image import build
from sio_lab.providers.incus_api import Api, Image, NotFoundError
from sio_lab.providers.incus_plan import POOL
from sio_lab.text import Text

_SERVER = "https://images.linuxcontainers.org"
_KEY = "sio-lab.key"
"""Property of an image that holds the hash of its recipe."""
_BUILDER = "sio-lab.builder"
"""Property of an image that holds the hash of the way in which it was built."""
_SIZE = 512 << 20  # bytes of an image, roughly
_MACHINES = 4 << 30  # bytes that the machines of a lab write, generously
_BUILDS = 3  # at once: each waits for the mirror, for the disk, and for one processor in turn


def ready(api: Api, recipes: Mapping[str, ImageRecipe], report: Reporter) -> Generator[tuple[str, str]]:
    """Yield each machine with the fingerprint of its image, as soon as there is one: missing ones are built.

    Args:
        api: connection to the daemon.
        recipes: what each machine's image must hold.
        report: told of each image as it is built.

    Raises:
        ProviderError: an image can neither be built nor be had; those that have not begun are given up.
    """
    images = api.images()
    known = _known(images)
    wanted: dict[str, list[str]] = {}
    for machine, recipe in recipes.items():
        wanted.setdefault(build.key_of(recipe), []).append(machine)
    there = api.images_unpacked(POOL)
    _make_room(api, images, sum(known.get(key) not in there for key in wanted), wanted)
    for key in wanted.keys() & known.keys():
        yield from ((machine, known[key]) for machine in wanted.pop(key))
    if not wanted:
        return
    with ThreadPoolExecutor(max_workers=_BUILDS) as pool:
        systems = dict.fromkeys(recipes[machines[0]].image for machines in wanted.values())
        # Before any image, and so begun before all of them.
        ours = [system for system in systems if system in build.SUITES]
        bases = {system: pool.submit(build.prepare, system, report) for system in ours}

        def make(key: str) -> str:
            machines = wanted[key]
            recipe = recipes[machines[0]]
            if recipe.image in bases:
                bases[recipe.image].result()
            return _make(api, recipe, key, "+".join(machines), report)

        made = {pool.submit(make, key): key for key in wanted}
        try:
            for image in as_completed(made):
                yield from ((machine, image.result()) for machine in wanted[made[image]])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _make_room(api: Api, images: Sequence[Image], missing: int, wanted: Collection[str]) -> None:
    """Remove images where there is no room for ``missing`` more: of earlier versions first, then the oldest.

    Those that machines were made from stay, and those whose key is ``wanted``.
    """
    short = missing * _SIZE + _MACHINES - api.free_space(POOL)
    if short <= 0:
        return
    used, builder = api.images_in_use(), build.builder()
    spare = [
        image
        for image in images
        if _KEY in image.properties and image.properties[_KEY] not in wanted and image.fingerprint not in used
    ]
    for image in sorted(spare, key=lambda image: (image.properties.get(_BUILDER) == builder, image.uploaded_at)):
        with suppress(NotFoundError):  # another lab makes room too
            api.remove_image(image.fingerprint)
        short -= image.size
        if short <= 0:
            return


def _known(images: Sequence[Image]) -> dict[str, str]:
    """Return the fingerprint of each image of ours, by key: the oldest, should two labs have made it at once."""
    known: dict[str, str] = {}
    for image in sorted(images, key=lambda image: image.uploaded_at):
        if key := image.properties.get(_KEY):
            known.setdefault(key, image.fingerprint)
    return known


def _make(api: Api, recipe: ImageRecipe, key: str, subject: str, report: Reporter) -> str:
    step = Text(
        f"image {recipe.image}, {len(recipe.packages)} paquets",
        f"image {recipe.image}, {len(recipe.packages)} packages",
    )
    report(Progress(subject, step, "running"))
    properties = {
        _KEY: key,
        _BUILDER: build.builder(),
        "os": recipe.image,
        "description": f"sio-lab: {recipe.image} {' '.join(recipe.packages)}",
    }
    if recipe.image in build.SUITES:
        with tempfile.TemporaryDirectory(prefix="sio-lab-image-", dir=paths.cache()) as folder:
            tarball = Path(folder) / "rootfs.tar"
            build.layer(recipe, tarball)
            fingerprint = api.import_image(_metadata(recipe.image), tarball, properties)
    else:
        fingerprint = _download(api, recipe, properties)
    report(Progress(subject, step, "changed"))
    return fingerprint


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
            "POST", "/1.0/images", {"source": source, "properties": dict(properties)}, deadline=build.TIME
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
