"""The lab as a drawing: perimeters as zones, machines in them, the firewall that joins them. Inline SVG.

Zones stand above and below the firewall's band, each joined to it by one straight line, so that nothing
crosses however many machines there are. A narrow drawing piles the zones up beside one rail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from sio_lab.audit.document import AuditDocument, MachineFinding
from sio_lab.reports.visible import visible
from sio_lab.reports.words import KIND, ROLE
from sio_lab.text import Text

CARD_WIDTH, CARD_HEIGHT = 168, 62
WIDEST_CARD = 230
GAP, PAD, HEAD = 10, 12, 46
LINK = 40
BAND_PAD = 12
_OUTSIDE = ("internet", "dmz")

# Drawn in a square of 18, by kind.
_ICON: Mapping[str, str] = {
    "server": "M2 2h14v6H2zM2 10h14v6H2zM5 5h.1M5 13h.1",
    "firewall": "M1 3h16v12H1zM1 7h16M1 11h16M7 3v4M12 7v4M6 11v4",
    "terminal": "M1 2h16v11H1zM6 16h6M9 13v3",
    "mobile": "M5 1h8v16H5zM8 14.5h2",
    "network": "M1 6h16v6H1zM4 9h.1M7 9h.1M10 9h.1M13 9h.1",
}


@dataclass(slots=True)
class Zone:
    """A perimeter with the machines drawn in it."""

    name: str
    cidr: str
    role: str
    machines: list[tuple[MachineFinding, bool]] = field(default_factory=list)
    """Each machine, and whether this is its main perimeter."""
    joints: list[str] = field(default_factory=list)
    """Firewalls' addresses here."""
    columns: int = 1

    @property
    def rows(self) -> int:
        """Rows of cards."""
        return max(1, -(-len(self.machines) // self.columns))

    def width(self) -> int:
        """Width that the cards need."""
        return 2 * PAD + self.columns * CARD_WIDTH + (self.columns - 1) * GAP

    @property
    def height(self) -> int:
        """Height that the cards need."""
        return HEAD + self.rows * CARD_HEIGHT + (self.rows - 1) * GAP + PAD


def draw(document: AuditDocument, *, width: int = 1040) -> Markup:
    """Return the drawing as an SVG element ``width`` units wide, or wider where the zones need it."""
    joining = [m for m in document.machines if m.kind in ("firewall", "network") and len(m.addresses) > 1]
    zones = _zones(document, joining)
    drawing = (
        _piled(zones, joining, width)
        if width < 2 * (CARD_WIDTH + GAP + PAD) + 100
        else _banded(zones, joining, width)
    )
    return drawing.svg()


def _zones(document: AuditDocument, joining: Sequence[MachineFinding]) -> list[Zone]:
    zones = {
        name: Zone(name, perimeter.get("cidr", ""), perimeter.get("role", "other"))
        for name, perimeter in document.lab.perimeters.items()
    }
    for machine in document.machines:
        for index, (name, address) in enumerate(machine.addresses.items()):
            zone = zones.setdefault(name, Zone(name, "", "other"))
            if machine in joining:
                zone.joints.append(f"{machine.name} {address}" if len(joining) > 1 else address)
            else:
                zone.machines.append((machine, index == 0))
        if not machine.addresses:
            zones.setdefault("?", Zone("?", "", "other")).machines.append((machine, True))
    return list(zones.values())


class _Drawing:
    """SVG elements, piled up in the order in which they are painted."""

    def __init__(self) -> None:
        self.width = self.height = 0
        self._parts: list[str] = []

    def add(self, element: str) -> None:
        self._parts.append(element)

    def box(self, x: float, y: float, width: float, height: float, css: str, *, round_: int = 8) -> None:
        self.add(f'<rect class="{css}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round_}"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.add(f'<path class="link" d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>')

    def text(self, x: float, y: float, words: str | Text, css: str = "", *, chars: int = 0) -> None:
        """Write ``words``, cut to ``chars`` characters; a ``Text`` is written in both languages."""
        if isinstance(words, Text):
            if words.fr != words.en:
                self.text(x, y, words.fr, f"{css} fr", chars=chars)
                self.text(x, y, words.en, f"{css} en", chars=chars)
                return
            words = words.fr
        shown = words if not chars or len(words) <= chars else f"{words[: chars - 1]}…"
        lang = next((f' lang="{code}"' for code in ("fr", "en") if code in css.split()), "")
        self.add(f'<text x="{x:g}" y="{y:g}" class="{css}"{lang}>{escape(visible(shown))}</text>')

    def card(self, machine: MachineFinding, address: str, x: float, y: float, width: int, *, main: bool) -> None:
        """Draw a machine; dashed where it stands elsewhere and only has an interface here."""
        css = "card" if main else "card again"
        about = f"{machine.name} — {machine.title}" if machine.title else machine.name
        self.add(f"<g><title>{escape(visible(about))}</title>")
        self.box(x, y, width, CARD_HEIGHT, css if machine.reachable else f"{css} lost", round_=6)
        icon = _ICON.get(machine.kind, _ICON["server"])
        self.add(f'<path class="icon" transform="translate({x + 9:g} {y + 9:g})" d="{icon}"/>')
        self.text(x + 35, y + 22, machine.name, "name", chars=(width - 44) // 8)
        self.text(x + 35, y + 38, address, "address")
        last = y + (54 if address else 44)
        words, style = machine.title or KIND.get(machine.kind, Text.same(machine.kind)), "small"
        if not machine.reachable:
            words, style = Text("✘ ne répond pas", "✘ does not answer"), "lostword"
        elif not main:
            words = Text("(autre interface)", "(another interface)")
        self.text(x + 9, last, words, style, chars=int((width - 18) // 6.2))
        self.add("</g>")

    def zone(self, zone: Zone, x: float, y: float, width: float, height: float, card: int) -> None:
        """Draw a perimeter and its machines, its cards ``card`` wide."""
        self.box(x, y, width, height, f"zone {zone.role if zone.role in ROLE else 'other'}", round_=10)
        self.text(x + PAD, y + 20, zone.name, "zonename", chars=int((width - 2 * PAD) // 8))
        role = ROLE.get(zone.role, ROLE["other"])
        fr, en = ("" if word == zone.name else f" · {word}" for word in (role.fr, role.en))
        self.text(
            x + PAD,
            y + 36,
            Text(f"{zone.cidr}{fr}", f"{zone.cidr}{en}"),
            "small",
            chars=int((width - 2 * PAD) // 5.6),
        )
        inner = zone.columns * card + (zone.columns - 1) * GAP
        for index, (machine, main) in enumerate(zone.machines):
            row, column = divmod(index, zone.columns)
            left = x + (width - inner) / 2 + column * (card + GAP)
            top = y + HEAD + row * (CARD_HEIGHT + GAP)
            self.card(machine, machine.addresses.get(zone.name, ""), left, top, card, main=main)

    def svg(self) -> Markup:
        """Return the whole drawing."""
        whole = (
            f'<svg class="topology" viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f'aria-labelledby="topology-caption" xmlns="http://www.w3.org/2000/svg">{"".join(self._parts)}</svg>'
        )
        return Markup(whole)  # noqa: S704  # every word of it went through text() or a title, which escape


def _band(drawing: _Drawing, joining: Sequence[MachineFinding], y: float) -> float:
    """Draw the firewalls' band at ``y``; return its height."""
    height = CARD_HEIGHT + 2 * BAND_PAD
    drawing.box(0.5, y, drawing.width - 1, height, "band", round_=10)
    total = len(joining) * CARD_WIDTH + (len(joining) - 1) * GAP
    for index, machine in enumerate(joining):
        x = (drawing.width - total) / 2 + index * (CARD_WIDTH + GAP)
        drawing.card(machine, "", x, y + BAND_PAD, CARD_WIDTH, main=True)
    return height


def _spread(zones: Sequence[Zone], width: int) -> int:
    """Give each zone its columns so that the row fits ``width`` and is low; return the row's width."""

    def total() -> int:
        return sum(zone.width() for zone in zones) + GAP * (len(zones) - 1)

    while True:
        tallest = max(zones, key=lambda zone: zone.rows)
        if tallest.rows == 1 or total() + CARD_WIDTH + GAP > width:
            return total()
        tallest.columns += 1


def _banded(zones: Sequence[Zone], joining: Sequence[MachineFinding], width: int) -> _Drawing:
    """Zones towards the outside above the firewalls' band, the others below."""
    above = [zone for zone in zones if zone.role in _OUTSIDE]
    rows = [above, [zone for zone in zones if zone not in above]]
    drawing = _Drawing()
    drawing.width = max([width, *(_spread(row, width) for row in rows if row)])
    top = max((zone.height for zone in above), default=0)
    band = top + LINK if above else 0
    below = band + (_band(drawing, joining, band) if joining else 0) + (LINK if joining else 0)
    bottom = 0
    for row, y in ((above, 0.0), (rows[1], float(below))):
        if not row:
            continue
        height = max(zone.height for zone in row)
        natural = sum(zone.width() for zone in row) + GAP * (len(row) - 1)
        wider = (drawing.width - natural) / len(row)
        x = 0.0
        for zone in row:
            full = zone.width() + wider
            # A zone above ends at the band's side, so that every link is as short as the others.
            room = (full - 2 * PAD - (zone.columns - 1) * GAP) // zone.columns
            drawing.zone(zone, x + 0.5, y + 0.5, full - 1, height - 1, min(int(room), WIDEST_CARD))
            if zone.joints:
                middle = x + full / 2
                start = y + height if row is above else below - LINK
                drawing.line(middle, start, middle, start + LINK)
                drawing.text(middle + 7, start + LINK / 2 + 4, " · ".join(zone.joints), "joint")
            x += full + GAP
        bottom = max(bottom, int(y + height))
    drawing.height = max(bottom, int(below))
    return drawing


def _piled(zones: Sequence[Zone], joining: Sequence[MachineFinding], width: int) -> _Drawing:
    """Firewalls on top, zones one under the other beside a rail."""
    drawing = _Drawing()
    drawing.width = width
    left = 26 if joining else 0
    y = 0.0
    for machine in joining:
        drawing.card(machine, "", 0.5, y + 0.5, width - 1, main=True)
        y += CARD_HEIGHT + GAP
    rail = y - GAP
    last = rail
    for zone in zones:
        zone.columns = 2
        card = (width - left - 2 * PAD - GAP) // 2
        joints = 18 if zone.joints else 0
        if zone.joints:
            drawing.text(left + 4, y + 12, " · ".join(zone.joints), "joint")
            last = y + joints + HEAD / 2
            drawing.line(12, last, left, last)
        drawing.zone(zone, left + 0.5, y + joints + 0.5, width - left - 1, zone.height - 1, card)
        y += joints + zone.height + GAP
    if last > rail:
        drawing.line(12, rail, 12, last)
    drawing.height = int(y - GAP)
    return drawing
