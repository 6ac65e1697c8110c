from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from loopback import LocalSession, machine

from sio_lab.errors import InconclusiveError, ProtocolError
from sio_lab.probes import account, ide

GEANY = """window=temoin-1.py - /var/tmp/sio-lab-1/0 - Geany
window=geany
said=Geany-INFO: 05:00
"""


def test_titles_of_windows() -> None:
    seen = ide.opened(
        machine(LocalSession({"runuser": GEANY})), "dev", "geany x.py", "/var/tmp/x", mark="temoin-1"
    )
    assert (seen.answer, seen.titles) == ("granted", ("temoin-1.py - /var/tmp/sio-lab-1/0 - Geany", "geany"))
    assert seen.evidence.sent == "geany x.py"


def test_editor_that_does_not_start() -> None:
    said = LocalSession({"runuser": "said=sh: 1: geany: not found\n"})
    seen = ide.opened(machine(said), "dev", "geany x.py", "/var/tmp/x", mark="temoin-1")
    assert (seen.answer, seen.titles, seen.detail) == ("refused", (), "sh: 1: geany: not found")


def test_display_that_is_not_empty() -> None:
    said = LocalSession({"runuser": "before=somebody's\nwindow=x\n"})
    with pytest.raises(ProtocolError, match="already"):
        ide.opened(machine(said), "dev", "geany x.py", "/var/tmp/x", mark="temoin-1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works as somebody else")
@pytest.mark.skipif(shutil.which("xvfb-run") is not None, reason="this host can make displays")
def test_no_display_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="xvfb-run"):
        ide.opened(machine(), getpass.getuser(), "true", str(tmp_path), mark="temoin-1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works as somebody else")
def test_display_that_is_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an editor says without a display is not what it would say with one."""
    tools = tmp_path / "tools"
    tools.mkdir()
    lasts = 'case "$*" in *-noreset*) ;; *) exit 3 ;; esac'  # or the editor may come while the server resets
    for name, does in (
        ("xvfb-run", f'{lasts}; while [ "$1" != sh ]; do shift; done; exec "$@"'),
        ("xwininfo", "exit 1"),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setattr(ide, "_PATIENCE", 1)
    monkeypatch.setattr(account, "under", lambda _, script, **__: f"PATH={tools}:$PATH; {script}")
    with pytest.raises(ProtocolError, match="no display starts"):
        ide.opened(machine(), getpass.getuser(), "true", str(tmp_path), mark="temoin-1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works as somebody else")
def test_as_a_user_in_a_folder_of_their_own() -> None:
    folder = account.place()
    here = machine()
    try:
        assert here.run(account.make(folder, "nobody", "one")).granted
        said = here.run(account.under("root", 'id -un; printf %s "it\'s" $HOME', seconds=5))
        assert said.stdout == "root\nit's/root"
        assert Path(folder, "one").owner() == "nobody"
        assert not Path(folder).stat().st_mode & 0o77
        left = subprocess.Popen(["sleep", "60"], env={"XDG_CONFIG_HOME": f"{folder}/config"})
    finally:
        here.run(account.removal(folder))
    assert left.wait(timeout=5) == -9
    assert not Path(folder).exists()
    assert here.run(account.removal(folder)).granted


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works as somebody else")
def test_command_that_lasts_too_long() -> None:
    assert machine().run(account.under("root", "sleep 30", seconds=1)).exit_status == 124


def test_words_of_a_command() -> None:
    assert account.filled("cp {lock} ${HOME}/{folder}", lock="a b", folder="/x") == "cp 'a b' ${HOME}//x"


def test_what_a_tool_says() -> None:
    assert account.said("^DEFECT ", "fine\nDEFECT 500\n", where="x")
    assert not account.said("^DEFECT ", "no DEFECT 500\n", where="x")
    with pytest.raises(InconclusiveError, match="regular expression"):
        account.said("(", "any", where="x")
