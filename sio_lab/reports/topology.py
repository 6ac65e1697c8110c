"""The lab as a drawing: perimeters as zones, machines in them, the firewalls that join them. Inline SVG.

Zones stand above and below the firewalls' band, each joined to it by one straight line. A second site stands
beside the zone of the router that leads there, and the way to it runs along the outside of the drawing: nothing
crosses, however many machines there are. A narrow drawing piles the zones up beside one rail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from sio_lab.audit.document import AuditDocument, MachineFinding
from sio_lab.reports import cards, sharing
from sio_lab.reports.cards import Card
from sio_lab.reports.sharing import Holding
from sio_lab.reports.svg import STYLES, Drawing
from sio_lab.reports.words import ROLE
from sio_lab.text import Text

CARD_WIDTH, WIDEST_CARD = 168, 230
NARROW = 300
"""Width of a drawing that piles zones up."""

_GAP, _PAD, _HEAD = 8, 10, 58
_LINE = 14  # from one line of words to the next
_RAIL = 14
_WAY = 26  # height of the way to a second site
_OUTSIDE = ("internet", "dmz")


@dataclass(slots=True)
class Zone:
    """A perimeter with what is drawn in it.

    Attributes:
        joints: names and addresses here of the firewalls, those that they share first.
        way: how one gets there where no firewall stands; its words, by line.
        home: zone where the router that leads there stands.
        x, width, columns: where it comes to stand.
    """

    name: str
    cidr: str
    role: str
    cards: list[Card] = field(default_factory=list)
    joints: list[tuple[str, str]] = field(default_factory=list)
    way: list[Text] = field(default_factory=list)
    home: str = ""
    columns: int = 1
    x: float = 0.0
    width: float = 0.0

    @property
    def rows(self) -> int:
        """Rows of cards."""
        return max(1, -(-len(self.cards) // self.columns))

    @property
    def narrowest(self) -> float:
        """Width that the cards need."""
        return 2 * _PAD + self.columns * CARD_WIDTH + (self.columns - 1) * _GAP

    @property
    def height(self) -> float:
        """Height that the cards need."""
        return _HEAD + self.rows * cards.HEIGHT + (self.rows - 1) * _GAP + _PAD

    def draw(self, drawing: Drawing, y: float, height: float) -> None:
        """Draw the perimeter at ``y``, and its cards."""
        drawing.box(
            self.x + 0.5,
            y + 0.5,
            self.width - 1,
            height - 1,
            f"zone {self.role if self.role in ROLE else 'other'}",
            round_=10,
        )
        left, room = self.x + _PAD, self.width - 2 * _PAD
        drawing.text(left, y + 20, self.name, "zonename", room)
        drawing.text(left, y + 35, self.cidr, "small", room)
        role = Text("autre site", "other site") if self.way else ROLE.get(self.role, ROLE["other"])
        if role != Text.same(self.name):
            drawing.text(left, y + 49, role, "small", room)
        card = min((room - (self.columns - 1) * _GAP) // self.columns, WIDEST_CARD)
        inner = self.columns * card + (self.columns - 1) * _GAP
        for index, each in enumerate(self.cards):
            row, column = divmod(index, self.columns)
            x = self.x + (self.width - inner) / 2 + column * (card + _GAP)
            each.draw(drawing, x, y + _HEAD + row * (cards.HEIGHT + _GAP), card)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be drawn: zones, and the cards of the firewalls' band."""

    zones: list[Zone]
    band: list[Card]


def draw(document: AuditDocument, *, width: int = 1040) -> Markup:
    """Return the drawing as an SVG element ``width`` units wide, or wider where the zones need it."""
    plan = _plan(document)
    if width < 2 * (CARD_WIDTH + _GAP + _PAD) + 100:
        return _piled(plan, width).svg("topology tight")
    return _banded(plan, width).svg("topology")


def _plan(document: AuditDocument) -> _Plan:
    perimeters = document.lab.perimeters
    routers = {perimeter["via"] for perimeter in perimeters.values() if "via" in perimeter}
    joining = [m for m in document.machines if _joins(m, perimeters, routers)]
    names = {machine.name for machine in joining}
    zones = {name: Zone(name, p.get("cidr", ""), p.get("role", "other")) for name, p in perimeters.items()}

    def zone(name: str) -> Zone:
        return zones.setdefault(name, Zone(name, "", "other"))

    held = sharing.holdings(document)
    between = [each for each in held if names.issuperset(each.shared.machines)]
    for holding in between:
        for name, address in holding.shared.addresses.items():
            zone(name).joints.append((holding.name, address))
    for machine in document.machines:
        for index, (name, address) in enumerate(machine.addresses.items()):
            if machine.name in names:
                zone(name).joints.append((machine.name, address))
            else:
                zone(name).cards.append(cards.of_machine(machine, address, main=index == 0))
        if not machine.addresses:
            zone("?").cards.append(cards.of_machine(machine, "", main=True))
    for holding in (each for each in held if each not in between):
        for name, address in holding.shared.addresses.items():
            _insert(zone(name), holding, address)
    _ways(document, zones)
    if len(joining) + len(between) == 1:
        for each in zones.values():
            each.joints = [("", address) for _, address in each.joints]
    band = [cards.of_machine(machine, "", main=True) for machine in joining]
    return _Plan(list(zones.values()), [*band, *(cards.of_shared(holding, "") for holding in between)])


