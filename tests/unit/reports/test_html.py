"""The HTML report: harmless whatever the lab says, whole in both languages, and loading nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
import sample_audit
from sample_audit import HOSTILE, check, document, evidence

from sio_lab.audit.document import ApplicationSummary, AuditDocument
from sio_lab.reports import html
from sio_lab.text import Lang, Text

_VOID = {"meta", "link", "br", "img", "input", "hr", "col"}
_FETCHING = {"src", "srcset", "action", "formaction", "poster", "data", "background", "ping", "xlink:href"}


class Parsed(HTMLParser):
    """What an HTML parser makes of a page: tags, attributes, and text by element and language."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": [], "pre": [], "title": []}
        self.said: dict[str, list[str]] = {"fr": [], "en": []}
        self.neutral: list[str] = []
        self.ids: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        given = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if "id" in given:
            self.ids.append(given["id"])
        lang = next((code for code in ("fr", "en") if code in given.get("class", "").split()), "")
        if tag not in _VOID:
            self._open.append((tag, lang))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        tag = self._open[-1][0] if self._open else ""
        if tag in self.raw:
            self.raw[tag].append(data)
        lang = next((lang for _, lang in self._open if lang), "")
        if data.strip():
            (self.said[lang] if lang else self.neutral).append(data)


@pytest.fixture(scope="module", params=["fr", "en"])
def lang(request: pytest.FixtureRequest) -> Lang:
    return request.param


@pytest.fixture(scope="module")
def page(lang: Lang) -> Parsed:
    return Parsed(html.render(document(), lang))


def test_well_formed(page: Parsed) -> None:
    assert page.tags["html"] == page.tags["main"] == page.tags["h1"] == 1
    assert len(page.ids) == len(set(page.ids))


def test_links_lead_to_places_of_the_page(page: Parsed) -> None:
    targets = [value for _, name, value in page.attributes if name == "href"]
    assert targets
    assert {target.removeprefix("#") for target in targets} <= set(page.ids)


def test_nothing_is_loaded(page: Parsed) -> None:
    assert not [(tag, name, value) for tag, name, value in page.attributes if name in _FETCHING]
    assert not [tag for tag in ("link", "img", "iframe", "object", "embed", "base", "form") if page.tags[tag]]
    (style,) = page.raw["style"]
    assert "url(" not in style
    assert "@import" not in style


def test_no_script_but_ours(page: Parsed) -> None:
    assert page.tags["script"] == page.tags["style"] == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "style"]


def test_policy_allows_exactly_what_the_page_holds(page: Parsed) -> None:
    policy = next(value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value)

    def hashed(content: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"

    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src {hashed(page.raw['style'][0])}",
        f"script-src {hashed(page.raw['script'][0])}",
        "img-src data:",
        "base-uri 'none'",
    ]


def test_a_picture_is_shown(lang: Lang) -> None:
    """It is in the page itself; what is no picture stays within its attribute."""
    seen = evidence(probe="browser.use")
    seen.picture = 'iVBORw0KGgo="><script>alert(1)</script>'
    audit = document().model_copy(deep=True)
    audit.requirements[0].checks = [check(audit.requirements[0].id, seen=[seen])]
    page = Parsed(html.render(audit, lang))
    (source,) = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert source == f"data:image/png;base64,{seen.picture}"
    assert page.tags["script"] == 1


def test_hostile_evidence_is_text(page: Parsed) -> None:
    (shown,) = [text for text in page.raw["pre"] if "owned" in text]
    assert shown.startswith("</pre></details><script>document.title='owned'</script><img src=x onerror=alert(1)>")
    assert "{{ 7*7 }} <!-- ]]> --" in shown
    for harmful in "\x1b\x07\x00\u202e\u202c\udc80":
        assert harmful not in shown
    assert "⟨ESC⟩[31mred⟨ESC⟩]0;title⟨BEL⟩⟨NUL⟩" in shown
    assert "⟨U+202E⟩gnp.exe" in shown
    assert "⟨80⟩" in shown


def test_page_is_utf_8(lang: Lang) -> None:
    html.render(document(), lang).encode()  # no lone surrogate is left


@pytest.mark.parametrize("place", ["title", "organisation", "path", "domain", "provider"])
def test_hostile_lab_is_text(place: str) -> None:
    parsed = Parsed(html.render(document(**{place: f'"><script>x</script>{HOSTILE}'}), "fr"))
    assert parsed.tags["script"] == parsed.tags["style"] == 1
    assert parsed.tags["img"] == 0


