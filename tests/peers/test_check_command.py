"""``sio-lab check`` whole, on a real sshd: what it prints, writes and returns."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sshd import Sshd, keys, sshd

from sio_lab import cli


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    keys(tmp_path)
    with sshd(tmp_path) as running:
        yield running


@pytest.fixture
def lab(server: Sshd, tmp_path: Path) -> Path:
    """Two names for one machine that is already there."""
    way = server.access
    connection = {
        "host": way.host,
        "port": way.port,
        "user": way.user,
        "identity_file": str(way.identity_file),
        "host_key": way.host_key,
    }
    tree = {
        "lab": "physique",
        "title": "Salle 12",
        "option": "SISR",
        "provider": "existing",
        "machines": {"un": {"connection": connection}, "deux": {"connection": connection}},
        "services": {"operating_systems": {"machines": ["un", "deux"]}},
    }
    file = tmp_path / "salle" / "lab.yml"
    file.parent.mkdir()
    file.write_text(json.dumps(tree))
    return file


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_text(capsys: pytest.CaptureFixture[str], lab: Path) -> None:
    code, out, err = run(capsys, "--lang", "fr", "check", str(lab))
    assert code == 1
    assert "Une seule machine" in out
    report = lab.parent / "reports" / "report.html"
    assert out.splitlines()[-1] == f"Rapport : {report}"
    assert report.is_file()
    assert "✘ 1.1.e: Systèmes d'exploitation des serveurs : non conforme" in err
    assert "Traceback" not in out + err


def test_json_and_machines(capsys: pytest.CaptureFixture[str], lab: Path) -> None:
    code, out, _ = run(capsys, "check", str(lab), "--format", "json", "--only", "1.1.e")
    assert code == 1
    document = json.loads(out)
    one, two = document["machines"]
    assert (one["same_as"], two["same_as"]) == (["deux"], ["un"])
    assert one["host_key"].startswith("SHA256:")
    assert one["system"]
    rows = {row["id"]: row for row in document["requirements"]}
    assert rows["1.1.e"]["status"] == "not_satisfied"
    assert rows["1.1.b"]["status"] == "unverified"
    assert {e["probe"] for e in rows["1.1.e"]["checks"][0]["evidence"]} == {
        "system.identify",
        "system.ssh_greeting",
    }


def test_checks_of_the_user(capsys: pytest.CaptureFixture[str], lab: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "test_mine.py").write_text("import nothing_like_that\n")
    code, out, err = run(capsys, "--lang", "en", "check", str(lab), "--checks", str(mine))
    assert code == 1
    assert "No module named 'nothing_like_that'" in err
    assert "Traceback" not in out + err


def test_report_again(capsys: pytest.CaptureFixture[str], lab: Path) -> None:
    code, _, err = run(capsys, "--lang", "en", "report", str(lab))
    assert code == 2
    assert "this lab has no audit yet" in err
    run(capsys, "check", str(lab), "--only", "1.1.e")
    report = lab.parent / "reports" / "report.html"
    report.unlink()
    code, out, _ = run(capsys, "--lang", "en", "report", str(lab))
    assert code == 0
    assert out.splitlines()[-1] == f"Report: {report}"
    assert report.is_file()
    (lab.parent / "reports" / "audit.json").write_text("{}")
    code, _, err = run(capsys, "--lang", "en", "report", str(lab))
    assert code == 2
    assert "not an audit document" in err


def test_unknown_requirement(capsys: pytest.CaptureFixture[str], lab: Path, tmp_path: Path) -> None:
    code, _, err = run(capsys, "--lang", "fr", "check", str(lab), "--only", "1.1.zz")
    assert code == 2
    assert "l'annexe II.E n'a pas d'exigence « 1.1.zz »" in err
    assert not (tmp_path / "state").exists()


def test_lab_that_is_not_up(capsys: pytest.CaptureFixture[str], lab: Path, server: Sshd, tmp_path: Path) -> None:
    server.stop()
    code, _, err = run(capsys, "--lang", "fr", "check", str(lab))
    assert code == 2
    assert "le labo « physique » n'est pas monté" in err
    assert f"sio-lab up {lab}" in err
    assert not (lab.parent / "reports").exists()


def test_other_host_key(capsys: pytest.CaptureFixture[str], lab: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    keys(other)
    tree = json.loads(lab.read_text())
    tree["machines"]["deux"]["connection"]["host_key"] = (other / "host.pub").read_text().strip()
    lab.write_text(json.dumps(tree))
    code, out, _ = run(capsys, "--lang", "en", "check", str(lab), "--format", "json", "--only", "1.1.e")
    document = json.loads(out)
    row = next(row for row in document["requirements"] if row["id"] == "1.1.e")
    assert code == 3
    assert row["status"] == "unverified"
    assert "deux: " in row["reason"]["en"]
    assert "key" in row["reason"]["en"]
    assert not document["machines"][1]["reachable"]


def test_shell(
    capsys: pytest.CaptureFixture[str], lab: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from sio_lab import workflow
    from sio_lab.lab import load

    argv = workflow.shell_command(load(lab), "un")
    assert argv[0] == "ssh"
    assert argv[-1] == "un"
    assert "Host un" in Path(argv[2]).read_text()


SLOW = """
from sio_lab.audit.requirement import requirement
from sio_lab.text import Text

@requirement("1.1.e", title=Text("Lent", "Slow"), deadline={deadline}, one_sided="a test")
def test_slow(proof):
    machine = proof.machine("un")
    proof.works(machine.run("echo begun"), fr="x", en="x")
    {then}
"""


def start(lab: Path, tmp_path: Path, **how: object) -> subprocess.Popen[str]:
    """Run the command with one slow check, in a process of its own."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "test_slow.py").write_text(SLOW.format(**how))
    argv = [sys.executable, "-m", "sio_lab", "check", str(lab), "--checks", str(mine), "--only", "1.1.e"]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_interruption(lab: Path, tmp_path: Path, by: signal.Signals) -> None:
    begun = tmp_path / "begun"
    then = f"open({str(begun)!r}, 'w').close(); machine.run('sleep 50', deadline=55)"
    process = start(lab, tmp_path, deadline=60, then=then)
    for line in process.stderr or ():
        if "1.1.e: " in line:  # the other check of this requirement has ended
            break
    while not begun.exists():
        time.sleep(0.05)
    process.send_signal(by)
    sent = time.monotonic()
    _, err = process.communicate(timeout=10)
    assert time.monotonic() - sent < 5
    assert process.returncode == 130
    assert "Traceback" not in err
    document = json.loads((lab.parent / "reports" / "audit.json").read_text())
    row = next(row for row in document["requirements"] if row["id"] == "1.1.e")
    assert {check["outcome"] for check in row["checks"]} == {"failed", "inconclusive"}
    assert row["checks"][1]["evidence"][0]["received"] == "begun\n"


def test_stuck_check_does_not_hold_up_the_end(lab: Path, tmp_path: Path) -> None:
    then = "import threading, time; t = threading.Thread(target=time.sleep, args=(20,)); t.start(); t.join()"
    process = start(lab, tmp_path, deadline=0.5, then=then)
    out, err = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "Traceback" not in out + err