def _joins(machine: MachineFinding, perimeters: Mapping[str, Mapping[str, str]], routers: set[str]) -> bool:
    """Whether ``machine`` stands between perimeters; routers that lead to another site stand in theirs."""
    if machine.kind not in ("firewall", "network") or len(machine.addresses) < 2:
        return False
    leads = machine.name in routers or any("via" in perimeters.get(name, {}) for name in machine.addresses)
    return machine.kind == "firewall" or not leads


def _insert(zone: Zone, holding: Holding, address: str) -> None:
    """Put the card of a shared address beside those of the machines that hold it."""
    holders = (place for place, card in enumerate(zone.cards) if card.name in holding.shared.machines)
    zone.cards.insert(next(holders, len(zone.cards)), cards.of_shared(holding, address))


def _ways(document: AuditDocument, zones: Mapping[str, Zone]) -> None:
    """Say how one gets to the zones that no firewall joins."""
    machines = {machine.name: machine for machine in document.machines}
    for name, perimeter in document.lab.perimeters.items():
        router = machines.get(perimeter.get("via", ""))
        if router is None:
            continue
        zones[name].home = next(iter(router.addresses), "")
        zones[name].way = [Text(f"par {router.name}", f"through {router.name}")]
        link = document.lab.site_link
        if link and router.name in link.machines:
            product = f" ({link.product})" if link.product else ""
            ends = [
                f"{end} {machines[end].addresses.get(link.perimeter, '')}".rstrip()
                for end in link.machines
                if end in machines
            ]
            zones[name].way = [
                Text(f"lien intersites chiffré{product} :", f"encrypted site link{product}:"),
                Text.same(ends[0]),
                *(Text.same(f"↔ {end}") for end in ends[1:]),
            ]


def _spread(zones: Sequence[Zone], width: float) -> float:
    """Give each zone its columns so that the row fits ``width`` and is low; return the row's width."""

    def total() -> float:
        return sum(zone.narrowest for zone in zones) + _GAP * (len(zones) - 1)

    while True:
        tallest = max(zones, key=lambda zone: zone.rows)
        if tallest.rows == 1 or total() + CARD_WIDTH + _GAP > width:
            return total()
        tallest.columns += 1


def _banded(plan: _Plan, width: int) -> Drawing:
    """Zones towards the outside above the firewalls' band, the others below."""
    outside = {zone.name for zone in plan.zones if zone.role in _OUTSIDE and not zone.way}
    above = [zone for zone in plan.zones if zone.name in outside]
    above += [zone for zone in plan.zones if zone.way and zone.home in outside]
    below = [zone for zone in plan.zones if zone not in above]
    drawing = Drawing()
    drawing.width = max([width, *(_spread(row, width) for row in (above, below) if row)])
    for row in (above, below):
        _place(row, drawing.width)
    y: float = _WAY * len(_homes(above))
    high = _height(above)
    _draw_row(drawing, above, y, high, band=1)
    _draw_ways(drawing, above, y, -1)
    y += high + (_link_height(above) if above and plan.band else _GAP if above else 0)
    if plan.band:
        y += _draw_band(drawing, plan.band, y) + (_link_height(below) if below else 0)
    high = _height(below)
    _draw_row(drawing, below, y, high, band=-1)
    _draw_ways(drawing, below, y + high, 1)
    drawing.height = y + high + _WAY * len(_homes(below)) + 1
    return drawing


def _place(row: Sequence[Zone], width: float) -> None:
    natural = sum(zone.narrowest for zone in row) + _GAP * (len(row) - 1)
    x = 0.0
    for zone in row:
        zone.x, zone.width = x, zone.narrowest + (width - natural) / len(row)
        x += zone.width + _GAP


def _height(row: Sequence[Zone]) -> float:
    return max((zone.height for zone in row), default=0.0)


def _link_height(row: Sequence[Zone]) -> float:
    return 14 + _LINE * max([1, *(len(zone.joints) for zone in row)])


