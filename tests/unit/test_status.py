"""What is broken or cut shows, in both languages and for programs, with the command that mends it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from sio_lab import cli, paths, status, workflow
from sio_lab.disruption import cuts
from sio_lab.disruption import journal as disruptions
from sio_lab.lab import LoadedLab, load
from sio_lab.provision import faults
from sio_lab.text import Lang, Text

LAB = """
lab: petit
title: Petit labo
option: SISR
provider: existing
perimeters: {servers: 10.0.1.0/24}
machines:
  bdd: {title: Base, addresses: {servers: 10.0.1.11}, connection: {host: 192.0.2.1, user: audit}}
  app: {title: Application, addresses: {servers: 10.0.1.12}, connection: {host: 192.0.2.2, user: audit}}
services:
  dbms:
    product: postgresql
    machines: [bdd]
    host: bdd
    database: regates
    user: regates
    client: app
"""


class Idle:
    """A provider whose machines are where they are."""

    def status(self, lab: object) -> dict[str, str]:
        return {"bdd": "running", "app": "stopped"}

    def access(self, lab: object) -> dict[str, object]:
        return {}


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedLab:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for module in (status, workflow):
        monkeypatch.setattr(module, "provider_for", lambda _: Idle())
    file = tmp_path / "lab.yml"
    file.write_text(LAB)
    return load(file)


def broken_and_cut() -> None:
    entries = [faults.Entry("dbms_stopped", "2026-03-04T09:00:00+00:00")]
    faults._keep("petit", entries)
    disruptions.add("petit", cuts.power("app"))
    disruptions.add("petit", cuts.stopped("bdd", "postgresql"))


def shown(loaded: LoadedLab, lang: Lang, *, as_json: bool = False) -> str:
    out = io.StringIO()
    status.show(loaded, Console(file=out, width=100), lang, as_json=as_json)
    return out.getvalue()


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_nothing_is_amiss(loaded: LoadedLab, lang: Lang) -> None:
    said = shown(loaded, lang)
    assert "10.0.1.11" in said
    assert "repair" not in said


def test_faults_cuts_and_what_mends_them(loaded: LoadedLab) -> None:
    broken_and_cut()
    said = shown(loaded, "fr").splitlines()
    assert [line for line in said if line.startswith("panne dbms_stopped (depuis le 04/03 à ")]
    assert "coupé par un contrôle, en cours ou interrompu : coupure de courant de app" in said
    assert "coupé par un contrôle, en cours ou interrompu : arrêt de postgresql sur bdd" in said
    assert said[-1] == f"→ pour tout remettre en état : sio-lab repair {loaded.path}"
    assert "power cut of app" in shown(loaded, "en")


def test_a_fault_that_no_longer_exists_is_named(loaded: LoadedLab) -> None:
    faults._keep("petit", [faults.Entry("of_yore", "2026-03-04T09:00:00+00:00")])
    assert "fault of_yore (since 2026-03-0" in shown(loaded, "en")


def test_for_programs(loaded: LoadedLab) -> None:
    broken_and_cut()
    assert json.loads(shown(loaded, "fr", as_json=True)) == {
        "lab": "petit",
        "machines": {"bdd": "running", "app": "stopped"},
        "faults": ["dbms_stopped"],
        "cuts": [{"kind": "power", "machine": "app"}, {"kind": "unit", "machine": "bdd"}],
    }


def test_looking_leaves_nothing_behind(loaded: LoadedLab) -> None:
    shown(loaded, "fr")
    assert not paths.state_path("petit").exists()


def test_repair_lists_what_it_put_right(
    loaded: LoadedLab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken_and_cut()
    monkeypatch.setattr(disruptions, "wake", lambda *_: None)
    monkeypatch.setattr(disruptions, "restore", lambda *_: [cuts.power("app")])
    monkeypatch.setattr(faults, "repair", lambda *_: ["dbms_stopped"])
    assert workflow.repair(loaded, lambda _: None) == [
        Text("coupure de courant de app", "power cut of app"),
        Text("panne dbms_stopped", "fault dbms_stopped"),
    ]
    with pytest.raises(SystemExit) as stop:
        cli.main(["--lang", "fr", "repair", str(loaded.path)])
    assert not stop.value.code
    assert capsys.readouterr().out.splitlines() == [
        "Remis en état : coupure de courant de app",
        "Remis en état : panne dbms_stopped",
    ]
