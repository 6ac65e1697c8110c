"""A whole audit in this process: selection, surroundings, evidence, machines, files that cannot be read."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from unit_audit import PASSWORD, Audit, FakeSession, FakeSessions

from sio_lab.errors import UsageError
from sio_lab.probes import ssh
from sio_lab.providers.base import SshAccess

GOOD = """
    @requirement("1.1.b", title=T, uses=["dbms"])
    def test_good(lab, proof, service):
        assert service is lab.services.dbms
        both(proof)
"""


def test_evidence_is_whole_and_masked(audit: Audit) -> None:
    (check,) = audit(f"""
        @requirement("1.1.b", title=T, uses=["dbms"])
        def test_it(proof):
            both(proof)
            proof.machine("bdd1").run("say {PASSWORD} DbSecret99")
            proof.works(proof.machine("bdd1").run("no bad password {PASSWORD}"), fr="x", en="refused")
    """).findings.checks
    assert [e.side for e in check.evidence] == ["positive", "negative", "context", "positive"]
    assert check.outcome == "failed"
    assert check.reason is not None
    assert check.reason.en == "refused (bad password ••••••)"
    assert check.evidence[2].received == "•••••• ••••••"
    assert PASSWORD not in check.model_dump_json()


def test_reconnection_is_evidence(audit: Audit) -> None:
    (check,) = audit("""
        @requirement("1.1.b", title=T, uses=["dbms"])
        def test_it(proof):
            both(proof)
            proof.machine("bdd1").run("reconnect")
            both(proof)
    """).findings.checks
    retries = [e for e in check.evidence if e.attempt == 2]
    assert [(e.probe, e.target, e.retry_reason) for e in retries] == [("ssh.connect", "bdd1", "connection reset")]


def test_only(audit: Audit) -> None:
    body = (
        GOOD
        + """
        @requirement("1.3.c", title=T)
        def test_other(proof):
            both(proof)

        @requirement("3.1.a", title=T)
        def test_of_the_other_option(proof):
            both(proof)
    """.replace("\n    ", "\n")
    )

    def ran(*only: str) -> list[str]:
        return [c.requirement for c in audit(body, only=only).findings.checks]

    assert ran() == ["1.1.b", "1.3.c"]
    assert ran("1.1") == ["1.1.b"]
    assert ran("1.3.c") == ["1.3.c"]
    with pytest.raises(UsageError, match=r"no requirement '1\.9'"):
        ran("1.9")


def test_progress_tells_starts_and_ends(audit: Audit) -> None:
    audit(GOOD)
    told = [(e.subject, e.state, e.step.en) for e in audit.events]
    assert told == [("1.1.b", "running", "Check"), ("1.1.b", "changed", "Check: satisfied")]


def test_own_surroundings_do_not_count(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not for audits')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--more-nonsense")
    environment = dict(os.environ)
    (check,) = audit(GOOD + "        print('noise')\n").findings.checks
    assert check.outcome == "passed"
    assert check.id == "checks/test_it.py::test_good"
    assert capfd.readouterr() == ("", "")
    assert dict(os.environ) == environment
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["checks", "conftest.py", "pytest.ini", "test_it.py"]


def test_checks_of_the_user(audit: Audit, tmp_path: Path) -> None:
    audit.write(GOOD)
    mine = Audit(audit.ground, tmp_path / "home" / "mine")
    mine.write(GOOD)
    mine.write("@pytest.fixture\ndef machine(proof):\n    return proof.machine('bdd1')\n", "conftest.py")
    mine.write(
        """
        @requirement("1.1.d", title=T)
        def test_with_own_fixture(proof, machine):
            proof.works(machine.run("yes"), fr="x", en="x")
            proof.refused(machine.run("no"), fr="x", en="x")

        @pytest.mark.parametrize("name", ["bdd1", "poste"])
        @requirement("1.1.g", title=T)
        class TestClass:
            def test_method(self, proof, name):
                both(proof, name)
        """,
        "sub/test_more.py",
    )
    ran = audit(more=[mine.folder])
    assert {c.id: c.outcome for c in ran.findings.checks} == {
        "checks/test_it.py::test_good": "passed",
        "mine/test_it.py::test_good": "passed",
        "mine/sub/test_more.py::test_with_own_fixture": "passed",
        "mine/sub/test_more.py::TestClass::test_method[bdd1]": "passed",
        "mine/sub/test_more.py::TestClass::test_method[poste]": "passed",
    }
    assert not ran.broken


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_broken_module(audit: Audit, line: str, said: str) -> None:
    audit.write(GOOD, "test_good.py")
    file = audit.write(
        f"{line}\n\n@requirement('1.1.d', title=T)\ndef test_it(proof):\n    both(proof)\n", "test_bad.py"
    )
    ran = audit()
    (error,) = ran.broken
    assert said in error.what.en
    number = file.read_text().splitlines().index(line) + 1
    assert error.where == f"{file}:{number}"
    assert {(c.requirement, c.outcome) for c in ran.findings.checks} == {("1.1.b", "passed"), ("1.1.d", "error")}


def test_broken_conftest(audit: Audit) -> None:
    audit.write(GOOD)
    file = audit.write("import no_such_module\n", "conftest.py")
    ran = audit()
    assert [error.where.rpartition(":")[0] for error in ran.broken] == [str(file)]
    assert [c.outcome for c in ran.findings.checks] == ["passed"]


def test_checks_that_declare_nonsense(audit: Audit) -> None:
    ran = audit(
        GOOD
        + """
    @requirement("1.1.z", title=T)
    def test_unknown(proof): both(proof)

    @requirement("1.1.b", title=T, uses=["dbm"])
    def test_unknown_service(proof): both(proof)

    def test_nothing(): pass

    import unittest

    class TestOld(unittest.TestCase):
        @requirement("1.1.b", title=T)
        def test_method(self): pass
    """
    )
    assert [error.what.en for error in ran.broken] == [
        "Annexe II.E has no requirement '1.1.z'",
        "unknown capability in uses: dbm",
        "this test does not say what it proves",
        "test_method is no plain function",
    ]
    assert [c.outcome for c in ran.findings.checks] == ["passed"]


def test_fixture_that_breaks(audit: Audit) -> None:
    ran = audit("""
        @pytest.fixture
        def before(): 1 / 0

        @pytest.fixture
        def after():
            yield
            1 / 0

        @requirement("1.1.b", title=T)
        def test_before(proof, before): both(proof)

        @requirement("1.1.b", title=T)
        def test_after(proof, after): both(proof)
    """)
    assert [c.outcome for c in ran.findings.checks] == ["error", "error"]


def test_machines_are_described(audit: Audit) -> None:
    machines = {m.name: m for m in audit(GOOD).findings.machines}
    assert list(machines) == list(audit.ground.lab.machines)
    database = machines["bdd1"]
    assert (database.reachable, database.system) == (True, "Fake")
    assert (database.machine_id, database.host_key) == ("id-bdd1", "SHA256:bdd1")
    assert (database.same_as, database.problem) == ([], None)


def test_one_machine_under_two_names(audit: Audit, sessions: FakeSessions) -> None:
    sessions.known["bdd1"] = FakeSession("bdd1", "id-1", "SHA256:same")
    sessions.known["annuaire"] = FakeSession("annuaire", "id-2", "SHA256:same")
    sessions.known["ids"] = FakeSession("ids", "id-analyse", "SHA256:ids")
    machines = {m.name: m for m in audit(GOOD).findings.machines}
    assert machines["bdd1"].same_as == ["annuaire"]
    assert machines["analyse"].same_as == ["ids"]
    assert machines["ids"].problem is not None
    assert machines["ids"].problem.en == "this is the same machine as analyse (same machine-id): it counts once"


def test_unreachable_machine_costs_one_timeout(audit: Audit) -> None:
    """Its sshd accepts and says nothing; ten checks and the description of the machine ask it."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        way = SshAccess("bdd1", "root", "127.0.0.1", silent.getsockname()[1], host_key="ssh-ed25519 AAAA")
        audit.ground = replace(audit.ground, sessions=ssh.Sessions({"bdd1": way}, timeout=1.0))
        start = monotonic()
        ran = audit("\n".join(
            f"@requirement('1.1.b', title=T)\ndef test_{n}(proof): both(proof)\n" for n in range(10)
        ))  # fmt: skip
        assert monotonic() - start < 5  # one after the other: ten seconds
    assert [c.outcome for c in ran.findings.checks] == ["unreachable"] * 10
    machines = {m.name: m for m in ran.findings.machines}
    assert not machines["bdd1"].reachable
    assert machines["bdd1"].problem is not None


def test_modules_of_checks_are_read_again(audit: Audit) -> None:
    before = set(sys.modules)
    assert audit(GOOD).findings.checks[0].outcome == "passed"
    assert audit(GOOD + "        assert False, 'changed'\n").findings.checks[0].outcome == "failed"
    assert not {name for name in set(sys.modules) - before if name.endswith("test_it")}
    with suppress(KeyError):
        del sys.modules["checks"]
