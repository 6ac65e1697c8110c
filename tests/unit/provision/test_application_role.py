"""What brings an application's version to a machine, and what the remote site answers to whom."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lab_runner import ROOT

CLONE = (ROOT / "playbooks" / "files" / "sio-clone").read_text(encoding="utf-8")
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@localhost")


def git(place: Path, *arguments: str) -> str:
    asked = ["git", "-C", str(place), *AUTHOR, *arguments]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    place = tmp_path / "forge"
    git(tmp_path, "init", "--quiet", str(place))
    version(place, "v1", "--annotate", "--message=v1")
    return place


def version(place: Path, tag: str, *options: str) -> str:
    (place / "page.php").write_text(tag, encoding="utf-8")
    git(place, "add", ".")
    git(place, "commit", "--quiet", "--allow-empty", "--message", tag)
    git(place, "tag", "--force", *options, tag)
    return git(place, "rev-parse", "HEAD")


def command(repository: Path, tag: str, folder: Path, *, moment: int = 0) -> list[str]:
    script = CLONE.replace("patience=240", "patience=0").replace("moment=60", f"moment={moment}")
    return [
        "sh",
        "-c",
        script.replace("sleep 3", "sleep 0.1"),
        "sio-clone",
        f"file://{repository}",
        tag,
        str(folder),
    ]


def clone(repository: Path, tag: str, folder: Path, source: str = "") -> subprocess.CompletedProcess[str]:
    asked = command(repository, tag, folder)
    return subprocess.run(asked, input=source, capture_output=True, text=True, check=False, timeout=60)


def packed(content: str) -> str:
    """Return the source of the lab as the script is given it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("page.php")
        entry.size, entry.mode = len(content.encode()), 0o644
        tar.addfile(entry, io.BytesIO(content.encode()))
    return base64.b64encode(archive.getvalue()).decode()


def test_a_tag_is_cloned_once(repository: Path, tmp_path: Path) -> None:
    folder, commit = tmp_path / "srv" / "application", git(repository, "rev-parse", "HEAD")
    assert clone(repository, "v1", folder).stdout.split() == ["changed", commit]
    assert clone(repository, "v1", folder).stdout.split() == [commit]
    assert git(folder, "rev-parse", "HEAD") == commit
    assert [path.name for path in folder.parent.iterdir()] == ["application"]


