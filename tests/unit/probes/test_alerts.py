from __future__ import annotations

import threading
from pathlib import Path

import pytest
from loopback import machine

from sio_lab.errors import ProtocolError
from sio_lab.probes import alerts
from sio_lab.probes.observation import Evidence

NAME = "Lecture de /etc/passwd par une URL"
# Recorded from Suricata 7.0.10.
EVE = (
    '{"timestamp":"2026-11-24T22:10:00.998116+0000","flow_id":64754886371335,"event_type":"alert","src_ip":'
    '"203.0.113.10","src_port":40000,"dest_ip":"203.0.113.1","dest_port":443,"proto":"TCP","pkt_src":"wire/pcap",'
    '"tx_id":0,"alert":{"action":"allowed","gid":1,"signature_id":1000001,"rev":1,"signature":"Lecture de '
    '/etc/passwd par une URL","category":"Web Application Attack","severity":1},"http":{"hostname":"portail",'
    '"url":"/?page=../../etc/passwd&essai=cafe01","http_method":"GET","protocol":"HTTP/1.1","length":0}}\n'
)
HTTP_EVENT = (
    '{"event_type":"http","src_ip":"203.0.113.10","http":{"url":"/Lecture de /etc/passwd par une URL?cafe01"}}\n'
)
# Recorded from its fast.log.
FAST = (
    "11/24/2026-22:10:00.998116  [**] [1:1000001:1] Lecture de /etc/passwd par une URL [**] [Classification: Web "
    "Application Attack] [Priority: 1] {TCP} 203.0.113.10:40000 -> 203.0.113.1:443\n"
)


def after(log: Path, point: int, about: str, within: float = 0.0) -> alerts.AlertObservation:
    return alerts.after(machine(), str(log), point, signature=NAME, about=[about], within=within)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "eve.json"


def test_alert_in_eve(log: Path) -> None:
    log.write_text(EVE)
    assert after(log, 0, "cafe01").alerts == (EVE.strip(),)
    assert after(log, 0, "cafe02").answer == "refused"


def test_alert_of_one_line(log: Path) -> None:
    log.write_text(FAST)
    assert after(log, 0, "203.0.113.10").granted
    assert not after(log, 0, "203.0.113.11").granted


def test_an_old_alert_never_counts(log: Path) -> None:
    log.write_text(EVE)
    assert not after(log, alerts.end(machine(), str(log)), "cafe01").granted


def test_a_rotated_log_is_read_whole(log: Path) -> None:
    log.write_text(EVE)
    assert after(log, 10 * len(EVE), "cafe01").granted


def test_another_event_or_another_rule_is_no_alert(log: Path) -> None:
    log.write_text(HTTP_EVENT + EVE.replace(NAME, "Autre") + '{"event_type":"alert","cafe01')
    assert not after(log, 0, "cafe01").granted


def test_alert_that_comes_later(log: Path) -> None:
    log.touch()
    record: list[Evidence] = []
    timer = threading.Timer(0.3, lambda: log.write_text(EVE))
    timer.start()
    seen = alerts.after(machine(record=record), str(log), 0, signature=NAME, about=["cafe01"], within=5)
    timer.join()
    assert seen.granted
    assert 0.2 < seen.delay < 2
    assert len(record) == 1


def test_no_log_yet(log: Path) -> None:
    assert alerts.end(machine(), str(log)) == 0
    assert after(log, 0, "cafe01").answer == "refused"


def test_log_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError):
        alerts.end(machine(), str(tmp_path))
