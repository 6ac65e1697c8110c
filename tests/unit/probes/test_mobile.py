from __future__ import annotations

import shutil

import pytest
from loopback import LocalSession, closed_port, machine

from sio_lab.errors import ProbeTimeout, ProtocolError
from sio_lab.probes import mobile

TABLET = """connected to mobile.capvoile.test:5555
ro.product.manufacturer=sio-lab
ro.product.model=Tablette du moniteur (simulée)
ro.product.device=mobile
ro.build.characteristics=tablet
ro.build.version.release=0
ro.kernel.qemu=
ro.sio.simulated=1
uname=Linux x86_64
"""
PHONE = (
    TABLET.replace("sio-lab", "Fairphone")
    .replace("Tablette du moniteur (simulée)", "FP4")
    .replace("ro.sio.simulated=1", "ro.sio.simulated=")
    .replace("uname=Linux x86_64", "uname=Linux aarch64")
    .replace("release=0", "release=14")
)


def test_simulated_tablet() -> None:
    seen = mobile.identity(machine(LocalSession({"sh -s": TABLET})), "mobile.capvoile.test")
    assert (seen.answer, seen.model, seen.simulated) == ("granted", "Tablette du moniteur (simulée)", True)


def test_phone() -> None:
    seen = mobile.identity(machine(LocalSession({"sh -s": PHONE})), "192.0.2.7")
    assert (seen.manufacturer, seen.model, seen.system) == ("Fairphone", "FP4", "14 Linux aarch64")
    assert not seen.simulated
    assert seen.evidence.target == "192.0.2.7:5555"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (
            "failed to connect to 'poste:5555': Connection refused\nadb: device 'poste:5555' not found",
            "unavailable",
        ),
        ("failed to connect to '192.0.2.7:5555': No route to host", "unavailable"),
        ("already connected to 192.0.2.7:5555\nadb: device offline", "unavailable"),
        ("failed to authenticate to 192.0.2.7:5555\nadb: device unauthorized.", "refused"),
    ],
)
def test_no_identity(said: str, answer: str) -> None:
    assert mobile.reading(said)[0] == answer


@pytest.mark.parametrize("said", ["", "failed to connect to '192.0.2.7:5555': Connection timed out"])
def test_silence(said: str) -> None:
    with pytest.raises(ProbeTimeout):
        mobile.reading(said)


def test_something_else_than_a_device() -> None:
    with pytest.raises(ProtocolError):
        mobile.reading("connected to web:80\nerror: closed\nro.product.model=")


def test_real_question() -> None:
    """Run for real: without a client this machine says so, with one nothing answers on a closed port."""
    if shutil.which("adb"):
        assert mobile.identity(machine(), "127.0.0.1", closed_port()).answer == "unavailable"
    else:
        with pytest.raises(ProtocolError, match="adb"):
            mobile.identity(machine(), "127.0.0.1", closed_port())
