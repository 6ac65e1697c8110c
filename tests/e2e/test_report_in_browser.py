"""The HTML report as a teacher opens it: in a real browser, on a large screen, on a telephone, and on paper."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Page, browser
from sample_audit import document

from sio_lab.reports import formats

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return formats.write(document(), tmp_path_factory.mktemp("report"), "fr", ["html"])["html"]


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def page(window: Page, report: Path) -> Iterator[Page]:
    """The report, freshly opened; whatever a test does, it must run and load nothing of its own."""
    window.open(report)
    yield window
    assert window.troubles == []
    assert window.requests == []


def test_opens_without_a_complaint(page: Page) -> None:
    assert page.run("document.title") == "Rapport d'audit — Cap Voile — siège"
    assert "Non conforme" in page.text()


def test_the_browser_would_tell(window: Page, report: Path, tmp_path: Path) -> None:
    """What the other tests rely on: an injected script or image would be seen, and its policy stops both."""
    injured = tmp_path / "injured.html"
    injury = "<script>document.title = 'owned'</script><img src=https://elsewhere.example/x.png onerror=alert(1)>"
    injured.write_text(report.read_text().replace("<main", f"{injury}<main", 1))
    window.open(injured)
    troubles = list(window.troubles)
    assert window.requests == ["https://elsewhere.example/x.png"]  # told before the policy stops it
    window.troubles.clear()
    window.requests.clear()
    for directive in ("script-src", "img-src"):
        assert [t for t in troubles if "Content Security Policy" in t and directive in t]
    assert window.run("document.title") != "owned"
    assert not [trouble for trouble in troubles if "Dialog" in trouble]


def test_language_switch(page: Page) -> None:
    assert "À faire" in page.text()
    page.click("#lang-en")
    text = page.text()
    assert "What to do next" in text
    assert "À faire" not in text
    assert page.run("document.documentElement.lang") == "en"
    assert page.run("document.title") == "Audit report — Cap Voile — siège"
    page.click("#lang-fr")
    assert "What to do next" not in page.text()


def test_language_switch_by_keyboard(page: Page) -> None:
    page.run("document.getElementById('lang-fr').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call(
            "Input.dispatchKeyEvent", type=kind, key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39
        )
    assert "What to do next" in page.text()


def test_evidence_unfolds(page: Page) -> None:
    bind = "resultCode 49 (invalidCredentials)"
    assert bind not in page.text()
    page.click("#r-1\\.1\\.a details summary")
    assert page.text().count(bind) == 1
    page.click("#r-1\\.1\\.a details summary")
    assert bind not in page.text()


def test_all_evidence_unfolds_at_once(page: Page) -> None:
    count = "document.querySelectorAll('main details[open]').length"
    everything = page.run("document.querySelectorAll('main details').length")
    page.click("#unfold")
    assert page.run(count) == everything > 10
    page.click("#unfold")
    assert page.run(count) == 0


def test_hostile_evidence_runs_nothing(page: Page) -> None:
    page.click("#unfold")
    assert "<script>document.title='owned'</script>" in page.text()
    assert page.run("document.title") == "Rapport d'audit — Cap Voile — siège"
    assert page.run("document.images.length") == 0
    assert page.run("document.scripts.length") == 1


def test_references_lead_to_proofs(page: Page) -> None:
    page.click("#requirements a[href='#r-1\\.1\\.e']")
    assert page.run("location.hash") == "#r-1.1.e"
    assert page.run("document.querySelector(':target').id") == "r-1.1.e"


@pytest.mark.parametrize(("width", "drawing"), [(1280, "wide"), (390, "narrow")])
def test_topology_is_seen(page: Page, width: int, drawing: str) -> None:
    page.resize(width, 844)
    box = f"document.querySelector('.{drawing} .topology').getBoundingClientRect()"
    other = {"wide": "narrow", "narrow": "wide"}[drawing]
    assert page.run(f"{box}.width > {0.75 * min(width, 1000)} && {box}.height > 300")
    assert page.run(f"{box}.right <= document.documentElement.clientWidth")
    assert page.run(f"document.querySelector('.{other} .topology').getBoundingClientRect().height") == 0


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_nothing_sticks_out(page: Page, width: int, lang: str) -> None:
    page.resize(width, 844)
    page.click(f"#lang-{lang}")
    page.click("#unfold")
    assert page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


MISPLACED = """
(() => {
  const seen = (e) => e.getBoundingClientRect();
  const words = [...document.querySelectorAll(SELECTOR)].filter((e) => seen(e).width);
  const clear = (a, b) => a.right <= b.left + 1 || a.bottom <= b.top + 3;
  const apart = (a, b) => clear(a, b) || clear(b, a);
  const within = (a, b) => a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
  const frame = (e) => e.closest("g")?.querySelector("rect") ?? e.closest("svg");
  const out = words.filter((e) => !within(seen(e), seen(frame(e))));
  const over = words.filter((e, i) => words.slice(i + 1).some((other) => !apart(seen(e), seen(other))));
  return [words.length, ...[...out, ...over].map((e) => e.textContent)];
})()
"""


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize(("drawing", "least"), [(".topology", 40), (".cut .timeline", 8)])
def test_words_of_drawings_keep_to_their_place(
    page: Page, width: int, lang: str, drawing: str, least: int
) -> None:
    page.resize(width, 844)
    page.click(f"#lang-{lang}")
    page.click("#unfold")
    number, *misplaced = page.run(MISPLACED.replace("SELECTOR", f"'{drawing} text'"))
    assert number > least
    assert misplaced == []


PALE = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (part) => part <= 10.31 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const behind = (e) => {
    const frame = e.closest("svg g")?.querySelector("rect");
    if (frame) return parts(getComputedStyle(frame).fill);
    for (; e; e = e.parentElement) {
      const colour = parts(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3]) return colour;
    }
    return parts(getComputedStyle(document.body).backgroundColor);
  };
  const said = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  return [...document.querySelectorAll("main *, header *")]
    .filter((e) => e.getBoundingClientRect().width && said(e))
    .map((e) => [e, getComputedStyle(e)])
    .filter(([e, style]) => style.opacity !== "1"
      || ratio(light(parts(e.closest("svg") ? style.fill : style.color)), light(behind(e))) < 4.5)
    .map(([e]) => e.textContent.trim());
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out(window: Page, report: Path, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1 at least."""
    window.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        window.open(report)
        window.click("#unfold")
        assert window.run(PALE) == []
    finally:
        window.call("Emulation.setEmulatedMedia", features=[])


