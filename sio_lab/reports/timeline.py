"""What users saw of a cut, as a drawing: requests answered, by whom, when. Inline SVG that also prints."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup, escape

from sio_lab.audit.timeline import Timeline
from sio_lab.reports.visible import visible
from sio_lab.text import Text

WIDTH, NARROW, HEIGHT = 760, 300, 160
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 44, 22
_PATTERNS = 4  # fills that are told apart without colour
_FAILED = Text("sans réponse", "unanswered")
_UNNAMED = Text("réponse", "answered")


def draw(line: Timeline, width: int = WIDTH) -> Markup:
    """Return the drawing, ``width`` units wide; its words are those of the legend beside it, in both languages."""
    parts = [*_axis(line, width), *_outage(line, width), *_bars(line, width), *_marks(line, width)]
    whole = (
        f'<svg class="timeline" viewBox="0 0 {width} {HEIGHT}" role="img" aria-hidden="true" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
    return Markup(whole)  # noqa: S704  # all words went through _text, which escapes


def series(line: Timeline) -> list[tuple[str, Text, int]]:
    """Return class, name and number of requests of each series, in the order in which they are drawn."""
    answered = [
        (f"by{index % _PATTERNS}", Text.same(name) if name else _UNNAMED, sum(counts))
        for index, (name, counts) in enumerate(line.answered.items())
    ]
    return [*answered, ("failed", _FAILED, sum(line.failed))]


def outage(line: Timeline) -> Text:
    """Return the longest time without service, with its resolution."""
    if line.outage_start is None:
        return Text("aucune interruption vue", "no outage seen")
    return Text(
        f"{line.outage:.1f} s (au moins {line.outage_at_least:.1f} s)".replace(".", ","),
        f"{line.outage:.1f} s (at least {line.outage_at_least:.1f} s)",
    )


def _x(line: Timeline, seconds: float, width: int) -> float:
    return _LEFT + (width - _LEFT - _RIGHT) * min(max(seconds / line.duration, 0.0), 1.0)


def _highest(line: Timeline) -> int:
    columns = [line.failed, *line.answered.values()]
    return max([1, *(sum(column[place] for column in columns) for place in range(len(line.failed)))])


def _bars(line: Timeline, width: int) -> Iterator[str]:
    room, highest = HEIGHT - _TOP - _BOTTOM, _highest(line)
    stacks = [*line.answered.values(), line.failed]
    kinds = [css for css, _, _ in series(line)]
    for place in range(len(line.failed)):
        left, right = (_x(line, edge * line.step, width) for edge in (place, place + 1))
        bottom = float(HEIGHT - _BOTTOM)
        for css, counts in zip(kinds, stacks, strict=True):
            height = room * counts[place] / highest
            bottom -= height
            if height:
                yield _box(css, left, bottom, max(right - left - 0.5, 0.5), height)


def _outage(line: Timeline, width: int) -> Iterator[str]:
    if line.outage_start is not None:
        left = _x(line, line.outage_start, width)
        right = _x(line, line.outage_start + line.outage, width)
        yield _box("outage", left, _TOP, max(right - left, 1.0), HEIGHT - _TOP - _BOTTOM)


def _marks(line: Timeline, width: int) -> Iterator[str]:
    # A line each: whatever the times, no word covers another.
    marks = (
        (line.cut, Text("coupure", "cut"), 12),
        (line.restored, Text("rétablissement", "given back"), 25),
        (line.nominal, Text("nominal", "nominal"), 38),
    )
    for at, words, y in marks:
        if at is not None:
            x = _x(line, at, width)
            yield f'<path class="mark" d="M{x:.1f} {y - 8}V{HEIGHT - _BOTTOM}"/>'
            late = x > width - 110
            yield from _text(x - 4 if late else x + 4, y, words, "end" if late else "start")


def _axis(line: Timeline, width: int) -> Iterator[str]:
    yield f'<path class="axis" d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}H{width - _RIGHT}"/>'
    yield from _text(_LEFT - 4, _TOP + 8, Text.same(str(_highest(line))), "end")
    yield from _text(_LEFT - 4, HEIGHT - _BOTTOM, Text.same("0"), "end")
    most = width // 60
    every = next((step for step in (1, 2, 5, 10, 20, 30, 60) if line.duration / step <= most), 120)
    for second in range(0, int(line.duration) + 1, every):
        x = _x(line, second, width)
        yield from _text(
            min(x, width - 1), HEIGHT - 6, Text.same(f"{second} s"), "end" if x > width - 20 else "middle"
        )


def _box(css: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, words: Text, anchor: str) -> Iterator[str]:
    both = words.fr != words.en
    for lang, said in (("fr", words.fr), ("en", words.en)) if both else (("", words.fr),):
        named = f' class="{lang}" lang="{lang}"' if lang else ""
        yield f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}"{named}>{escape(visible(said))}</text>'
