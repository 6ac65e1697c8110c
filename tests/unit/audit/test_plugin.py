"""The plugin in pytest's own command line: what it prints, and that it is not felt elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree

import pytest
from unit_audit import HEAD, ROOT, FakeSession, FakeSessions

from sio_lab.audit.ground import Ground
from sio_lab.audit.lab_plugin import LabPlugin
from sio_lab.text import Lang

pytest_plugins = ["pytester"]

CHECKS = (
    HEAD
    + """
@requirement("1.1.b", title=T, uses=["dbms"])
def test_good(lab, proof, service):
    both(proof)

@requirement("1.1.b", title=T, uses=["dbms"])
def test_failed(proof):
    both(proof)
    proof.refused(proof.machine("bdd1").run("yes"), fr="la porte est ouverte", en="the door is open")

@requirement("1.1.b", title=T, uses=["dbms"])
def test_slow(proof):
    proof.machine("bdd1").run("slow")

@requirement("1.1.b", title=T, uses=["dbms"])
def test_broken(proof):
    1 / 0

@requirement("0.a", title=T, uses=["cloud"])
def test_undeclared(proof):
    both(proof)

def test_of_somebody_else():
    assert True
"""
)


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs of pytest without the plugins of others that are installed, which each would load again."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "sio_lab.audit.plugin")
    return pytester


def run(pytester: pytest.Pytester, ground: Ground, *args: str, lang: Lang = "en") -> pytest.RunResult:
    pytester.makepyfile(test_it=CHECKS)
    plugin = LabPlugin(ground.lab, lambda: nullcontext(ground), lang=lang)
    return pytester.runpytest_inprocess("--import-mode=importlib", *args, plugins=[plugin])


def test_pytest_tells_each_outcome(pytester: pytest.Pytester, ground: Ground) -> None:
    result = run(pytester, ground, "-v", "-ra")
    result.assert_outcomes(passed=2, failed=1, errors=2, skipped=1)
    out = result.stdout.str()
    for said in (
        "test_it.py::test_good PASSED",
        "test_it.py::test_failed FAILED",
        "test_it.py::test_slow UNVERIFIED",
        "test_it.py::test_broken UNVERIFIED",
        "test_it.py::test_undeclared SKIPPED (the lab file does not",
        "\n1.1.b Check: the door is open\n",
        "- evidence -",
        "shell.run bdd1 → bdd1 [must be refused, 0.00 s]\n  > no\n  < denied\n  sha256 ",
        "FAILED test_it.py::test_failed - 1.1.b Check: the door is open",
        "SKIPPED [1] test_it.py:33: the lab file does not declare services.cloud",
        "UNVERIFIED test_it.py::test_slow - 1.1.b Check: bdd1: too slow",
        "error in the check: ZeroDivisionError: division by zero (test_it.py:",
    ):
        assert said in out
    assert "Traceback" not in out


class SetUps:
    """Notes the fixtures that pytest sets up."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> None:
        self.names.add(fixturedef.argname)


def test_same_outcomes_where_all_are_checks(pytester: pytest.Pytester, ground: Ground) -> None:
    """Nothing is set up then, and all is told in the same words."""
    lines, properties, set_ups = [], [], []
    for checks, plugin in (CHECKS, SetUps()), (CHECKS.partition("def test_of_somebody_else")[0], SetUps()):
        pytester.makepyfile(test_it=checks)
        audit = LabPlugin(ground.lab, lambda: nullcontext(ground))
        options = ("-v", "-ra", "--import-mode=importlib", "--junitxml=j.xml", "-oconsole_output_style=classic")
        result = pytester.runpytest_inprocess(*options, plugins=[audit, plugin])
        lines.append([line for line in result.outlines if "test_it.py" in line and "somebody_else" not in line])
        cases = ElementTree.parse(pytester.path / "j.xml").iter("testcase")  # our own
        properties.append(
            [[p.attrib for p in c.iter("property")] for c in cases if "else" not in c.attrib["name"]]
        )
        set_ups.append(plugin.names)
    assert lines[0] == lines[1]
    assert properties[0] == properties[1]
    assert {"name": "requirement", "value": "1.1.b"} in properties[1][0]
    assert set_ups == [{"lab", "proof", "service"}, set()]


