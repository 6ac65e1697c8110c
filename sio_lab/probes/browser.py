"""Pages as a real browser shows them, driven over WebDriver (W3C), on a machine of the lab. Never judges.

The driver runs on the machine of the browser and listens on its loopback address; we reach it through a tunnel.
"""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from sio_lab.errors import ProbeTimeout, ProtocolError, Unreachable
from sio_lab.lab.software import PageCode
from sio_lab.probes import background
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import PICTURE, Answer, Observation
from sio_lab.text import Text

if TYPE_CHECKING:
    from selenium.webdriver import Remote

_SECONDS = 150  # a driver that nobody ends does so by itself
_REQUEST = 60  # seconds for one command of WebDriver: a browser that starts on a busy machine takes its time
_LOADING = 20  # seconds for a page
_LOOKING = 0.2
_WORKER = 10  # seconds for a service worker to be ready
_PRIVATE_PORTS = (49152, 65535)  # RFC 6335 §6
# As the settings of a browser whose user forbids it would say: 2 blocks.
_NO_CODE = {"profile.managed_default_content_settings.javascript": 2}

# As nobody: the browser's own sandbox needs no privilege, and refuses root. What is left in the end bears the name
# of the folder.
_DRIVER = r"""
command -v chromedriver >/dev/null || {{ echo 'chromedriver: not found' >&2; exit 1; }}
home=$(mktemp -d) || exit 1
left() {{ grep -ls -- "$home" /proc/[0-9]*/cmdline | cut -d/ -f3; }}
trap 'kill $(left) 2>/dev/null; sleep 0.3; kill -9 $(left) 2>/dev/null; rm -rf "$home"' EXIT
trap exit HUP INT TERM
as=
[ "$(id -u)" != 0 ] || {{ chown nobody "$home"; as='runuser -u nobody --'; }}
$as env HOME="$home" TMPDIR="$home" XDG_RUNTIME_DIR="$home" chromedriver --port={port} >&2 {rest}
"""
# The mobile's own: it ends with its input, which the debug bridge closes when the client goes away.
_UNTIL_CLOSED = "& cat >/dev/null; kill $!"
# The adb server is this question's own, as in mobile.py.
_OVER_ADB = r"""
server=localfilesystem:$PWD/adb
trap 'adb -L "$server" kill-server' EXIT
trap exit HUP INT TERM
timeout 10 adb -L "$server" connect {target} >&2
adb -L "$server" -s {target} forward tcp:{port} tcp:{port} >&2 || exit 1
sleep {seconds} | adb -L "$server" -s {target} shell {driver} >&2
"""
# A real phone's browser is driven from outside, by a driver that speaks to it over the same bridge.
_FOR_PHONE = r"""
trap 'adb -P {bridge} kill-server' EXIT
trap exit HUP INT TERM
timeout 10 adb -P {bridge} connect {target} >&2
chromedriver --port={port} --adb-port={bridge} >&2
"""


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
    port = _port()
    start = _Start(_DRIVER.format(port=port, rest=""), port, _arguments(size, app))
    if not javascript:
        start.options["prefs"] = _NO_CODE
    with _driven(machine, start) as driver:
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
    port, target = _port(), shlex.quote(device)
    if simulated:
        there = shlex.quote(_DRIVER.format(port=port, rest=_UNTIL_CLOSED))
        script = _OVER_ADB.format(target=target, port=port, seconds=_SECONDS, driver=there)
        start = _Start(script, port, _arguments(size, app))
    else:
        start = _Start(_FOR_PHONE.format(target=target, port=port, bridge=_port()), port, [])
        start.options.update(androidPackage="com.android.chrome", androidDeviceSerial=device)
    with _driven(machine, start) as driver:
        yield Browser(machine, device, driver)


@dataclass(frozen=True, slots=True)
class _Start:
    """How a browser is started: a script that runs a driver on ``port``, and what the driver is told."""

    script: str
    port: int
    arguments: list[str]
    options: dict[str, str | dict[str, int]] = field(default_factory=dict)


def _port() -> int:
    first, last = _PRIVATE_PORTS
    return first + secrets.randbelow(last - first)


def _arguments(size: tuple[int, int], app: str) -> list[str]:
    given = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={size[0]},{size[1]}"]
    return [*given, f"--app={app}"] if app else given


@contextmanager
def _driven(machine: Machine, start: _Start) -> Iterator[Remote]:
    command = ["sh", "-c", start.script]
    with background.running(machine, command, ready="started successfully", seconds=_SECONDS) as program:
        if not program.started.granted:
            raise _no_browser(machine, program.started.detail)
        with machine.forward("127.0.0.1", start.port) as (host, near):
            driver = _session(machine, f"http://{host}:{near}", start)
            try:
                yield driver
            finally:
                with suppress(Exception):  # the driver's end takes the browser with it
                    driver.quit()


def _session(machine: Machine, address: str, start: _Start) -> Remote:
    from selenium import webdriver  # slow import, seldom used
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
    from selenium.webdriver.remote.client_config import ClientConfig
    from urllib3.exceptions import HTTPError

    options = webdriver.ChromeOptions()
    for argument in start.arguments:
        options.add_argument(argument)
    for name, value in start.options.items():
        options.add_experimental_option(name, value)
    connection = ChromiumRemoteConnection(
        remote_server_addr=address,
        vendor_prefix="goog",
        browser_name="chrome",
        ignore_proxy=True,  # it leads through our tunnel
        client_config=ClientConfig(remote_server_addr=address, timeout=_REQUEST),
    )
    try:
        driver = webdriver.Remote(command_executor=connection, options=options)
        driver.set_page_load_timeout(_LOADING)
        driver.set_script_timeout(_WORKER)
    except (WebDriverException, HTTPError, OSError) as error:
        raise _no_browser(machine, _first_line(error)) from error
    return driver


class Browser:
    """A browser that is open; made by ``on`` and ``on_mobile``."""

    def __init__(self, machine: Machine, place: str, driver: Remote, *, coded: bool = True) -> None:
        self._machine, self._place, self._driver, self._coded = machine, place, driver, coded

    def use(
        self, page: PageCode, account: str, password: str, word: str, *, within: float = 15.0
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
                answer = "granted" if word in text else "refused"
                detail = "" if word in text else f"{page.shows} does not show it within {within:g} s"
            except NoSuchElementException as error:
                detail = _first_line(error)
            except WebDriverException as error:
                if "net::ERR_CONNECTION_REFUSED" not in str(error):
                    raise
                answer, detail = "unavailable", "connection refused"
            source = self._driver.page_source
        evidence = self._machine.saw(
            "browser.use",
            target=page.url,
            sent=f"on {self._place}{'' if self._coded else ' (without code)'}: open {page.url}\n"
            f"{page.account_input} ← {account}\n{page.password_input} ← …\nclick {page.submit}\n"
            f"wait for {word} in {page.shows}",
            received=f"{detail}\n{page.shows}: {text}\n\n{source}".strip(),
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
            said = _first_line(error)
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


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "msg", None) or error).strip() or type(error).__name__).splitlines()[0]


def _no_browser(machine: Machine, detail: str) -> ProtocolError:
    return ProtocolError(
        Text(f"le navigateur ne démarre pas : {detail}", f"the browser does not start: {detail}"),
        where=machine.name,
        todo=Text(
            "installez Chromium et son pilote : apt install chromium chromium-driver",
            "install Chromium and its driver: apt install chromium chromium-driver",
        ),
    )
