"""Inline SVG: boxes, lines, icons, and words that never leave the room that they are given."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup, escape

from sio_lab.reports.visible import visible
from sio_lab.text import Text

_ELLIPSIS = "…"
_MONO = 0.603

# Widths in em of the letters of DejaVu Sans, the widest of the fonts that the style sheet names.
_LETTERS: Mapping[str, float] = {
    **dict.fromkeys("ijl|'", 0.29),
    **dict.fromkeys(" .,:;!·/\\()[]-frtI", 0.42),
    **dict.fromkeys("mwMW%@—…↔→✘", 1.0),
}
_CAPITAL, _SMALL, _WIDE, _BOLD = 0.79, 0.64, 1.0, 1.13


@dataclass(frozen=True, slots=True)
class Style:
    """How words are written; the style sheet says the same of the class that bears its name."""

    size: float
    bold: bool = False
    mono: bool = False

    def width(self, words: str) -> float:
        """Return a width that ``words`` do not exceed, in units of the drawing."""
        if self.mono:
            return len(words) * _MONO * self.size
        ems = sum(_LETTERS.get(letter) or _ems(letter) for letter in words)
        return ems * self.size * (_BOLD if self.bold else 1.0)

    def cut(self, words: str, room: float) -> str:
        """Return ``words``, or as much of them as fits ``room``."""
        if self.width(words) <= room:
            return words
        fits = bisect_right(list(accumulate(map(self.width, words))), room - self.width(_ELLIPSIS))
        return words[:fits].rstrip() + _ELLIPSIS

    def wrap(self, words: str, room: float, most: int) -> list[str]:
        """Return ``words`` on at most ``most`` lines, each of which fits ``room``."""
        lines: list[str] = []
        left = words.split()
        while left and len(lines) < most - 1:
            count = 1
            while count < len(left) and self.width(" ".join(left[: count + 1])) <= room:
                count += 1
            lines.append(self.cut(" ".join(left[:count]), room))
            left = left[count:]
        return [*lines, self.cut(" ".join(left), room)] if left else lines


def _ems(letter: str) -> float:
    if ord(letter) > 0x2FF:
        return _WIDE
    return _CAPITAL if letter.isupper() else _SMALL


STYLES: Mapping[str, Style] = {
    "name": Style(13, bold=True),
    "zonename": Style(14, bold=True),
    "address": Style(11, mono=True),
    "joint": Style(11, mono=True),
    "small": Style(11),
    "lostword": Style(11, bold=True),
}
TIGHT: Mapping[str, Style] = {"name": Style(11, bold=True), "zonename": Style(13, bold=True)}


class Drawing:
    """SVG elements, piled up in the order in which they are painted.

    Args:
        tight: whether headings are written smaller, as the style sheet does below the class ``tight``.
    """

    def __init__(self, *, tight: bool = False) -> None:
        self.width = self.height = 0.0
        self._parts: list[str] = []
        self._styles = {**STYLES, **(TIGHT if tight else {})}

    def box(self, x: float, y: float, width: float, height: float, css: str, *, round_: float = 8) -> None:
        """Draw a rectangle with round corners."""
        self._parts.append(
            f'<rect class="{css}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round_:g}"/>'
        )

    def path(self, d: str, css: str, *, at: tuple[float, float] | None = None) -> None:
        """Draw a path, moved to ``at``."""
        moved = f' transform="translate({at[0]:g} {at[1]:g})"' if at else ""
        self._parts.append(f'<path class="{css}"{moved} d="{d}"/>')

    def open(self, about: str) -> None:
        """Begin a group that says what it is to whoever points at it."""
        self._parts.append(f"<g><title>{escape(visible(about))}</title>")

    def close(self) -> None:
        """End the group."""
        self._parts.append("</g>")

    def text(self, x: float, y: float, words: str | Text, css: str, room: float) -> None:
        """Write ``words`` in the style ``css``, cut to ``room``."""
        self.lines(x, y, words, css, room, most=1)

    def lines(self, x: float, y: float, words: str | Text, css: str, room: float, *, most: int = 2) -> None:
        """Write ``words`` on at most ``most`` lines; a ``Text`` is written in both languages."""
        style = self._styles[css]
        for lang, said in _languages(words):
            written = [str(escape(line)) for line in style.wrap(visible(said), room, most)]
            if len(written) > 1:
                tops = (y + number * (style.size + 1) for number in range(len(written)))
                written = [
                    f'<tspan x="{x:g}" y="{top:g}">{line}</tspan>' for top, line in zip(tops, written, strict=True)
                ]
            named = f'class="{css} {lang}" lang="{lang}"' if lang else f'class="{css}"'
            self._parts.append(f'<text x="{x:g}" y="{y:g}" {named}>{"".join(written)}</text>')

    def svg(self, css: str) -> Markup:
        """Return the whole drawing, of the class ``css``; the page describes it under ``topology-caption``."""
        whole = (
            f'<svg class="{css}" viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f'aria-labelledby="topology-caption" xmlns="http://www.w3.org/2000/svg">{"".join(self._parts)}</svg>'
        )
        return Markup(whole)  # noqa: S704  # every word of it went through lines() or open(), which escape


def _languages(words: str | Text) -> Iterator[tuple[str, str]]:
    if isinstance(words, str):
        yield "", words
    elif words.fr == words.en:
        yield "", words.fr
    else:
        yield "fr", words.fr
        yield "en", words.en
