"""The check of development environments, with projects of a few lines, sound and unsound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from check_module import check_module
from loopback import LocalSession

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.software import Development, DevelopmentEnvironment
from sio_lab.probes import ide
from sio_lab.probes.machine import Machine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root works as somebody else")
TEST = "cd {folder} && for t in *.test; do sh $t || { echo Failures: 1; exit 1; }; done; echo all pass"


def environment(language: str, ending: str, **changes: str) -> DevelopmentEnvironment:
    values = {
        "create": f"cd {{folder}} && echo '# made with Django' >main.{ending} && echo true >a.test",
        "test": TEST,
        "wrong_test": "echo false >{folder}/wrong.test",
        "failure": "Failures: 1",
        "debug": "echo temoin = {value}",
    }
    return DevelopmentEnvironment(language=language, framework="Django", **values | changes)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    def opened(machine: Machine, user: str, command: str, folder: str, *, mark: str) -> ide.IdeObservation:
        ran = machine.run(command)
        return ide.IdeObservation(ran.evidence, ran.answer, titles=(ran.stdout.strip(),))

    monkeypatch.setattr(ide, "opened", opened)
    before = set(Path("/var/tmp").glob("sio-lab-*"))
    yield check_module("slam/test_development.py")
    assert not [left for left in Path("/var/tmp").glob("sio-lab-*") if left not in before]


def run(check: ModuleType, *second: DevelopmentEnvironment, editor: str = "echo {file} - Geany") -> Proof:
    environments = {"php": environment("php", "php")}
    environments |= {f"other{n}": each for n, each in enumerate(second)}
    service = Development(
        product="own",
        machines=["dev"],
        user="nobody",
        environments=environments,
        ide=editor,
        ide_window="Geany",
    )
    proof = Proof(lambda name, record: Machine(name, LocalSession(), record), {}, {}, Path("/nonexistent"))
    check.test_projects_and_their_tests(proof, service)
    return proof


@pytest.fixture(autouse=True)
def login_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work as root: ``nobody`` has no shell to log in with."""
    from sio_lab.probes import account

    real = account.under
    monkeypatch.setattr(account, "under", lambda user, command, *, seconds: real("root", command, seconds=seconds))


def test_sound(check: ModuleType) -> None:
    assert run(check, environment("python", "py")).sides() == {"positive", "negative"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"create": "exit 3"}, "no project can be made"),
        ({"create": "true"}, "no python file"),
        ({"create": "echo '# made by hand' >{folder}/main.py; echo true >{folder}/a.test"}, "names Django"),
        ({"test": "exit 1"}, "a new project.s tests fail"),
        ({"test": "true"}, "not reported as failing"),
        ({"test": "echo Failures: 1"}, "not reported as failing"),
        ({"test": TEST.replace("Failures: 1", "?")}, "not reported as failing"),
        ({"test": TEST.replace("exit 1", "true")}, "not reported as failing"),
        ({"wrong_test": "exit 1"}, "no test can be added"),
        ({"debug": "echo temoin = 1"}, "debugger"),
        ({"debug": "echo {value}; exit 1"}, "debugger"),
    ],
)
def test_unsound(check: ModuleType, changes: dict[str, str], said: str) -> None:
    with pytest.raises(NotSatisfiedError, match=f"other0: .*{said}"):
        run(check, environment("python", "py", **changes))


def test_debugger_is_not_asked_where_none_is_declared(check: ModuleType) -> None:
    run(check, environment("python", "py", debug=""))


def test_one_language(check: ModuleType) -> None:
    with pytest.raises(NotSatisfiedError, match="two are needed"):
        run(check)
    with pytest.raises(NotSatisfiedError, match="two are needed"):
        run(check, environment("PHP", "php"))


def test_language_that_is_not_known(check: ModuleType) -> None:
    with pytest.raises(InconclusiveError, match="cobol"):
        run(check, environment("cobol", "cob"))


def test_editor_that_does_not_start(check: ModuleType) -> None:
    with pytest.raises(NotSatisfiedError, match="opens no window"):
        run(check, environment("python", "py"), editor="exit 1 # {file}")


def test_window_of_something_else(check: ModuleType) -> None:
    with pytest.raises(NotSatisfiedError, match="expected title"):
        run(check, environment("python", "py"), editor="echo {file} - Error")
