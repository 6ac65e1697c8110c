"""Images of machines: known ones at once, missing ones as they are built; nothing is built in vain."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from sio_lab.errors import ProviderError
from sio_lab.providers import incus_images
from sio_lab.providers.base import ImageRecipe, Progress
from sio_lab.providers.image import build
from sio_lab.text import Text

BARE, WEB, DBMS = (ImageRecipe("debian/13", packages) for packages in ((), ("nginx",), ("postgresql",)))


class Store:
    """Images in the place of those that Incus keeps."""

    def __init__(self, *known: ImageRecipe) -> None:
        self.known = [
            SimpleNamespace(
                fingerprint=f"known-{len(recipe.packages)}",
                properties={"sio-lab.key": build.key_of(recipe)},
                uploaded_at=datetime(2026, 1, 1, tzinfo=UTC),
                size=1 << 30,
            )
            for recipe in known
        ]
        self.free, self.used, self.removed = 100 << 30, set[str](), list[str]()
        self.unpacked = {image.fingerprint for image in self.known}

    def free_space(self, pool: str) -> int:
        assert pool == "sio-lab"
        return self.free

    def images_unpacked(self, pool: str) -> set[str]:
        assert pool == "sio-lab"
        return self.unpacked

    def images_in_use(self) -> set[str]:
        return self.used

    def remove_image(self, fingerprint: str) -> None:
        self.removed.append(fingerprint)

    def images(self) -> list[SimpleNamespace]:
        return self.known

    def import_image(self, metadata: bytes, tarball: Path, properties: Mapping[str, str]) -> str:
        assert metadata
        assert properties["os"] == "debian/13"
        return tarball.read_text()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is built, in order; building takes no time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done: list[str] = []

    def layer(recipe: ImageRecipe, output: Path) -> None:
        done.append("+".join(recipe.packages))
        output.write_text(f"built-{done[-1]}")

    monkeypatch.setattr(build, "prepare", lambda system, _: done.append(system))
    monkeypatch.setattr(build, "layer", layer)
    return done


def ready(store: Store, recipes: Mapping[str, ImageRecipe], said: list[Progress]) -> dict[str, str]:
    return dict(incus_images.ready(store, recipes, said.append))  # type: ignore[arg-type]


def test_known_images_are_not_built(built: list[str]) -> None:
    said: list[Progress] = []
    assert ready(Store(BARE, WEB), {"a": WEB, "b": BARE, "c": WEB}, said) == {
        "a": "known-1",
        "b": "known-0",
        "c": "known-1",
    }
    assert (built, said) == ([], [])


def test_each_image_is_built_once_over_one_base(built: list[str]) -> None:
    said: list[Progress] = []
    found = ready(Store(BARE), {"a": WEB, "b": BARE, "c": WEB, "d": DBMS}, said)
    assert found == {"a": "built-nginx", "b": "known-0", "c": "built-nginx", "d": "built-postgresql"}
    assert built[0] == "debian/13"
    assert sorted(built[1:]) == ["nginx", "postgresql"]
    assert {(p.subject, p.state) for p in said} == {
        (subject, state) for subject in ("a+c", "d") for state in ("running", "changed")
    }


def test_machine_is_told_before_the_last_image_is_built(built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()

    def layer(recipe: ImageRecipe, output: Path) -> None:
        if recipe == DBMS:
            assert taken.wait(5)
        output.write_text("x")

    monkeypatch.setattr(build, "layer", layer)
    with closing(incus_images.ready(Store(), {"d": DBMS, "a": WEB}, lambda _: None)) as images:  # type: ignore[arg-type]
        assert next(images)[0] == "a"
        taken.set()
        assert next(images)[0] == "d"
    assert built == ["debian/13"]


def test_base_that_cannot_be_built(built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ProviderError(Text.same("no mirror"))

    monkeypatch.setattr(build, "prepare", fails)
    with pytest.raises(ProviderError, match="no mirror"):
        ready(Store(), {"a": WEB, "d": DBMS}, [])
    assert built == []


def test_image_that_cannot_be_built_stops_the_rest(built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        built.append("tried")
        raise ProviderError(Text.same("no such package"))

    monkeypatch.setattr(build, "layer", fails)
    recipes = {f"m{n}": ImageRecipe("debian/13", (f"p{n}",)) for n in range(200)}
    with pytest.raises(ProviderError, match="no such package"):
        ready(Store(), recipes, [])
    assert built.count("tried") < 200


def test_key_changes_with_the_recipe() -> None:
    assert len({build.key_of(recipe) for recipe in (BARE, WEB, DBMS)}) == 3
    assert build.key_of(WEB) == build.key_of(ImageRecipe("debian/13", ("nginx",)))


def test_room_is_made_where_there_is_none(built: list[str]) -> None:
    store = Store()
    rows = [
        ("other", {"os": "somebody's"}, 1),
        ("older", {"sio-lab.key": "a", "sio-lab.builder": build.builder()}, 1),
        ("newer", {"sio-lab.key": "b", "sio-lab.builder": build.builder()}, 2),
        ("past", {"sio-lab.key": "c"}, 3),
        ("past in use", {"sio-lab.key": "d"}, 1),
        ("wanted", {"sio-lab.key": build.key_of(WEB)}, 1),
    ]
    store.known = [
        SimpleNamespace(
            fingerprint=name, properties=properties, uploaded_at=datetime(2026, 1, day, tzinfo=UTC), size=1 << 30
        )
        for name, properties, day in rows
    ]
    store.used, store.unpacked = {"past in use"}, {"wanted"}
    recipes = {"a": WEB, "b": DBMS}
    ready(store, recipes, [])
    assert store.removed == []
    store.free = (4 << 30) + (512 << 20) - 1  # a byte is missing
    ready(store, recipes, [])
    assert store.removed == ["past"]
    store.free -= 1 << 30
    store.removed.clear()
    ready(store, recipes, [])
    assert store.removed == ["past", "older"]
    store.free = 0
    store.removed.clear()
    ready(store, recipes, [])
    assert store.removed == ["past", "older", "newer"]
    store.removed.clear()
    ready(store, {"a": WEB}, [])  # nothing is to be built, but machines need room too
    assert store.removed == ["past", "older", "newer"]
    assert "nginx" not in built
