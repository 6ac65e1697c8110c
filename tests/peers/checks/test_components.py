"""The check of the component repository, with an installer in a line of shell, sound and unsound."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from check_module import check_module
from lab_runner import ROOT
from loopback import LocalSession, certificate, running

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.loading import load
from sio_lab.lab.software import Components
from sio_lab.probes.machine import Machine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root works as somebody else")
LAB = load(ROOT / "inventories" / "slam").lab
# Hash and content as a package manager sees them.
INSTALL = 'grep -q "$(sha256sum <{repository} | cut -c1-64)" {{lock}} && cp {repository} {{folder}}/component'
USE = "sh {folder}/component"

Run = Callable[[], Proof]


class Index(BaseHTTPRequestHandler):
    pages: dict[str, str]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def do_GET(self) -> None:
        page = self.pages.get(self.path)
        self.send_response(404 if page is None else 200 if page else 302)
        if page == "":
            self.send_header("Location", f"{self.path}/")
        self.end_headers()
        self.wfile.write((page or "").encode())


class Place:
    """A repository of one component, and its lock; ``changes`` are those of its declaration."""

    def __init__(self, folder: Path) -> None:
        self.ca = certificate(folder, "127.0.0.1")
        self.repository, self.lock = folder / "repository", folder / "requirements.lock"
        self.repository.write_text("echo 1.0.0\n")
        digest = hashlib.sha256(self.repository.read_bytes()).hexdigest()
        self.lock.write_text(f"capvoile-commun==1.0.0 --hash=sha256:{digest}\n")
        self.pages = {"/simple/": '<a href="capvoile-commun/">capvoile-commun</a>'}
        self.changes: dict[str, str] = {}

    def run(self) -> Proof:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Index,), {"pages": self.pages}))
        with running(server, self.ca) as port:
            declared = Components(
                product="own",
                machines=["composants"],
                url=f"https://127.0.0.1:{port}/simple/",
                component="capvoile-commun",
                version="1.0.0",
                lock=str(self.lock),
                install=INSTALL.format(repository=self.repository),
                use=USE,
                client="poste",
            ).model_copy(update=self.changes)
            proof = Proof(lambda name, record: Machine(name, LocalSession(), record), {}, {}, self.ca)
            check_module("slam/test_components.py").test_locked_component(LAB, proof, declared)
        return proof


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    before = set(Path("/var/tmp").glob("sio-lab-*"))
    yield Place(tmp_path)
    assert not [left for left in Path("/var/tmp").glob("sio-lab-*") if left not in before]


def test_sound(place: Place) -> None:
    assert place.run().sides() == {"positive", "negative"}


@pytest.mark.parametrize(
    "pages",
    [
        {
            "/simple/": "…",
            "/simple/capvoile-commun": "",
            "/simple/capvoile-commun/": "capvoile_commun-1.0.0.tar.gz",
        },
        {"/simple/capvoile-commun": '{"name": "capvoile-commun"}'},
    ],
)
def test_indexes_of_other_kinds(place: Place, pages: dict[str, str]) -> None:
    place.pages.clear()
    place.pages.update(pages)
    place.run()


def test_component_that_nobody_lists(place: Place) -> None:
    place.pages["/simple/"] = "autre-composant"
    with pytest.raises(NotSatisfiedError, match="HTTP 404"):
        place.run()


def test_other_content_under_the_same_version(place: Place) -> None:
    place.repository.write_text("echo 1.0.0; # and more\n")
    with pytest.raises(NotSatisfiedError, match="cannot be installed at the locked version"):
        place.run()


def test_other_version(place: Place) -> None:
    place.changes["version"] = "1.1.0"
    with pytest.raises(NotSatisfiedError, match=r"is 1\.0\.0, not 1\.1\.0"):
        place.run()


def test_installer_that_does_not_look(place: Place) -> None:
    place.changes["install"] = f"cp {place.repository} {{folder}}/component"
    with pytest.raises(NotSatisfiedError, match="not what the lock says"):
        place.run()


def test_component_that_is_there_already(place: Place) -> None:
    place.changes["use"] = "echo 1.0.0"
    with pytest.raises(InconclusiveError, match="already"):
        place.run()


def test_lock_of_versions_alone(place: Place) -> None:
    place.lock.write_text("capvoile-commun==1.0.0\n")
    with pytest.raises(InconclusiveError, match="no digest"):
        place.run()


@pytest.mark.parametrize(
    "line",
    [
        "    --hash=sha256:fe139bf24f3111dffe1ab43821a8312adc2375d25cc1f191eb0907fa46dd6032",
        '"shasum": "91a6969fa9c6a0fa4b8e5ba974c9ec8062412ee5"',
        f'"integrity": "sha512-{"Ab+/" * 21}AA=="',
        f'"integrity": "sha384-{"Ab+/" * 16}"',
        f"golang.org/x/text v0.3.0 h1:{'g1' * 21}g=",
        f'"contentHash": "{"Q2/+" * 21}AA=="',
    ],
)
def test_digests_are_altered(line: str) -> None:
    module = check_module("slam/test_components.py")
    altered, count = module.DIGEST.subn(lambda found: module.other(found.group()), line)
    assert count == 1
    assert altered != line
    assert len(altered) == len(line)


@pytest.mark.parametrize("line", ['"content-hash": "0123456789abcdef0123456789abcdef"', "capvoile-commun==1.0.0"])
def test_what_is_no_digest_stays(line: str) -> None:
    assert not check_module("slam/test_components.py").DIGEST.search(line)
