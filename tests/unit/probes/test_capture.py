from __future__ import annotations

import base64
from pathlib import Path

import pytest
from loopback import LocalSession, machine
from scapy.utils import wrpcap

from sio_lab.errors import ProtocolError
from sio_lab.probes import capture
from sio_lab.probes.observation import Evidence
from sio_lab.probes.packets import IP, TCP, Ether

# What tcpdump 4.99 says, as recorded; it puts a capture made beforehand where its own would be.
TCPDUMP = """#!/bin/sh
stop() {{ echo '3 packets captured
3 packets received by filter
{missed} packets dropped by kernel' >&2; exit; }}
trap stop TERM
cp {packets} packets
echo "$@" >{arguments}
echo 'tcpdump: listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 262144 bytes' >&2
while :; do sleep 0.05; done
"""
PASSWORD = "p%ss -w0rd&"


class Recorder(LocalSession):
    """Remembers what commands were given to read."""

    def run(self, command: str, *, stdin: str, deadline: float) -> tuple[int, str, str]:
        self.read = [*getattr(self, "read", []), stdin]
        return super().run(command, stdin=stdin, deadline=deadline)


@pytest.fixture
def tcpdump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tcpdump whose capture holds three packets; what it was asked is written in the returned file."""
    basic = base64.b64encode(f"bob:{PASSWORD}".encode())
    payloads = [
        b"GET /mark HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01..portal.example.test..",
        b"Authorization: Basic " + basic,
    ]
    packets = tmp_path / "recorded.pcap"
    wrpcap(str(packets), [Ether() / IP(dst="192.0.2.1") / TCP(dport=443) / data for data in payloads])
    return _install(tmp_path, monkeypatch, packets, missed=0)


def _install(folder: Path, monkeypatch: pytest.MonkeyPatch, packets: Path, missed: int) -> Path:
    arguments = folder / "arguments"
    tool = folder / "bin" / "tcpdump"
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(TCPDUMP.format(packets=packets, arguments=arguments, missed=missed))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    return arguments


def test_what_is_in_the_packets_is_found(tcpdump: Path) -> None:
    session, record = Recorder(), list[Evidence]()
    with capture.on(machine(session, record), "any", "(host 192.0.2.1) and not tcp port 22") as packets:
        seen = packets.search(
            {
                "mark": "mark",
                "name": "portal.example.test",
                "nowhere": "nowhere-to-be-found",
                **capture.credentials("bob", PASSWORD),
            }
        )
    assert seen.found == {"mark", "name", "HTTP Basic"}
    assert (seen.answer, seen.packets, seen.missed) == ("granted", 3, 0)
    assert tcpdump.read_text().split("-w packets ")[1].strip() == "(host 192.0.2.1) and not tcp port 22"
    # Secrets are read by the search, and stand in no command and no evidence.
    assert any(PASSWORD in stdin for stdin in session.read)
    basic = capture.credentials("bob", PASSWORD)["HTTP Basic"]
    said = [*session.asked, *(evidence.sent + evidence.received for evidence in record)]
    assert not [text for text in said if PASSWORD in text or basic in text]


def test_nothing_found(tcpdump: Path) -> None:
    with capture.on(machine(), "any", "") as packets:
        assert packets.search({"nowhere": "nowhere-to-be-found"}).answer == "refused"


def test_packets_that_were_missed_are_told(tmp_path: Path, tcpdump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, monkeypatch, tmp_path / "recorded.pcap", missed=7)
    with capture.on(machine(), "any", "") as packets:
        assert packets.search({"mark": "mark"}).missed == 7


def test_no_tcpdump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "tcpdump"
    tool.write_text("#!/bin/sh\necho 'tcpdump: mirror: No such device exists' >&2; exit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ProtocolError, match="No such device"), capture.on(machine(), "mirror", ""):
        pass


def test_forms_of_a_password() -> None:
    forms = capture.credentials("alice", "a b/é")
    assert forms["password (URL)"] == "a%20b%2F%C3%A9"
    assert forms["password (form)"] == "a+b%2F%C3%A9"
    assert base64.b64decode(forms["HTTP Basic"]).decode() == "alice:a b/é"
    assert base64.b64decode(forms["SASL PLAIN"]).decode() == "\0alice\0a b/é"