def test_another_tag_takes_its_place_and_so_does_the_same_one_elsewhere(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "application"
    clone(repository, "v1", folder)
    second = version(repository, "v2")
    assert clone(repository, "v2", folder).stdout.split() == ["changed", second]
    assert (folder / "page.php").read_text(encoding="utf-8") == "v2"
    version(repository, "v3")
    moved = version(repository, "v2")
    assert clone(repository, "v2", folder).stdout.split() == ["changed", moved]


def test_what_was_edited_in_place_or_half_done_is_made_anew(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "application"
    clone(repository, "v1", folder)
    (folder / "page.php").write_text("edited", encoding="utf-8")
    (tmp_path / "application.new").mkdir()
    (tmp_path / "application.old").mkdir()
    assert clone(repository, "v1", folder).stdout.split()[0] == "changed"
    assert (folder / "page.php").read_text(encoding="utf-8") == "v1"


def test_what_the_forge_has_not_got_yet_is_waited_for(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "application"
    clone(repository, "v1", folder)
    asked = command(repository, "v1", folder, moment=30)
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin and running.stdout
        running.stdin.write(packed("source of now"))
        running.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(1)
        (repository / "page.php").write_text("source of now", encoding="utf-8")
        git(repository, "commit", "--quiet", "--all", "--message", "now")
        git(repository, "tag", "--force", "v1")
        assert running.stdout.read().split() == ["changed", git(repository, "rev-parse", "HEAD")]
    assert (folder / "page.php").read_text(encoding="utf-8") == "source of now"
    assert [path.name for path in tmp_path.glob("application*")] == ["application"]


def test_a_tag_that_others_moved_is_believed(repository: Path, tmp_path: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert clone(repository, "v1", tmp_path / "one", packed("other")).stdout.split() == ["changed", commit]
    asked = command(repository, "v1", tmp_path / "two", moment=30)
    seen = subprocess.run(asked, input=packed("v1"), capture_output=True, text=True, check=True, timeout=10)
    assert seen.stdout.split() == ["changed", commit]


def test_a_tag_that_never_comes_is_told(repository: Path, tmp_path: Path) -> None:
    seen = clone(repository, "v9", tmp_path / "application")
    assert seen.returncode == 1
    assert f"no tag v9 in file://{repository}" in seen.stderr
    assert not (tmp_path / "application").exists()


class Site:
    """The remote site's programming interface, whose database says ``rows`` and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        driver, extras = ModuleType("psycopg2"), ModuleType("psycopg2.extras")
        vars(driver).update(Error=OSError, DataError=UnicodeError, extras=extras)
        vars(extras)["Json"] = lambda content: content
        monkeypatch.setitem(sys.modules, "psycopg2", driver)
        monkeypatch.setitem(sys.modules, "psycopg2.extras", extras)
        file = ROOT / "playbooks" / "roles" / "remote_data" / "files" / "data.py"
        spec = importlib.util.spec_from_file_location("remote_data", file)
        assert spec and spec.loader
        self.module: Any = importlib.util.module_from_spec(spec)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        tokens = {name: hashlib.sha256(f"of-{name}".encode()).hexdigest() for name in ("licences", "regates")}
        with monkeypatch.context() as reading:
            reading.setattr(Path, "read_text", lambda *_, **__: json.dumps({"tokens": tokens, "database": {}}))
            spec.loader.exec_module(self.module)
        self.rows: list[tuple[int, dict[str, str]]] = [(4, {"nom": "Riou"})]
        self.asked: list[tuple[Any, ...]] = []
        monkeypatch.setattr(self.module, "ask", self.ask)

    def ask(self, _statement: str, *values: Any) -> list[tuple[int, dict[str, str]]]:
        self.asked.append(values)
        return self.rows

    def __call__(self, method: str, path: str, token: str = "of-licences", body: bytes = b"") -> tuple[str, Any]:
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr,
            **({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}),
        }  # fmt: skip
        said: list[str] = []
        (content,) = self.module.application(environ, lambda status, _headers: said.append(status[:3]))
        return said[0], json.loads(content) if content else None


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(monkeypatch)


def test_who_has_the_token_reads_adds_and_removes(site: Site) -> None:
    entry = {"id": 4, "nom": "Riou"}
    assert site("GET", "/licences/licences?cherche=ri%20") == ("200", [entry])
    assert site("POST", "/licences/licences", body=b'{"nom": "Riou"}') == ("201", entry)
    assert site("DELETE", "/licences/licences/4") == ("204", None)
    assert site.asked[0][:3] == ("licences", "licences", "ri ")
    assert site.asked[1][2] == {"nom": "Riou"}
    assert site.asked[2] == ("licences", "licences", "4")


@pytest.mark.parametrize(
    ("status", "token"), [("401", ""), ("401", "of-nobody"), ("401", "é"), ("403", "of-regates")]
)
def test_nobody_else_does(site: Site, status: str, token: str) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/4")):
        assert site(method, f"/licences/licences{path}", token, b'{"nom": "x"}')[0] == status
    assert not site.asked


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b'{"a": 1}', b'{"id": "1"}', b"[" * 100_000])
def test_what_is_no_entry_is_refused(site: Site, body: bytes) -> None:
    assert site("POST", "/licences/licences", body=body)[0] in ("400", "413")
    assert not site.asked


def test_what_is_not_there(site: Site) -> None:
    site.rows = []
    assert site("DELETE", "/licences/licences/4")[0] == "404"
    assert site("DELETE", "/licences/licences")[0] == "405"
    assert site("GET", "/licences/../regates")[0] == "404"


def test_a_database_that_is_away_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OSError("no server")

    monkeypatch.setattr(site.module, "ask", away)
    assert site("GET", "/licences/licences")[0] == "503"
