from __future__ import annotations

from pathlib import Path

import pytest
from loopback import machine

from sio_lab.errors import InconclusiveError
from sio_lab.lab.services import TrafficAnalysis
from sio_lab.probes import analysis
from sio_lab.probes.analysis import Decoded
from sio_lab.probes.observation import Evidence

SERVICE = TrafficAnalysis(
    product="tshark", machines=["a"], interface="mirror", flow_url="http://www.example.test/", flow_client="b"
)
# Recorded from tshark 4.4.19 on a live interface.
RECORDED = (
    "172.30.10.10\t203.0.113.10\teth:ethertype:ip:tcp:http\tGET\twww.example.test\t/cafe01\t\t\n"
    "172.30.30.50\t172.30.10.20\teth:ethertype:ip:tcp:tls\t\t\t\tportal.example.test\t\n"
    "172.30.40.60\t172.30.40.10\teth:ethertype:ip:tcp:ssh\t\t\t\t\tSSH-2.0-sio-lab_cafe03\n"
)
TSHARK = """#!/bin/sh
echo 'Running as user "root" and group "root". This could be dangerous.' >&2
sleep 0.1; echo "Capturing on 'mirror'" >&2
cat {recorded}; exec sleep 20
"""


@pytest.fixture
def tshark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tshark that prints what was recorded; the returned file."""
    recorded, tool = tmp_path / "recorded", tmp_path / "tshark"
    recorded.write_text(RECORDED)
    tool.write_text(TSHARK.format(recorded=recorded))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return recorded


def test_decoded_requests() -> None:
    assert analysis.decoded(RECORDED + "172.30.30.50\t172.30") == [
        Decoded("172.30.10.10", "203.0.113.10", "http", "GET", "www.example.test", "/cafe01"),
        Decoded("172.30.30.50", "172.30.10.20", "tls", "", "portal.example.test", ""),
        Decoded("172.30.40.60", "172.30.40.10", "ssh", "", "", "SSH-2.0-sio-lab_cafe03"),
    ]


def test_what_was_seen_and_what_was_not(tshark: Path) -> None:
    record: list[Evidence] = []
    with analysis.listening(machine(record=record), SERVICE) as listening:
        assert listening.started.granted
        seen = listening.seen("cafe01", within=2)
        unseen = listening.seen("cafe02", within=0)
    assert (seen.answer, seen.requests[0].source) == ("granted", "172.30.10.10")
    assert unseen.answer == "refused"
    assert "/cafe01" in record[-2].received


def test_analyser_that_does_not_start(tshark: Path) -> None:
    Path(tshark.parent, "tshark").write_text("#!/bin/sh\necho 'mirror: That device is not up' >&2; exit 2\n")
    with analysis.listening(machine(), SERVICE) as listening:
        assert listening.started.answer == "refused"
        assert listening.started.detail == "mirror: That device is not up"


def test_analyser_that_ends_later(tshark: Path) -> None:
    Path(tshark.parent, "tshark").write_text(
        "#!/bin/sh\necho Capturing on >&2; echo 'mirror went down' >&2; exit 2\n"
    )
    with analysis.listening(machine(), SERVICE) as listening:
        seen = listening.seen("cafe01", within=5)
    assert (seen.answer, seen.detail) == ("refused", "mirror went down")


def test_unknown_analyser() -> None:
    service = SERVICE.model_copy(update={"product": "ntopng"})
    with pytest.raises(InconclusiveError), analysis.listening(machine(), service):
        pass
