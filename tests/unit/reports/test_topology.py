"""The drawing of a lab: well-formed SVG, nothing outside the picture, nothing over anything else."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from sample_audit import HOSTILE, document

from sio_lab.audit.document import AuditDocument, MachineFinding, SharedSummary, SiteLinkSummary
from sio_lab.reports import sharing, topology
from sio_lab.text import Text

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = [topology.NARROW, 1040]


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
        perimeters={name: {"cidr": f"10.{i}.0.0/24", "role": next(roles)} for i, name in enumerate(names)},
        shared_addresses={},
        site_link=None,
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


def two_sites() -> AuditDocument:
    """Return a document of two sites: a pair of firewalls, a pair of servers, and a router at each end."""
    audited = document(
        perimeters={
            "internet": {"cidr": "203.0.113.0/24", "role": "internet"},
            "dmz": {"cidr": "10.1.0.0/24", "role": "dmz"},
            "users": {"cidr": "10.2.0.0/24", "role": "users"},
            "branch": {"cidr": "10.9.0.0/24", "role": "other", "via": "r1"},
        },
        shared_addresses={
            "gateway": SharedSummary(machines=["fw1", "fw2"], addresses={"dmz": "10.1.0.1", "users": "10.2.0.1"}),
            "www": SharedSummary(machines=["lb1", "lb2"], addresses={"dmz": "10.1.0.30"}),
        },
        site_link=SiteLinkSummary(product="wireguard", machines=["r1", "r2"], perimeter="internet"),
    )

    def finding(name: str, kind: str, *holds: str, **addresses: str) -> MachineFinding:
        return MachineFinding(name=name, kind=kind, addresses=addresses, reachable=True, holds=list(holds))

    audited.machines = [
        finding("fw1", "firewall", "gateway", internet="203.0.113.2", dmz="10.1.0.2", users="10.2.0.2"),
        finding("fw2", "firewall", internet="203.0.113.3", dmz="10.1.0.3", users="10.2.0.3"),
        finding("r1", "network", dmz="10.1.0.40", internet="203.0.113.40"),
        finding("r2", "network", branch="10.9.0.1", internet="203.0.113.50"),
        finding("lb1", "server", dmz="10.1.0.31"),
        finding("lb2", "server", "www", dmz="10.1.0.32"),
        finding("desk", "terminal", users="10.2.0.50"),
        finding("far", "terminal", branch="10.9.0.50"),
    ]
    return audited


SHAPES = {
    "two sites": two_sites(),
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
    assert titles == {machine.name for machine in audited.machines} | set(audited.lab.shared_addresses)
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


def paths(svg: ET.Element, css: str) -> int:
    return len([path for path in svg.iter(f"{SVG}path") if path.get("class") == css])


def test_links_join_zones_and_firewalls() -> None:
    svg = drawn(two_sites())
    assert paths(svg, "link") == 3
    assert "gateway 10.1.0.1" in texts(svg, "joint")
    assert not [words for words in texts(svg, "joint") if "r1" in words or "r2" in words]


def test_the_other_site_is_reached_by_its_link() -> None:
    svg = drawn(two_sites())
    assert paths(svg, "way") == 1
    ends = "(wireguard) : r1 203.0.113.40 ↔ r2 203.0.113.50"
    assert f"lien intersites chiffré {ends}" in texts(svg, "small")
    assert {"autre site", "other site"} <= set(texts(svg, "small"))


def test_without_a_declared_link_the_router_is_named() -> None:
    audited = two_sites()
    audited.lab.site_link = None
    assert {"par r1", "through r1"} <= set(texts(drawn(audited), "small"))


@pytest.mark.parametrize("width", WIDTHS)
def test_network_equipment_and_shared_addresses_are_told_apart(width: int) -> None:
    svg = drawn(two_sites(), width)
    assert [len(boxes(svg, css)) for css in ("network", "shared", "firewall")] == [4, 2, 2]


@pytest.mark.parametrize(
    ("holds", "fr", "en", "well"),
    [
        ({"lb1": ["www"], "lb2": []}, "portée par lb1", "held by lb1", True),
        ({"lb1": [], "lb2": ["www"]}, "portée par lb2", "held by lb2", True),
        ({"lb1": ["www"], "lb2": ["www"]}, "portée par lb1 et lb2", "held by lb1 and lb2", False),
        ({"lb1": [], "lb2": []}, "aucune machine ne la porte", "nobody holds it", False),
        ({"lb1": None, "lb2": []}, "prévue sur lb1", "meant for lb1", True),
    ],
)
def test_who_holds_a_shared_address(holds: dict[str, list[str] | None], fr: str, en: str, well: bool) -> None:
    audited = two_sites()
    for machine in audited.machines:
        machine.holds = holds.get(machine.name, machine.holds)
    _, www = sharing.holdings(audited)
    assert (www.words, www.well) == (Text(fr, en), well)
    assert bool(boxes(drawn(audited), "lost")) is not well


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
    harmless = {"svg", "g", "rect", "path", "text", "tspan", "title"}
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= harmless


def test_draws_alike_twice() -> None:
    assert topology.draw(document()) == topology.draw(document())
