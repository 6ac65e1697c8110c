"""What checks of applications put in the data of others, and what they conclude from refusals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from application_server import NAME, URLS, serving
from check_module import check_module
from lab_runner import ROOT
from loopback import LocalSession, certificate, running

from sio_lab.audit import applications, working_copy
from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab import load
from sio_lab.probes.application import Api
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

LAB = load(ROOT / "inventories" / "slam").lab
APPLICATION = LAB.applications["regates"].model_copy(update={"api": URLS})


@pytest.fixture
def broken() -> set[str]:
    return set()


@pytest.fixture
def proof(tmp_path: Path, broken: set[str]) -> Iterator[Proof]:
    ca = certificate(tmp_path, NAME)
    with running(serving(broken), ca) as port:
        session = LocalSession(ports={(NAME, 443): port})
        yield Proof(lambda name, record: Machine(name, session, record), {"chloe": "c-secret"}, {}, ca)


@pytest.fixture
def user(proof: Proof) -> Api:
    return applications.user(proof, APPLICATION)


def test_what_is_planted_is_removed(proof: Proof, user: Api) -> None:
    with applications.planted(proof, APPLICATION, user, "page") as entry:
        assert user.list().ids(entry.mark) == [entry.id]
    assert not user.list().entries


def test_it_is_removed_when_the_check_fails(proof: Proof, user: Api) -> None:
    with pytest.raises(RuntimeError), applications.planted(proof, APPLICATION, user, "page"):
        raise RuntimeError
    assert not user.list().entries


def test_leftovers_of_the_same_kind_are_removed(proof: Proof, user: Api) -> None:
    for word in ("siolabpage0123456789ab", "siolabmobile0123456789ab", "siolabpage", "Coupe"):
        user.add(word)
    with applications.planted(proof, APPLICATION, user, "page"):
        names = {entry["nom"] for entry in user.list().entries}
    assert "siolabpage0123456789ab" not in names
    assert {"siolabmobile0123456789ab", "siolabpage", "Coupe"} < names


@pytest.mark.parametrize("what", ["add", "list"])
def test_an_application_that_adds_or_lists_nothing(what: str, proof: Proof, user: Api, broken: set[str]) -> None:
    broken.add(what)
    with pytest.raises(NotSatisfiedError), applications.planted(proof, APPLICATION, user, "page"):
        pass


def test_what_is_turned_away_once_is_asked_again(proof: Proof, broken: set[str]) -> None:
    broken.add("busy")
    applications.user(proof, APPLICATION)
    first, second = proof.evidence
    assert (first.attempt, second.attempt) == (1, 2)
    assert second.retry_reason == "a busy application turns a request away now and then"
    assert "503" in first.received


def test_who_is_kept_out(proof: Proof, user: Api, broken: set[str]) -> None:
    visitor = applications.somebody(proof, APPLICATION)
    applications.kept_out(proof, visitor.list(), fr="", en="", shown="x")
    with pytest.raises(NotSatisfiedError):
        applications.kept_out(proof, user.list(), fr="", en="", shown="x")
    with pytest.raises(InconclusiveError):  # 404
        applications.kept_out(proof, user.remove("7"), fr="", en="")
    broken.add("away")
    with pytest.raises(InconclusiveError):  # 503
        applications.kept_out(proof, user.list(), fr="", en="", shown="x")


def test_a_wrong_password(proof: Proof) -> None:
    stranger = Proof(lambda name, record: proof.machine(name), {"chloe": "wrong"}, {}, proof.ca)
    with pytest.raises(NotSatisfiedError):
        applications.user(stranger, APPLICATION)


def test_nothing_is_declared() -> None:
    bare = LAB.model_copy(update={"applications": {}})
    with pytest.raises(InconclusiveError):
        applications.declared(bare)
    with pytest.raises(InconclusiveError):
        applications.having(bare, "mobile", Text.same("x"))
    assert list(applications.having(LAB, "heavy_client", Text.same("x"))) == ["regates"]


def test_what_the_loss_of_the_remote_site_disturbs() -> None:
    found = check_module("slam/test_application.py").disturbed(LAB)
    assert {"donnees", "remote_data", "encryption"} <= found
    assert "directory" not in found


@pytest.mark.parametrize("what", ["", "open", "any password", "keep"])
def test_who_has_access(what: str, proof: Proof, broken: set[str]) -> None:
    check = check_module("slam/test_application.py")
    if what:
        broken.add(what)
        with pytest.raises(NotSatisfiedError):
            check.access(proof, APPLICATION)
    else:
        check.access(proof, APPLICATION)
        assert proof.sides() == {"positive", "negative"}


def calls(proof: Proof) -> None:
    """Judge an application that calls itself, at an address that nobody has (RFC 5737)."""
    itself = APPLICATION.model_copy(update={"calls": "regates", "machines": ["nobody"]})
    nobody = LAB.machines["regates"].model_copy(update={"addresses": {"dmz": ip_address("192.0.2.1")}})
    machines, found = {**LAB.machines, "nobody": nobody}, {"regates": itself}
    lab = LAB.model_copy(update={"applications": found, "machines": machines})
    check_module("slam/test_application.py").calls(lab, proof, "regates")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees packets")
@pytest.mark.parametrize(
    ("what", "said"), [("echo", "repeats"), ("", "sends nothing"), ("list", "not in the list")]
)
def test_calls(what: str, said: str, proof: Proof, broken: set[str]) -> None:
    """One only repeats what it is asked, one answers without asking anybody, one has nothing to be asked for."""
    broken.add(what)
    with pytest.raises(NotSatisfiedError) as failure:
        calls(proof)
    assert said in failure.value.reason.en


def test_data_of_its_own(proof: Proof, user: Api, broken: set[str]) -> None:
    check = check_module("slam/test_application.py")
    with applications.planted(proof, APPLICATION, user, "lost") as entry:
        alive, shown = user.version(), user.list()
        with pytest.raises(NotSatisfiedError):
            check.without_data(proof, APPLICATION, entry, alive, shown)
        broken.add("away")
        check.without_data(proof, APPLICATION, entry, alive, user.list())
        with pytest.raises(InconclusiveError):  # dead
            check.without_data(proof, APPLICATION, entry, user.list(), user.list())
        broken.clear()
        assert check.back(proof, user, entry, 0.0).ids(entry.mark)


def test_one_application_is_not_enough(proof: Proof) -> None:
    check = check_module("slam/test_application.py")
    proof.machine("poste").run("true")  # a failure counts only where something was observed
    with pytest.raises(NotSatisfiedError, match="1 application"):
        check.enough(proof, {"regates": APPLICATION})
    check.enough(proof, LAB.applications)


def test_who_develops() -> None:
    assert working_copy.developer(LAB, APPLICATION) == "developpeur"
    elsewhere = APPLICATION.model_copy(update={"development": "poste"})
    assert working_copy.developer(LAB, elsewhere) == "root"
