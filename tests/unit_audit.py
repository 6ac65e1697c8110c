"""A lab whose machines answer at once, and folders of checks made for the test."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sio_lab.audit.ground import Ground
from sio_lab.audit.run import Ran, run_audit
from sio_lab.errors import IdentityError, ProbeTimeout, ServiceUnavailable, Unreachable
from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.probes.ssh_transport import Reconnection
from sio_lab.providers.base import Progress
from sio_lab.provision.secrets import Secrets
from sio_lab.text import Text

ROOT = Path(__file__).parents[1]
PASSWORD = "Zr8kQ2pWvX41"

HEAD = """
import time
from pathlib import Path
import pytest
from sio_lab.errors import InconclusiveError
from sio_lab.audit.requirement import requirement
from sio_lab.errors import UsageError
from sio_lab.text import Text

T = Text("Contrôle", "Check")

def both(proof, name="bdd1"):
    machine = proof.machine(name)
    proof.works(machine.run("yes"), fr="ne marche pas", en="does not work")
    proof.refused(machine.run("no"), fr="n'est pas refusé", en="is not refused")
"""


@dataclass(eq=False)
class FakeSession:
    """A machine that answers what its commands ask for."""

    name: str
    machine_id: str
    host_key_fingerprint: str = ""
    asked: list[str] = field(default_factory=list)
    reconnections: tuple[Reconnection, ...] = ()

    def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
        self.asked.append(command)
        word, _, rest = command.partition(" ")
        match word:
            case "sh":
                return (
                    0,
                    f"== os-release\nPRETTY_NAME=Fake\n== uname\nLinux 6 x\n== machine-id\n{self.machine_id}\n",
                    "",
                )
            case "reconnect":
                self.reconnections += (Reconnection(datetime.now(UTC), "connection reset", succeeded=True),)
            case "sleep":
                time.sleep(float(rest))
            case "say":
                return 0, rest, ""
            case "no":
                return 1, "", rest or "denied"
            case "slow":
                raise ProbeTimeout(Text("trop lent", "too slow"), where=self.name)
            case "lost":
                raise Unreachable(Text("perdue", "lost"), where=self.name)
            case "other":
                raise IdentityError(Text("autre clé d'hôte", "another host key"), where=self.name)
        return 0, "", ""

    @contextmanager
    def forward(self, host: str, port: int) -> Iterator[tuple[str, int]]:
        raise ServiceUnavailable(Text.same("connection refused"), where=f"{host}:{port}")
        yield


class FakeSessions:
    def __init__(self) -> None:
        self.known: dict[str, FakeSession] = {}

    def session(self, name: str) -> FakeSession:
        return self.known.setdefault(name, FakeSession(name, f"id-{name}", f"SHA256:{name}"))


@pytest.fixture(scope="session")
def lab() -> Lab:
    return load(ROOT / "inventories" / "sisr").lab


@pytest.fixture
def sessions() -> FakeSessions:
    return FakeSessions()


@pytest.fixture
def ground(lab: Lab, sessions: FakeSessions, tmp_path: Path) -> Ground:
    secrets = Secrets({"alice": PASSWORD}, {"dbms": "DbSecret99"})
    return Ground(lab, sessions, secrets, tmp_path / "ca.crt")


@dataclass
class Audit:
    """Runs checks that are given as text."""

    ground: Ground
    folder: Path
    events: list[Progress] = field(default_factory=list)

    def write(self, body: str, name: str = "test_it.py") -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + textwrap.dedent(body))
        return file

    def __call__(self, body: str = "", *, more: Sequence[Path] = (), **options: object) -> Ran:
        if body:
            self.write(body)
        return run_audit(self.ground, [self.folder, *more], self.events.append, **options)  # type: ignore[arg-type]


@pytest.fixture
def audit(ground: Ground, tmp_path: Path) -> Audit:
    return Audit(ground, tmp_path / "checks")


@pytest.fixture
def outcomes(audit: Audit) -> Callable[..., dict[str, tuple[str, str]]]:
    """Run checks; return outcome and reason of each, by name."""

    def run(body: str, **options: object) -> dict[str, tuple[str, str]]:
        found = audit(body, **options).findings.checks
        return {c.id.partition("::")[2]: (c.outcome, c.reason.en if c.reason else "") for c in found}

    return run
