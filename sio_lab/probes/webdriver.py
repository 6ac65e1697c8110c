"""How a browser is started on a machine of the lab, or on a mobile terminal, with the driver that commands it.

The driver (WebDriver, W3C) runs beside the browser and listens on the loopback address; we reach it by a tunnel.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sio_lab.errors import ProtocolError
from sio_lab.probes import background
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

if TYPE_CHECKING:
    from selenium.webdriver import Remote

_SECONDS = 200  # a driver that nobody ends does so by itself
_REQUEST = 60  # seconds for one command of WebDriver: a browser that starts on a busy machine takes its time
_LOADING = 20  # seconds for a page
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
end() {{
    trap '' HUP INT TERM  # timeout(1) sends its signal twice
    kill $driver $(left)
    for n in 1 2 3 4 5 6 7 8; do
        sleep 0.3; rm -rf "$home"; [ -e "$home" ] || break
        kill -9 $driver $(left)
    done
}}
driver=
trap 'end 2>/dev/null' EXIT
trap exit HUP INT TERM
as=
[ "$(id -u)" != 0 ] || {{ chown nobody "$home"; as='runuser -u nobody --'; }}
$as env HOME="$home" TMPDIR="$home" XDG_RUNTIME_DIR="$home" chromedriver --port={port} >&2 &
driver=$!
{last}
"""
_UNTIL_ENDED = "wait $driver"
# The mobile's own: it ends with its input, which the debug bridge closes when the client goes away.
_UNTIL_CLOSED = "cat >/dev/null"
# The adb server is this question's own, as in mobile.py.
_OVER_ADB = r"""
folder=$(mktemp -d) || exit 1
server=localfilesystem:$folder/adb TMPDIR=$folder
export TMPDIR
trap 'trap "" HUP INT TERM; adb -L "$server" kill-server; rm -rf "$folder"' EXIT
trap exit HUP INT TERM
timeout 10 adb -L "$server" connect {target} >&2
adb -L "$server" -s {target} forward tcp:{port} tcp:{port} >&2 || exit 1
sleep {seconds} | adb -L "$server" -s {target} shell {driver} >&2
"""
# A real phone's browser is driven from outside, by a driver that speaks to it over the same bridge.
_FOR_PHONE = r"""
trap 'trap "" HUP INT TERM; adb -P {bridge} kill-server' EXIT
trap exit HUP INT TERM
timeout 10 adb -P {bridge} connect {target} >&2
chromedriver --port={port} --adb-port={bridge} >&2
"""


@dataclass(frozen=True, slots=True)
class Start:
    """A way to start a browser.

    Attributes:
        script: what runs a driver on ``port``.
        port: port of the loopback address of the machine where the script is run.
        arguments: arguments of the browser.
        options: what the driver is told beside them.
    """

    script: str
    port: int
    arguments: list[str] = field(default_factory=list)
    options: dict[str, str | dict[str, int]] = field(default_factory=dict)


def here(*, javascript: bool, size: tuple[int, int], app: str) -> Start:
    """Return how a browser is started on the machine itself: see ``browser.on``."""
    port = _port()
    start = Start(_DRIVER.format(port=port, last=_UNTIL_ENDED), port, _arguments(size, app))
    if not javascript:
        start.options["prefs"] = _NO_CODE
    return start


def on_device(device: str, *, simulated: bool, size: tuple[int, int], app: str) -> Start:
    """Return how a browser is started on a mobile terminal, from a machine with adb: see ``browser.on_mobile``."""
    port, target = _port(), shlex.quote(device)
    if simulated:
        there = shlex.quote(_DRIVER.format(port=port, last=_UNTIL_CLOSED))
        script = _OVER_ADB.format(target=target, port=port, seconds=_SECONDS, driver=there)
        return Start(script, port, _arguments(size, app))
    phone: dict[str, str | dict[str, int]] = {
        "androidPackage": "com.android.chrome",
        "androidDeviceSerial": device,
    }
    return Start(_FOR_PHONE.format(target=target, port=port, bridge=_port()), port, options=phone)


def _port() -> int:
    first, last = _PRIVATE_PORTS
    return first + secrets.randbelow(last - first)


def _arguments(size: tuple[int, int], app: str) -> list[str]:
    given = ["--headless=new", "--disable-gpu", "--no-first-run", f"--window-size={size[0]},{size[1]}"]
    given += ["--disable-background-networking", "--disable-component-update"]
    return [*given, f"--app={app}"] if app else given


@contextmanager
def driven(machine: Machine, start: Start) -> Iterator[Remote]:
    """Start a browser from ``machine``; yield its driver. Nothing of either stays behind.

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: there is no browser, or it does not start.
    """
    command = ["sh", "-c", start.script]
    with background.running(
        machine, command, ready="ChromeDriver was started successfully", seconds=_SECONDS
    ) as program:
        if not program.started.granted:
            raise _no_browser(machine, program.started.detail)
        with machine.forward("127.0.0.1", start.port) as (host, near):
            driver = _session(machine, f"http://{host}:{near}", start)
            try:
                yield driver
            finally:
                with suppress(Exception):  # the driver's end takes the browser with it
                    driver.quit()


def _session(machine: Machine, address: str, start: Start) -> Remote:
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
        raise _no_browser(machine, first_line(error)) from error
    return driver


def first_line(error: Exception) -> str:
    """Return the first line of what an error of the driver says."""
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