def _draw_band(drawing: Drawing, band: Sequence[Card], y: float) -> float:
    """Draw the firewalls' band at ``y``; return its height."""
    height = cards.HEIGHT + 2 * _PAD
    drawing.box(0.5, y, drawing.width - 1, height, "band", round_=10)
    room = (drawing.width - 2 * _PAD - (len(band) - 1) * _GAP) / len(band)
    card = min(room, WIDEST_CARD)
    x = (drawing.width - len(band) * card - (len(band) - 1) * _GAP) / 2
    for index, each in enumerate(band):
        each.draw(drawing, x + index * (card + _GAP), y + _PAD, card)
    return height


def _draw_row(drawing: Drawing, row: Sequence[Zone], y: float, height: float, *, band: int) -> None:
    """Draw the zones of ``row`` at ``y``, and their links to the band: below them (1) or above (-1)."""
    link = _link_height(row)
    for zone in row:
        zone.draw(drawing, y, height)
        if zone.joints:
            top = y + height if band > 0 else y - link
            x = zone.x + 2 * _PAD
            drawing.path(f"M{x:g} {top:g}v{link:g}", "link")
            _write_joints(drawing, zone.joints, x + 7, top + 17, zone.x + zone.width - x - 7)


def _write_joints(drawing: Drawing, joints: Sequence[tuple[str, str]], x: float, y: float, room: float) -> None:
    """Write names and addresses one under the other; a name is cut before an address is."""
    style = STYLES["joint"]
    for number, (name, address) in enumerate(joints):
        short = style.cut(name, room - style.width(f" {address}")) if name else ""
        drawing.text(x, y + number * _LINE, f"{short} {address}".strip(), "joint", room)


def _homes(row: Sequence[Zone]) -> list[Zone]:
    """Return the zones of ``row`` from which ways lead to others of it."""
    return [zone for zone in row if any(other.way and other.home == zone.name for other in row)]


def _draw_ways(drawing: Drawing, row: Sequence[Zone], y: float, side: int) -> None:
    """Draw the ways to other sites along the outer side of ``row``, which is at ``y``."""
    homes = _homes(row)
    for number, home in enumerate(homes):
        line = y + side * (_WAY * number + 9)
        left = home.x + 2 * _PAD + 8 * number
        ends = [zone for zone in row if zone.way and zone.home == home.name]
        for zone in ends:
            end = zone.x + 2 * _PAD + 8 * number
            drawing.path(f"M{left:g} {y:g}V{line:g}H{end:g}V{y:g}", "way")
            # Beyond its end a way's words are alone, where no other way stands.
            last = zone is ends[-1] and len(homes) == 1
            words = Text(*(" ".join(said) for said in zip(*_both(zone.way), strict=True)))
            room = (drawing.width if last else end) - left - 8
            drawing.text(left + 4, line + (13 if side > 0 else -6), words, "small", room)
            left = end


def _both(words: Sequence[Text]) -> Iterator[tuple[str, str]]:
    for each in words:
        yield each.fr, each.en


def _piled(plan: _Plan, width: int) -> Drawing:
    """Firewalls on top, zones one under the other beside a rail; other sites last."""
    drawing = Drawing(tight=True)
    drawing.width = width
    left = _RAIL if plan.band else 0
    card = (width - _GAP) / 2
    y = 0.0
    for index, each in enumerate(plan.band):
        alone = len(plan.band) == 1
        each.draw(drawing, 0.5 + (index % 2) * (card + _GAP), y + 0.5, (width if alone else card) - 1)
        if index % 2 or index == len(plan.band) - 1:
            y += cards.HEIGHT + _GAP
    rail = last = y - _GAP
    for zone in sorted(plan.zones, key=lambda zone: bool(zone.way)):
        zone.x, zone.width, zone.columns = left, width - left, 1 if len(zone.cards) == 1 else 2
        room = width - left - 4
        if zone.way and not zone.joints:
            for number, words in enumerate(zone.way):
                drawing.text(left + 4, y + 11 + number * _LINE, words, "small", room)
            y += _LINE * len(zone.way) + 4
        elif zone.joints:
            _write_joints(drawing, zone.joints, left + 4, y + 11, room)
            y += _LINE * len(zone.joints) + 4
            last = y + _HEAD / 2
            drawing.path(f"M6 {last:g}H{left:g}", "link")
        zone.draw(drawing, y, zone.height)
        y += zone.height + _GAP
    if last > rail and plan.band:
        drawing.path(f"M6 {rail:g}V{last:g}", "link")
    drawing.height = max(y - _GAP, 1)
    return drawing