def test_light_to_send(report: Path) -> None:
    assert report.stat().st_size < 2_000_000


@pytest.mark.parametrize("width", [390, 320])
def test_small_letters_can_be_read(page: Page, width: int) -> None:
    page.resize(width, 844)
    sizes = page.run(
        "[...document.querySelectorAll('.narrow .topology text')].filter(e => e.getBoundingClientRect().height)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"
    )
    assert min(sizes) >= 10


def printed(page: Page, folder: Path) -> list[str]:
    """Return the text of each page on paper."""
    page.print(folder / "report.pdf")
    text = subprocess.run(
        ["pdftotext", "-layout", str(folder / "report.pdf"), "-"], capture_output=True, text=True, check=True
    )
    return text.stdout.split("\f")[:-1]


needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")


@needs_poppler
def test_on_paper(page: Page, tmp_path: Path) -> None:
    sheets = printed(page, tmp_path)
    whole = "\n".join(sheets)
    assert len(sheets) >= 5
    for number, sheet in enumerate(sheets, start=1):
        assert f"{number} / {len(sheets)}" in sheet
        assert len(sheet.split()) > 20, f"page {number} is all but empty"
    assert "Non conforme" in sheets[0]
    for words in ("Deux types de terminaux", "Machines, telles que trouvées", "172.30.40.20", "sha256"):
        assert words in whole
    for unprintable in ("Aller au contenu", "Tout déplier", "English"):
        assert unprintable not in whole


@needs_poppler
def test_paper_shows_the_evidence_that_was_unfolded(page: Page, tmp_path: Path) -> None:
    assert "resultCode 49" not in "\n".join(printed(page, tmp_path))
    page.click("#r-1\\.1\\.a details summary")
    assert "\n".join(printed(page, tmp_path)).count("resultCode 49") == 1


def test_without_script_the_languages_still_switch(window: Page, report: Path) -> None:
    window.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        window.open(report)
        window.click("label[lang=en]")
        assert "What to do next" in window.text()
        assert "À faire" not in window.text()
    finally:
        window.call("Emulation.setScriptExecutionDisabled", value=False)
    window.troubles.clear()  # Chromium says that it was told to run no script
