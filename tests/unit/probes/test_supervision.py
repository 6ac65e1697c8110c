from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest
from loopback import closed_port, machine
from prometheus_server import Watched, notification, serving

from sio_lab.errors import InconclusiveError, ProtocolError
from sio_lab.lab.infrastructure import AlertReceiver, Supervision
from sio_lab.probes import supervision
from sio_lab.probes.observation import Evidence

RECEIVER = Path(__file__).parents[3] / "playbooks" / "roles" / "supervision" / "files" / "alert_receiver.py"
TARGET = "collab.example.test:5232"


def declared(port: int, path: str = "/nowhere", product: str = "prometheus") -> Supervision:
    return Supervision(
        product=product,
        machines=["superv"],
        api=f"http://127.0.0.1:{port}/",
        receiver=AlertReceiver(machine="superv", path=path),
        target="collab",
        unit="radicale",
    )


@pytest.fixture
def watched() -> Watched:
    return Watched(
        indicators={"probe_success": {"bdd": "1", TARGET: "0"}},
        rules={"ServiceInjoignable": 'probe_success{job!="machine"} == 0'},
    )


@pytest.fixture
def record() -> list[Evidence]:
    return []


@pytest.fixture
def watcher(watched: Watched, record: list[Evidence], tmp_path: Path) -> Iterator[supervision.Supervisor]:
    with serving(watched) as port:
        yield supervision.supervisor(machine(record=record), declared(port), tmp_path / "ca")


def test_indicator_and_when_its_values_were_taken(
    watcher: supervision.Supervisor, watched: Watched, record: list[Evidence]
) -> None:
    seen = watcher.indicator("probe_success")
    assert seen.granted
    assert [(sample.host, sample.value) for sample in seen.samples] == [("bdd", 1), ("collab.example.test", 0)]
    assert {sample.taken for sample in seen.samples} == {watched.clock - 0.5}
    assert "query=timestamp%28probe_success%29" in record[-1].sent


def test_indicator_that_nothing_feeds(watcher: supervision.Supervisor) -> None:
    seen = watcher.indicator("probe_ssl_earliest_cert_expiry")
    assert (seen.answer, seen.samples) == ("refused", ())
    assert "probe_ssl_earliest_cert_expiry" in seen.detail


def test_value_that_is_no_number(watcher: supervision.Supervisor, watched: Watched) -> None:
    watched.indicators["probe_success"]["bdd"] = "much"
    with pytest.raises(ProtocolError):
        watcher.indicator("probe_success")


def test_rules_and_what_they_read(watcher: supervision.Supervisor, watched: Watched) -> None:
    (rule,) = watcher.rules().rules
    assert rule.name == "ServiceInjoignable"
    assert rule.working
    assert "probe_success" in rule.reads
    assert "probe" not in rule.reads
    watched.rules.clear()
    assert watcher.rules().answer == "refused"


def test_alerts(watcher: supervision.Supervisor, watched: Watched) -> None:
    assert watcher.alerts().answer == "refused"
    watched.firing["ServiceInjoignable"] = f"https://{TARGET}/equipe/"
    seen = watcher.alerts()
    assert seen.granted
    assert [(alert.name, alert.host) for alert in seen.alerts] == [("ServiceInjoignable", "collab.example.test")]


def test_nothing_listens(tmp_path: Path) -> None:
    watcher = supervision.supervisor(machine(), declared(closed_port()), tmp_path / "ca")
    assert {watcher.indicator("up").answer, watcher.rules().answer, watcher.alerts().answer} == {"unavailable"}


def test_another_application_answers(watched: Watched, tmp_path: Path) -> None:
    with serving(watched) as port:
        other = declared(port).model_copy(update={"api": f"http://127.0.0.1:{port}/elsewhere"})
        watcher = supervision.supervisor(machine(), other, tmp_path / "ca")
        with pytest.raises(ProtocolError):
            watcher.rules()


def test_unknown_product(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="zabbix"):
        supervision.supervisor(machine(), declared(80, product="zabbix"), tmp_path / "ca")


def delivered(
    service: Supervision, point: int, state: supervision.State, within: float
) -> supervision.DeliveryObservation:
    return supervision.delivered(
        machine(),
        service,
        point,
        wanted=lambda alert: alert.host == "collab.example.test",
        state=state,
        within=within,
    )


def test_delivery(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    service = declared(80, str(file))
    assert delivered(service, 0, "firing", 0).answer == "refused"  # no file yet
    old = notification("ServiceInjoignable", TARGET, "firing")
    file.write_text(old)
    point = len(old)
    assert delivered(service, 0, "firing", 0).granted
    assert delivered(service, point, "firing", 0).answer == "refused"
    with file.open("a") as log:
        log.write(notification("ServiceInjoignable", "bdd:5432", "resolved") + '{"alerts": [{"sta')
    assert delivered(service, point, "resolved", 0).answer == "refused"


def test_delivery_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    file.touch()
    late = threading.Timer(0.3, file.write_text, [notification("ServiceInjoignable", TARGET, "resolved")])
    late.start()
    seen = delivered(declared(80, str(file)), 0, "resolved", 10)
    late.join()
    assert seen.granted
    assert 0.2 <= seen.delay < 5


def test_delivery_that_nobody_waits_for_any_more(tmp_path: Path) -> None:
    seen = supervision.delivered(
        machine(),
        declared(80, str(tmp_path / "none")),
        0,
        wanted=lambda alert: True,
        state="firing",
        within=60,
        goes_on=lambda: False,
    )
    assert seen.answer == "refused"
    assert seen.delay < 10


def test_receiver_of_the_embedded_lab(tmp_path: Path) -> None:
    """What the role installs writes what the probe reads."""
    file, port = tmp_path / "alerts.jsonl", closed_port()
    process = subprocess.Popen([sys.executable, "-IS", str(RECEIVER), str(port), str(file)])
    try:
        for content, expected in ((notification("A", TARGET, "firing"), 200), ("no JSON", 400)):
            assert posted(port, content) == expected
    finally:
        process.terminate()
        process.wait(5)
    assert delivered(declared(80, str(file)), 0, "firing", 0).granted
    assert json.loads(file.read_text())["version"] == "4"


def posted(port: int, content: str) -> int:
    """Return the status of the answer to ``content``, once somebody listens."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(100):
        try:
            with opener.open(f"http://127.0.0.1:{port}/", content.encode(), timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            sleep(0.05)
    raise AssertionError("nobody listens")
