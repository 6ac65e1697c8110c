"""The drawing of a lab: well-formed SVG, nothing outside the picture, nothing over anything else."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from sample_audit import HOSTILE, document

from sio_lab.audit.document import AuditDocument, MachineFinding
from sio_lab.reports import topology

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = [360, 1040]


def drawn(audited: AuditDocument, width: int = 1040) -> ET.Element:
    return ET.fromstring(str(topology.draw(audited, width=width)))


def size(svg: ET.Element) -> tuple[float, float]:
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    return width, height


def boxes(svg: ET.Element, css: str) -> list[tuple[float, float, float, float]]:
    return [
        tuple(float(box.get(key, "")) for key in ("x", "y", "width", "height"))  # type: ignore[misc]
        for box in svg.iter(f"{SVG}rect")
        if css in box.get("class", "").split()
    ]


def texts(svg: ET.Element, css: str) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text") if css in each.get("class", "").split()]


def crowded(machines: int, perimeters: int, firewalls: int = 1) -> AuditDocument:
    """Return a document of a lab of another shape."""
    names = [f"zone{index}" for index in range(perimeters)]
    roles = itertools.cycle(["internet", "dmz", "servers", "users", "admin", "mirror", "other"])
    audited = document(
        perimeters={name: {"cidr": f"10.{i}.0.0/24", "role": next(roles)} for i, name in enumerate(names)}
    )

    def finding(name: str, kind: str, addresses: dict[str, str]) -> MachineFinding:
        return MachineFinding(name=name, kind=kind, title="x" * 80, addresses=addresses, reachable=True)

    audited.machines = [
        finding(f"fw{i}", "firewall", {name: f"10.{j}.0.{i + 1}" for j, name in enumerate(names)})
        for i in range(firewalls)
    ] + [
        finding(f"machine-with-a-name-{i}", "server", {names[i % perimeters]: f"10.{i % perimeters}.0.{100 + i}"})
        for i in range(machines if perimeters else 0)
    ]
    return audited


SHAPES = {
    "sample": document(),
    "large": crowded(60, 7, 2),
    "one": crowded(1, 1, 0),
    "flat": crowded(12, 1, 0),
    "many zones": crowded(12, 12),
    "no machine": crowded(0, 3),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_everything_is_inside_the_picture(shape: str, width: int) -> None:
    svg = drawn(SHAPES[shape], width)
    across, down = size(svg)
    for x, y, wide, high in boxes(svg, "zone") + boxes(svg, "card"):
        assert x >= 0
        assert y >= 0
        assert x + wide <= across
        assert y + high <= down


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("css", ["zone", "card"])
def test_nothing_covers_anything(shape: str, width: int, css: str) -> None:
    for (x, y, wide, high), (x2, y2, wide2, high2) in itertools.combinations(
        boxes(drawn(SHAPES[shape], width), css), 2
    ):
        assert x + wide <= x2 or x2 + wide2 <= x or y + high <= y2 or y2 + high2 <= y


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_machine_and_perimeter_is_named(shape: str, width: int) -> None:
    audited = SHAPES[shape]
    svg = drawn(audited, width)
    titles = {(title.text or "").split(" — ")[0] for title in svg.iter(f"{SVG}title")}
    assert titles == {machine.name for machine in audited.machines}
    assert texts(svg, "zonename") == list(audited.lab.perimeters) or sorted(texts(svg, "zonename")) == sorted(
        audited.lab.perimeters
    )
    addresses = {address for machine in audited.machines for address in machine.addresses.values()}
    said = " ".join(texts(svg, "address") + texts(svg, "joint"))
    assert addresses <= set(re.findall(r"[\d.]+", said))


def test_a_lost_machine_shows() -> None:
    svg = drawn(document())
    assert len(boxes(svg, "lost")) == 2  # in both of its perimeters
    assert texts(svg, "lostword") == ["✘ ne répond pas", "✘ does not answer"] * 2


def test_links_join_zones_and_firewalls() -> None:
    assert len([p for p in drawn(document()).iter(f"{SVG}path") if p.get("class") == "link"]) == 6


def test_machine_without_address() -> None:
    audited = document()
    audited.machines[3].addresses = {}
    assert "?" in texts(drawn(audited), "zonename")


def test_hostile_names_are_text() -> None:
    audited = document(perimeters={HOSTILE: {"cidr": HOSTILE, "role": HOSTILE}})
    for machine in audited.machines:
        machine.name = machine.title = machine.kind = HOSTILE
        machine.addresses = {HOSTILE: HOSTILE}
    svg = drawn(audited)
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= {"svg", "g", "rect", "path", "text", "title"}


def test_draws_alike_twice() -> None:
    assert topology.draw(document()) == topology.draw(document())
