from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from loopback import machine

from sio_lab.probes import background

SERVE = ["sh", "-c", "trap 'echo the end; exit' TERM; echo 'it is ready' >&2; while :; do sleep 0.05; done"]


def running(mark: str) -> bool:
    """Whether the program with ``mark`` among its arguments runs."""
    listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
    return any(line.startswith("sh -c trap") and mark in line for line in listed.splitlines())


def left(folder: str) -> bool:
    """Whether anything that names ``folder`` runs."""
    listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
    return folder in listed


def test_what_runs_is_ready_then_ended_then_gone() -> None:
    with background.running(machine(), [*SERVE, "mark-one"], ready="is ready", seconds=20) as program:
        assert program.started.granted
        assert running("mark-one")
        assert program.stop().granted
        assert Path(program.folder, "out").read_text() == "the end\n"
        assert not running("mark-one")
    assert not Path(program.folder).exists()


def test_nothing_stays_after_an_interruption() -> None:
    folder = ""
    with pytest.raises(KeyboardInterrupt):  # noqa: SIM117
        with background.running(machine(), [*SERVE, "mark-two"], ready="is ready", seconds=20) as program:
            folder = program.folder
            raise KeyboardInterrupt
    assert folder
    assert not Path(folder).exists()
    assert not running("mark-two")
    assert not left(folder)


def test_a_program_that_ends_at_once_says_why() -> None:
    with background.running(machine(), ["sh", "-c", "echo no such device >&2"], ready="is ready", seconds=5) as it:
        assert it.started.answer == "refused"
        assert it.started.detail == "no such device"


def test_a_program_that_is_not_there() -> None:
    with background.running(machine(), ["/nonexistent/tool"], ready="is ready", seconds=5) as program:
        assert program.started.answer == "refused"
        assert "/nonexistent/tool" in program.started.detail


def test_a_program_ends_when_its_time_is_over() -> None:
    with background.running(machine(), [*SERVE, "mark-three"], ready="is ready", seconds=1) as program:
        assert program.started.granted
        status = Path(program.folder, "status")
        subprocess.run(["timeout", "5", "sh", "-c", f"until [ -e {status} ]; do sleep 0.1; done"], check=True)
        assert not running("mark-three")


def test_arguments_arrive_as_they_are(tmp_path: Path) -> None:
    said = tmp_path / "said"
    command = ["sh", "-c", f'printf "%s|" "$@" >{said}; echo ready >&2', "sh", "it's", "a (b) and $c", '"']
    with background.running(machine(), command, ready="ready", seconds=5):
        assert said.read_text() == "it's|a (b) and $c|\"|"
