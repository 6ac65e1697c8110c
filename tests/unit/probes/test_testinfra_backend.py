from __future__ import annotations

import pytest
from loopback import LocalSession, machine

from sio_lab.errors import Unreachable
from sio_lab.probes.observation import Evidence
from sio_lab.text import Text


def test_properties_and_their_evidence() -> None:
    record: list[Evidence] = []
    host = machine(record=record).host
    assert host.file("/etc/passwd").exists
    assert not host.file("/no/such file's").exists
    assert host.check_output("printf %s", "caf\u00e9 $HOME") == "caf\u00e9 $HOME"
    assert [e.sent for e in record if "test -e" in e.sent] == [
        "test -e /etc/passwd",
        "test -e '/no/such file'\"'\"'s'",
    ]
    assert {e.probe for e in record} == {"shell.run"}


def test_unreachable_is_no_false() -> None:
    class Gone(LocalSession):
        def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
            raise Unreachable(Text.same("gone"))

    with pytest.raises(Unreachable):
        _ = machine(Gone()).host.file("/etc/passwd").exists
