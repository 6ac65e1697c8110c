"""The drawing of a cut: well-formed, within its frame, every request in it, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from sample_audit import HOSTILE, check, document

from sio_lab.audit.timeline import Timeline
from sio_lab.reports import html, timeline
from sio_lab.text import Text

SVG = "{http://www.w3.org/2000/svg}"


def line(**changes: object) -> Timeline:
    known: dict[str, object] = {
        "title": Text("coupure de courant de fw1", "power cut of fw1"),
        "url": "https://www.capvoile.test/",
        "client": "poste",
        "started": datetime(2026, 3, 4, 9, tzinfo=UTC),
        "duration": 12.0,
        "step": 0.5,
        "answered": {"web1": [5] * 8 + [0] * 5 + [10] * 12, "web2": [5] * 8 + [0] * 17},
        "failed": [0] * 8 + [20] * 5 + [0] * 12,
        "cut": 4.0,
        "restored": 9.0,
        "nominal": 10.5,
        "outage": 2.53,
        "outage_at_least": 2.45,
        "outage_start": 4.0,
        "p95": {"before": 0.02, "during": 0.31, "after": 0.02},
        "requests": 480,
        "rate": 40.0,
    }
    return Timeline.model_validate({**known, **changes})


def drawn(what: Timeline, width: int = timeline.WIDTH) -> ET.Element:
    return ET.fromstring(str(timeline.draw(what, width)))


def heights(svg: ET.Element, css: str) -> float:
    return sum(float(box.get("height", "")) for box in svg.iter(f"{SVG}rect") if box.get("class") == css)


@pytest.mark.parametrize("width", [timeline.WIDTH, timeline.NARROW])
@pytest.mark.parametrize("what", [line(), line(restored=None, nominal=None), line(outage_start=11.0, outage=99.0)])
def test_all_stands_within_the_frame(what: Timeline, width: int) -> None:
    svg = drawn(what, width)
    for box in svg.iter(f"{SVG}rect"):
        x, y, wide, high = (float(box.get(key, "")) for key in ("x", "y", "width", "height"))
        assert x >= 0 and x + wide <= width
        assert y >= 0 and y + high <= timeline.HEIGHT
    for text in svg.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x", "")) <= width


def test_heights_tell_how_many() -> None:
    svg = drawn(line())
    assert heights(svg, "by0") == pytest.approx(heights(svg, "by1") * 160 / 40, rel=0.01)
    assert heights(svg, "failed") == pytest.approx(heights(svg, "by0") * 100 / 160, rel=0.01)


def test_the_outage_is_told_with_its_resolution() -> None:
    assert timeline.outage(line()) == Text("2,5 s (au moins 2,5 s)", "2.5 s (at least 2.5 s)")
    assert timeline.outage(line(outage_start=None)).en == "no outage seen"
    assert not heights(drawn(line(outage_start=None)), "outage")


def test_marks_in_both_languages() -> None:
    said = {(text.get("lang"), text.text) for text in drawn(line()).iter(f"{SVG}text")}
    assert {("fr", "coupure"), ("en", "cut"), ("fr", "rétablissement"), ("en", "given back")} <= said


def test_the_report_shows_it_whoever_answers() -> None:
    audited = document()
    result = check("2.1.i", title=("Perte du pare-feu", "Loss of the firewall"))
    result.timelines = [line(answered={HOSTILE: [1] * 25, "": [1] * 25})]
    next(row for row in audited.requirements if row.id == "2.1.i").checks = [result]
    page = html.render(audited, "en")
    assert 'class="timeline"' in page
    assert "power cut of fw1" in page
    assert "coupure de courant de fw1" in page
    assert "at least 2.5 s" in page
    assert "<script>alert" not in page