def test_what_others_set_up_for_each_test(pytester: pytest.Pytester, ground: Ground) -> None:
    pytester.makeconftest("def pytest_runtest_setup(item): raise RuntimeError('no such day')")
    pytester.makepyfile(
        test_it=CHECKS.partition('\n@requirement("1.1.b", title=T, uses=["dbms"])\ndef test_failed')[0]
    )
    audit = LabPlugin(ground.lab, lambda: nullcontext(ground))
    result = pytester.runpytest_inprocess("--import-mode=importlib", plugins=[audit])
    result.assert_outcomes(errors=1)
    assert "no such day" in result.stdout.str()


def test_in_french(pytester: pytest.Pytester, ground: Ground) -> None:
    out = run(pytester, ground, "-v", lang="fr").stdout.str()
    assert "1.1.b Contrôle : la porte est ouverte" in out
    assert "NON VÉRIFIÉ" in out
    assert "doit être refusé" in out


def test_traceback_for_who_asks(pytester: pytest.Pytester, ground: Ground) -> None:
    assert "Traceback" in run(pytester, ground, "--tb=long").stdout.str()


def test_machines_that_are_not_what_they_should_be(
    pytester: pytest.Pytester, ground: Ground, sessions: FakeSessions
) -> None:
    sessions.known["bdd1"] = FakeSession("bdd1", "id-annuaire", "SHA256:bdd1")
    out = run(pytester, ground).stdout.str()
    assert "\nbdd1: this is the same machine as annuaire (same machine-id): it counts once\n" in out


def test_selection_by_pytest_itself(pytester: pytest.Pytester, ground: Ground) -> None:
    run(pytester, ground, "-k", "good").assert_outcomes(passed=1, deselected=5)


def test_stops_at_the_first_failure(pytester: pytest.Pytester, ground: Ground) -> None:
    run(pytester, ground, "-x").assert_outcomes(passed=1, failed=1)


def test_collecting_needs_no_machine(pytester: pytest.Pytester, ground: Ground) -> None:
    out = run(pytester, ground, "--collect-only", "-q").stdout.str()
    assert "test_it.py::test_slow" in out


def test_check_that_declares_nonsense(pytester: pytest.Pytester, ground: Ground) -> None:
    pytester.makepyfile(test_bad=HEAD + "@requirement('1.1.z', title=T)\ndef test_it(proof): pass\n")
    result = run(pytester, ground)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Annexe II.E has no requirement '1.1.z'" in result.stderr.str()


@pytest.fixture
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIO_LAB_LANG", "en")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.usefixtures("_english")
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--lab", "nowhere"], "nowhere: lab file not found"),
        (["--lab", str(ROOT / "inventories/sisr"), "--only", "9.9"], "Annexe II.E has no requirement '9.9'"),
    ],
)
def test_wrong_options(pytester: pytest.Pytester, args: list[str], said: str) -> None:
    pytester.makepyfile(test_it=CHECKS)
    result = pytester.runpytest_inprocess(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()


def test_inert_without_a_lab(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any pytest run on a machine with sio-lab: nothing of it is loaded but the plugin itself."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.delenv("PYTEST_PLUGINS")
    pytester.makepyfile("""
        import json, sys
        def test_it(request):
            assert request.config.pluginmanager.has_plugin("sio_lab")
            heavy = ("sio_lab", "paramiko", "pydantic", "rich")
            loaded = [name for name in sys.modules if name.split(".")[0] in heavy]
            assert sorted(loaded) == ["sio_lab", "sio_lab.audit", "sio_lab.audit.plugin"]
            assert not request.config.pluginmanager.has_plugin("sio-lab-audit")
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_checks_without_a_lab_are_skipped() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "checks/common/test_real_equipment.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "--lab PATH" in ran.stdout


def test_audit_document(pytester: pytest.Pytester, ground: Ground, tmp_path: Path) -> None:
    from sio_lab import audits
    from sio_lab.lab import load

    loaded, file = load(ROOT / "inventories/sisr"), tmp_path / "audit.json"

    def write(findings, started) -> None:
        document = audits.document_of(loaded, findings, started, disrupt=False, only=())
        file.write_text(document.model_dump_json())

    pytester.makepyfile(test_it=CHECKS)
    plugin = LabPlugin(ground.lab, lambda: nullcontext(ground), when_done=write)
    pytester.runpytest_inprocess("--import-mode=importlib", plugins=[plugin])
    rows = {row["id"]: row for row in json.loads(file.read_text())["requirements"]}
    assert rows["1.1.b"]["status"] == "not_satisfied"
    assert [check["outcome"] for check in rows["1.1.b"]["checks"]] == ["passed", "failed", "timeout", "error"]
