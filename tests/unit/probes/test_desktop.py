from __future__ import annotations

import pytest
from loopback import LocalSession, machine

from sio_lab.errors import ProtocolError
from sio_lab.probes import desktop

OPENBOX = 'display=:0\nmanager="Openbox"\nsession=tty user \nsession=unspecified manager-early \n'


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (OPENBOX, (":0", "Openbox")),
        ('display=:1\nmanager="GNOME Shell"\nsession=wayland user \n', (":1", "GNOME Shell")),
        ("session=wayland user \n", ("wayland", "wayland session")),
        ("display=:0\nsession=x11 greeter \n", (":0", "login screen")),
        ("display=:0\nsession=tty user \n", (":0", "")),
        ("session=tty user \n", ("", "")),
        ("", ("", "")),
    ],
)
def test_reading(output: str, expected: tuple[str, str]) -> None:
    assert desktop.reading(output) == expected


def test_desktop() -> None:
    seen = desktop.session(machine(LocalSession({"sh": OPENBOX})))
    assert (seen.answer, seen.display, seen.manager) == ("granted", ":0", "Openbox")


def test_server_without_display() -> None:
    assert desktop.session(machine(LocalSession({"sh": "session=tty user \n"}))).answer == "refused"


def test_display_that_cannot_be_asked() -> None:
    with pytest.raises(ProtocolError, match="xprop"):
        desktop.session(machine(LocalSession({"sh": "xprop=missing\n"})))


def test_question_runs_in_a_real_shell() -> None:
    assert desktop.session(machine()).answer in {"granted", "refused"}
