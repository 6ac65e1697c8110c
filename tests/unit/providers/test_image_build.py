"""How systems are put together: what mmdebstrap (faked) is asked, and what is told when it fails."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from sio_lab.errors import ProviderError
from sio_lab.providers.base import ImageRecipe
from sio_lab.providers.image import build

WEB = ImageRecipe("debian/13", ("nginx", "php-fpm"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], list[list[str]]]:
    """Put a program of the tests' own in the place of mmdebstrap; return what reads its calls."""
    cache = tmp_path / "cache of mine"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    tools = tmp_path / "tools"
    tools.mkdir()
    program = tools / "mmdebstrap"
    program.write_text(
        f"#!{sys.executable} -IS\n"
        "import json, os, sys\n"
        f"with open({str(tmp_path / 'calls')!r}, 'a') as calls:\n"
        "    calls.write(json.dumps(sys.argv[1:]) + '\\n')\n"
        "if sys.argv[-1] != '/dev/null':\n"
        "    open(sys.argv[-1], 'w').write('system')\n"
        "if os.environ.get('FAILS'):\n"
        "    sys.exit('I: trying\\nE: no such package')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    def calls() -> list[list[str]]:
        return [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]

    return calls


def test_base_is_built_once_the_mirror_is_asked_each_time(asked: Callable[[], list[list[str]]]) -> None:
    build.prepare("debian/13", lambda _: None)
    build.prepare("debian/13", lambda _: None)
    lists, base, again = asked()
    assert lists == again
    assert lists[-2:] == ["trixie", "/dev/null"]
    assert "--skip=update" in base
    assert "--variant=minbase" in base


def test_layer_stands_on_the_base_and_asks_no_mirror_for_lists(
    asked: Callable[[], list[list[str]]], tmp_path: Path
) -> None:
    build.prepare("debian/13", lambda _: None)
    build.layer(WEB, tmp_path / "web.tar")
    assert (tmp_path / "web.tar").read_text() == "system"
    call = asked()[-1]
    assert "--skip=update" in call
    assert any(word.startswith("--customize-hook=sh ") and word.endswith("install nginx php-fpm") for word in call)
    # The folder of the cache has spaces in its name.
    assert any("'" in word and "cache of mine" in word for word in call if word.startswith("--setup-hook"))
    assert not list(tmp_path.glob("*.part"))


def test_layer_without_packages_is_the_base(asked: Callable[[], list[list[str]]], tmp_path: Path) -> None:
    build.prepare("debian/13", lambda _: None)
    build.layer(ImageRecipe("debian/13"), tmp_path / "bare.tar")
    assert (tmp_path / "bare.tar").read_text() == "system"
    assert len(asked()) == 2


@pytest.mark.usefixtures("asked")
def test_failure_tells_what_mmdebstrap_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.prepare("debian/13", lambda _: None)
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(ProviderError, match=r"nginx php-fpm\):\nE: no such package"):
        build.layer(WEB, tmp_path / "web.tar")
    assert not list(tmp_path.glob("web.*"))


def test_without_mmdebstrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match="not installed"):
        build.prepare("debian/13", lambda _: None)


@pytest.mark.parametrize(("room", "in_memory"), [(64 << 30, True), (1 << 30, False)])
def test_built_in_memory_where_there_is_plenty(
    monkeypatch: pytest.MonkeyPatch, room: int, in_memory: bool
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(build, "_MEMORY_NEEDED", 1 << 32)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"MemTotal: 1 kB\nMemAvailable: {16 << 20} kB\n")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=room))
    assert (build._environment().get("TMPDIR") == "/dev/shm") == in_memory