def test_hostile_names_are_text() -> None:
    audited = document(
        services={HOSTILE: {"product": HOSTILE, "machines": HOSTILE}},
        flows=[{"from": HOSTILE, "to": HOSTILE, "ports": HOSTILE}],
        perimeters={HOSTILE: {"cidr": HOSTILE, "role": HOSTILE}},
        applications={
            HOSTILE: ApplicationSummary(
                title=HOSTILE,
                made_with=HOSTILE,
                origin="adapted",
                licence=HOSTILE,
                version=HOSTILE,
                repository=HOSTILE,
                machines=[HOSTILE],
                remote=HOSTILE,
            )
        },
    )
    for machine in audited.machines:
        machine.name = machine.kind = machine.title = machine.system = machine.nature_evidence = HOSTILE
        machine.addresses = {HOSTILE: HOSTILE}
        machine.problem = Text(HOSTILE, HOSTILE + "!")
    hostile = evidence(probe=HOSTILE, source=HOSTILE, target=HOSTILE, sent=HOSTILE, received=HOSTILE)
    hostile.retry_reason, hostile.attempt = HOSTILE, 2
    audited.requirements[0].checks = [
        check("0.a", title=(HOSTILE, HOSTILE), fr=HOSTILE, en=HOSTILE, seen=[hostile], uses=[HOSTILE], id=HOSTILE)
    ]
    attested = next(row for row in audited.requirements if row.attestation)
    assert attested.attestation
    attested.attestation.document = attested.attestation.signed_by = HOSTILE
    parsed = Parsed(html.render(audited, "en"))
    assert parsed.tags["script"] == 1
    assert parsed.tags["img"] == 0


def test_every_requirement_has_its_row_and_its_proofs(page: Parsed) -> None:
    audited = document()
    for row in audited.requirements:
        assert f"r-{row.id}" in page.ids
    checks = sum(len(row.checks) for row in audited.requirements)
    assert page.tags["details"] == checks


def test_both_languages_say_as_much(page: Parsed) -> None:
    marks = Counter(code for _, name, value in page.attributes if name == "class" for code in value.split())
    assert marks["fr"] == marks["en"] > 100
    for word in ("conforme", "À faire", "Constat", "devait réussir", "devait être refusé"):
        assert any(word in text for text in page.said["fr"])
        assert not any(word in text for text in page.said["en"])


def marked(part: object) -> object:
    """Return a part of a dumped document with each of its sentences marked with its language."""
    if isinstance(part, dict):
        if set(part) == {"fr", "en"}:
            return {lang: f"⟦{lang}⟧{words}" for lang, words in part.items()}
        return {key: marked(value) for key, value in part.items()}
    return [marked(item) for item in part] if isinstance(part, list) else part


def test_no_sentence_is_left_in_one_language() -> None:
    audited = AuditDocument.model_validate(marked(document().model_dump()))
    page = Parsed(html.render(audited, "fr"))
    assert not [text for text in page.neutral if "⟦" in text]
    assert not [text for text in page.said["fr"] if "⟦en⟧" in text]
    assert not [text for text in page.said["en"] if "⟦fr⟧" in text]
    assert len([text for text in page.said["en"] if "⟦en⟧" in text]) > 100


def test_no_trace_of_the_template(page: Parsed, lang: Lang) -> None:
    rendered = html.render(document(), lang).replace("{{ 7*7 }}", "")
    assert "{{" not in rendered
    assert "{%" not in rendered
    assert "Text(" not in rendered
    assert "None" not in rendered
    assert "Undefined" not in rendered


def test_a_reservation_stands_in_the_row_of_its_requirement() -> None:
    rows = html.render(document(), "en").split('href="#r-1.1.h"')[1].split("</tr>")[0]
    assert "with a reservation: the mobile terminal is simulated" in rows


def test_a_pass_without_evidence_does_not_look_like_one() -> None:
    audited = document()
    row = next(row for row in audited.requirements if row.id == "1.1.b")
    row.checks = [check("1.1.b", title=("Compte vide", "Empty account"), seen=[])]
    shown = html.render(audited, "en").split('id="r-1.1.b"')[1].split("</article>")[0]
    assert '<details class="unverified">' in shown
    assert "inconclusive" in shown


def test_french_typography() -> None:
    shown = html.render(document(), "fr")
    assert re.search(r"Un seul système d.{1,5}exploitation trouvé\u00a0:", shown)


def test_opens_in_the_language_asked(page: Parsed, lang: Lang) -> None:
    assert ("html", "lang", lang) in page.attributes
    what = {"fr": "Rapport d'audit", "en": "Audit report"}[lang]
    assert page.raw["title"][0] == f"{what} — {sample_audit.lab().title}"
