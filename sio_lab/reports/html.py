"""The report that people read: one HTML file that holds everything, in both languages, and loads nothing.

Whatever comes from a lab is escaped by the template engine, and the page's own policy (CSP) runs no
script and loads nothing but what this module put in it, by hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from itertools import groupby

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from sio_lab import paths
from sio_lab.audit.document import AuditDocument, RequirementResult
from sio_lab.probes.observation import KEPT
from sio_lab.reports import matrix, sharing, timeline, topology, words
from sio_lab.reports.next_steps import next_steps
from sio_lab.reports.visible import visible
from sio_lab.text import Lang, Text

filename = "report.html"


def render(document: AuditDocument, lang: Lang) -> str:
    """Return the report on ``document``, opened in ``lang``."""
    style, script = _own("report.css"), _own("report.js")
    return _template().render(
        document=document,
        lab=document.lab,
        lang=lang,
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'",
        sections=_sections(document),
        steps=next_steps(document),
        drawings=[topology.draw(document), topology.draw(document, width=topology.NARROW)],
        words=words,
        timeline=timeline,
        matrix=matrix,
        sharing=sharing,
        kept=KEPT,
        **_HELPERS,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(paths.data("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def _own(name: str) -> Markup:
    return Markup(paths.data("templates", name).read_text(encoding="utf-8"))  # noqa: S704  # a file of ours


def _harmless(value: object) -> object:
    return visible(value) if type(value) is str else value


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _sections(document: AuditDocument) -> list[tuple[Text, list[RequirementResult]]]:
    return [(section, list(rows)) for section, rows in groupby(document.requirements, key=lambda r: r.section)]


def _both(text: Text | str) -> Markup:
    """Return ``text`` in both languages, of which the page shows one."""
    if isinstance(text, str):
        return escape(visible(text))
    if text.fr == text.en:
        return escape(visible(text.fr))
    return Markup('<span class="fr" lang="fr">{}</span><span class="en" lang="en">{}</span>').format(
        _french(visible(text.fr)), visible(text.en)
    )


def _french(sentence: str) -> str:
    """Return ``sentence`` with the spaces that must not break a line made non-breaking."""
    for sign in (":", ";", "?", "!", "»"):
        sentence = sentence.replace(f" {sign}", f"\u00a0{sign}")
    return sentence.replace("« ", "«\u00a0")


def _seconds(value: float) -> Text:
    if value < 1:
        return Text.same(f"{value * 1000:.0f} ms")
    return Text(f"{value:.1f} s".replace(".", ","), f"{value:.1f} s")


def _moment(at: datetime) -> Text:
    """Return the day and time of ``at``, where the report is written."""
    local = at.astimezone()
    return Text(f"{local:%d/%m/%Y %H:%M:%S}", f"{local:%Y-%m-%d %H:%M:%S}")


_HELPERS: Mapping[str, Callable[..., object]] = {
    "t": _both,
    "tr": lambda fr, en: _both(Text(fr, en)),
    "seconds": lambda value: _both(_seconds(value)),
    "moment": lambda at: _both(_moment(at)),
    "day": lambda at: _both(Text(f"{at:%d/%m/%Y}", f"{at:%Y-%m-%d}")),
    "clock": lambda at: f"{at.astimezone():%H:%M:%S}",
    "zone": lambda at: f"UTC{at.astimezone():%z}",
}
