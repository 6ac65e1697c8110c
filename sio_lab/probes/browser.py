"""Pages as a real browser shows them, driven over WebDriver (W3C), on a machine of the lab. Never judges."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from textwrap import shorten
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from sio_lab.errors import ProbeTimeout, ProtocolError, Unreachable
from sio_lab.lab.software import PageCode
from sio_lab.probes import webdriver
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import PICTURE, Answer, Observation
from sio_lab.probes.webdriver import first_line
from sio_lab.text import Text

if TYPE_CHECKING:
    from selenium.webdriver import Remote

_LOOKING = 0.2
_ALERT = 160  # characters of what a page says


@dataclass(frozen=True, slots=True, kw_only=True)
class PageObservation(Observation):
    """What a page showed. ``granted``: the element shows the word; ``refused``: it does not.

    Attributes:
        before: the whole page before anybody logged in, as the browser holds it.
        text: text of the element in the end.
        source: the whole page in the end.
    """

    before: str = ""
    text: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallObservation(Observation):
    """Whether the page that is open can be installed. ``granted``: the browser finds nothing against it.

    Attributes:
        errors: what it finds against it.
        manifest: what the page's manifest says; empty where it has none.
        worker: state of its service worker; empty where none became ready.
        standalone: whether it is shown in a window of its own, without the browser's bars.
    """

    errors: Sequence[str]
    manifest: Mapping[str, object]
    worker: str
    standalone: bool


@contextmanager
def on(
    machine: Machine, *, javascript: bool = True, size: tuple[int, int] = (1000, 700), app: str = ""
) -> Iterator[Browser]:
    """Open a browser on ``machine``, with a profile of its own; nothing of it stays behind.

    Args:
        machine: where it runs; it has Chromium and its driver.
        javascript: whether pages may run code.
        size: of its window.
        app: page that is opened as an installed application is.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: there is no browser, or it does not start.
    """
    start = webdriver.here(javascript=javascript, size=size, app=app)
    with webdriver.driven(machine, start) as driver:
        yield Browser(machine, machine.name, driver, coded=javascript)


@contextmanager
def on_mobile(
    machine: Machine, device: str, *, simulated: bool, size: tuple[int, int] = (412, 915), app: str = ""
) -> Iterator[Browser]:
    """Open a browser on the mobile terminal ``device``, over adb, from ``machine``, which has the client.

    Args:
        machine: where the debug bridge is reached from.
        device: name or address of the device, and port.
        simulated: whether it is a Debian machine with Chromium and its driver, and no telephone with Chrome.
        size: of its window.
        app: page that is opened as an installed application is, where it is simulated.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: there is no browser, or it does not start.
    """
    start = webdriver.on_device(device, simulated=simulated, size=size, app=app)
    with webdriver.driven(machine, start) as driver:
        yield Browser(machine, device, driver)


class Browser:
    """A browser that is open; made by ``on`` and ``on_mobile``."""

    def __init__(self, machine: Machine, place: str, driver: Remote, *, coded: bool = True) -> None:
        self._machine, self._place, self._driver, self._coded = machine, place, driver, coded

    def use(
        self, page: PageCode, account: str, password: str, word: str, *, within: float = 30.0
    ) -> PageObservation:
        """Open ``page``, log in through its form, and wait until its element shows ``word``.

        Where pages may run no code, a form that would put the password in an address is not sent.

        Args:
            page: the page, and where to find its form and its data.
            account: who logs in.
            password: its password; it stands in no evidence.
            word: what the data must show.
            within: seconds to wait for it.

        Raises:
            ProbeTimeout: the page or the browser does not answer in time.
            ProtocolError: the page cannot be shown, such as for its certificate.
        """
        from selenium.common.exceptions import NoSuchElementException, WebDriverException

        at, start = datetime.now(UTC), monotonic()
        answer: Answer = "refused"
        detail = before = text = source = ""
        with self._understood(page.url):
            try:
                self._driver.get(page.url)
                before = self._driver.page_source
                self._log_in(page, account, password)
                text = self._await(page.shows, word, within)
                if word in text:
                    answer = "granted"
                else:
                    detail = f"{page.shows} does not show it within {within:g} s{self._told()}"
            except NoSuchElementException as error:
                detail = first_line(error)
            except WebDriverException as error:
                if "net::ERR_CONNECTION_REFUSED" not in str(error):
                    raise
                answer, detail = "unavailable", "connection refused"
            source = self._driver.page_source
        console = "" if answer == "granted" else self._console()
        evidence = self._machine.saw(
            "browser.use",
            target=page.url,
            sent=f"on {self._place}{'' if self._coded else ' (without code)'}: open {page.url}\n"
            f"{page.account_input} ← {account}\n{page.password_input} ← …\nclick {page.submit}\n"
            f"wait for {word} in {page.shows}",
            received=f"{detail}\n{page.shows}: {text}\n{console}\n{source}".strip(),
            at=at,
            start=start,
        )
        evidence.picture = self._picture()
        return PageObservation(evidence, answer, detail, before=before, text=text, source=source)

    def installable(self, page: PageCode) -> InstallObservation:
        """Ask the browser whether the page that is open can be installed, and how it is shown.

        Raises:
            ProbeTimeout, ProtocolError: as ``use``.
        """
        from selenium.common.exceptions import TimeoutException

        at, start = datetime.now(UTC), monotonic()
        with self._understood(page.url):
            found = self._ask("Page.getInstallabilityErrors").get("installabilityErrors", [])
            errors = [str(each.get("errorId", each)) for each in found]
            given = self._ask("Page.getAppManifest")
            errors += [str(each.get("message", each)) for each in given.get("errors", [])]
            standalone = bool(
                self._driver.execute_script("return matchMedia('(display-mode: standalone)').matches")
            )
            try:
                worker = str(self._driver.execute_async_script(_READY) or "")
            except TimeoutException:
                worker = ""
        manifest = _object(str(given.get("data") or ""))
        evidence = self._machine.saw(
            "browser.installable",
            target=page.url,
            sent=f"on {self._place}: installability errors, manifest, service worker, display mode",
            received=f"errors: {', '.join(errors) or 'none'}\nservice worker: {worker or 'none'}\n"
            f"standalone: {standalone}\nmanifest: {json.dumps(manifest, ensure_ascii=False)}",
            at=at,
            start=start,
        )
        return InstallObservation(
            evidence,
            "refused" if errors else "granted",
            ", ".join(errors),
            errors=errors,
            manifest=manifest,
            worker=worker,
            standalone=standalone,
        )

    def _log_in(self, page: PageCode, account: str, password: str) -> None:
        if not self._coded:
            form = self._driver.find_element("css selector", f"form:has({page.password_input})")
            if (form.get_dom_attribute("method") or "").lower() != "post":  # GET, by default: HTML §4.10.21.3
                return
        for selector, value in ((page.account_input, account), (page.password_input, password)):
            field = self._driver.find_element("css selector", selector)
            field.clear()
            field.send_keys(value)
        self._driver.find_element("css selector", page.submit).click()

    def _await(self, selector: str, word: str, within: float) -> str:
        end = monotonic() + within
        while True:
            text = self._text(selector)
            if word in text or monotonic() >= end:
                return text
            sleep(_LOOKING)

    def _text(self, selector: str) -> str:
        """Return what the elements of ``selector`` show, a line each."""
        from selenium.common.exceptions import StaleElementReferenceException

        while True:
            with suppress(StaleElementReferenceException):  # the page changed them in the meantime
                return "\n".join(each.text for each in self._driver.find_elements("css selector", selector))

    def _told(self) -> str:
        """Return what the page alerts its user to (WAI-ARIA, role ``alert``)."""
        said = shorten(self._text("[role=alert]"), _ALERT, placeholder="…")
        return f"; the page says: {said}" if said else ""

    def _console(self) -> str:
        """Return what the browser complained of: requests that failed, errors of the code."""
        with suppress(Exception):  # not every driver keeps it, and it proves nothing by itself
            said = self._driver.execute("getLog", {"type": "browser"})["value"]
            return "".join(f"console: {each['message']}\n" for each in said)
        return ""

    def _ask(self, command: str) -> dict[str, Any]:
        """Ask by the browser's own protocol (Chrome DevTools)."""
        answer = self._driver.execute("executeCdpCommand", {"cmd": command, "params": {}})["value"]
        return dict(answer or {})

    def _picture(self) -> str:
        """Return a picture of the window in base64; empty where there is none, or it is too large to be kept."""
        with suppress(Exception):  # it proves nothing by itself
            taken: str = self._driver.get_screenshot_as_base64()
            return taken if len(taken) <= PICTURE else ""
        return ""

    @contextmanager
    def _understood(self, where: str) -> Iterator[None]:
        """Tell errors of the browser in the words of probes."""
        from selenium.common.exceptions import TimeoutException, WebDriverException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except TimeoutException as error:
            raise ProbeTimeout(
                Text("la page ne répond pas à temps", "the page does not answer in time"), where=where
            ) from error
        except WebDriverException as error:
            said = first_line(error)
            raise ProtocolError(
                Text(f"page impossible à montrer : {said}", f"page that cannot be shown: {said}"), where=where
            ) from error
        except (HTTPError, OSError) as error:
            raise Unreachable(
                Text("le navigateur ne répond plus", "the browser answers no more"), where=self._machine.name
            ) from error


_READY = """
const done = arguments[arguments.length - 1];
if (!navigator.serviceWorker) { done(''); }
else { navigator.serviceWorker.ready.then(found => done(found.active ? found.active.state : '')); }
"""


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
