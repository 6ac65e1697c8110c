"""Incus' daemon: whether it answers, starting it, also where no systemd does, and stopping it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from sio_lab.errors import ProviderError, SetupError
from sio_lab.providers.incus_api import Api
from sio_lab.providers.processes import running
from sio_lab.setup import host
from sio_lab.text import Text

LOG = Path("/var/log/incus/incus.log")
_QUICK = 5.0  # seconds for a daemon that runs to answer
_STALE = 20.0  # seconds after which one that does not is taken for stuck
_START = 90.0  # seconds: at its first start it prepares its database


def answers(within: float = _QUICK) -> bool:
    """Return whether the daemon answers ``within`` seconds."""
    try:
        Api().request("GET", "/1.0", deadline=within)
    except ProviderError:
        return False
    return True


def processes() -> list[int]:
    """Return the daemons that run: those of the host, not the helpers that they start (``incusd forkproxy``)."""
    return [
        number
        for number, argv in running()
        if Path(argv[0].decode(errors="replace")).name == "incusd" and not argv[1].startswith(b"fork")
    ]


def start() -> bool:
    """Start the daemon unless it answers; one that runs without answering is ended first.

    Returns:
        Whether it had to be started.

    Raises:
        SetupError: it does not answer; the error says where its log is.
    """
    if answers():
        return False
    if processes() and answers(_STALE):
        return False
    if host.has_systemd():
        _run("systemctl", "enable", "--quiet", "incus.service", "incus.socket")
        _run("systemctl", "restart", "incus.socket", "incus.service")
    else:
        _end(processes(), signal.SIGTERM)
        _by_hand()
    until = time.monotonic() + _START
    while time.monotonic() < until:
        if answers():
            return True
        time.sleep(0.2)
    raise SetupError(
        Text("Incus démarre mais ne répond pas", "Incus starts but does not answer"),
        todo=Text(f"voyez {_log()}", f"see {_log()}"),
    )


def stop() -> bool:
    """Stop the daemon and, cleanly, every container; return whether it ran."""
    running = processes()
    if host.has_systemd():
        if running:
            _run("systemctl", "stop", "incus.service", "incus.socket")
        return bool(running)
    _end(running, signal.SIGPWR)  # to incusd: stop the instances too (incus admin shutdown)
    return bool(running)


def _by_hand() -> None:
    program = host.find("incusd")
    if program is None:
        raise SetupError(
            Text("Incus n'est pas installé", "Incus is not installed"),
            todo=Text("sio-lab setup l'installe", "sio-lab setup installs it"),
        )
    LOG.parent.mkdir(parents=True, exist_ok=True)
    subprocess.Popen(
        [program, "--group", "incus-admin", "--logfile", str(LOG)],
        env=os.environ | {"PATH": f"{Path(program).parent}:/usr/sbin:/usr/bin:/sbin:/bin"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(running: list[int], how: signal.Signals) -> None:
    """End processes with ``how``, and with SIGKILL those that do not mind."""
    for number in (how, signal.SIGKILL):
        for process in running:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        until = time.monotonic() + (60 if how is signal.SIGPWR else _QUICK)
        while time.monotonic() < until and set(running) & set(processes()):
            time.sleep(0.1)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise SetupError(
            Text(f"{' '.join(argv)} a échoué : {said}", f"{' '.join(argv)} failed: {said}"),
            todo=Text(f"voyez {_log()}", f"see {_log()}"),
        )


def _log() -> str:
    return "journalctl -u incus" if host.has_systemd() else str(LOG)
