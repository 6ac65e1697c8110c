"""Running the checks in this very process: pytest without anything of the user's surroundings."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from sio_lab.audit.engine import Findings
from sio_lab.audit.ground import Ground
from sio_lab.audit.lab_plugin import LabPlugin
from sio_lab.errors import SioLabError
from sio_lab.providers.base import Reporter
from sio_lab.text import Text

# Those of pytest's own plugins that write files, take over the standard streams, or guard tests, not audits.
_WITHOUT = (
    "cacheprovider",
    "capture",
    "logging",
    "warnings",
    "faulthandler",
    "threadexception",
    "unraisableexception",
)
_FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


@dataclass(frozen=True, slots=True)
class Ran:
    """What an audit found, and how it went.

    Attributes:
        findings: checks, machines, traces.
        broken: checks, or files of checks, that could not be run.
        interrupted: whether the user stopped it before its end.
        abandoned: whether threads of checks that lasted too long are still there.
    """

    findings: Findings
    broken: Sequence[SioLabError]
    interrupted: bool
    abandoned: bool


def run_audit(
    ground: Ground, folders: Sequence[Path], report: Reporter, *, only: Sequence[str] = (), disrupt: bool = False
) -> Ran:
    """Run the checks of ``folders`` on ``ground``.

    Args:
        ground: the lab and the ways into it.
        folders: folders of checks, the tool's first.
        report: told of each check as it starts and ends, from any thread.
        only: requirements or sections to prove; empty for all.
        disrupt: whether checks may cut services.

    Raises:
        UsageError: ``only`` names a requirement that does not exist.
        SioLabError: the checks could not be begun.
    """
    folders = [folder.absolute() for folder in folders]
    plugin = LabPlugin(
        ground.lab, lambda: nullcontext(ground), folders=folders, only=only, disrupt=disrupt, report=report
    )
    said = io.StringIO()
    interrupted = False
    with _apart(folders), redirect_stdout(said):
        try:
            code = pytest.main(_arguments(folders), plugins=[plugin])
            interrupted = code == pytest.ExitCode.INTERRUPTED
        except KeyboardInterrupt:
            interrupted = True
    if not plugin.begun and not interrupted:
        raise SioLabError(
            Text("les contrôles n'ont pas pu commencer", "the checks could not be begun"),
            where=", ".join(map(str, folders)),
            todo=Text.same(said.getvalue().strip()[-500:]),
        )
    return Ran(plugin.findings(), [broken.error for broken in plugin.broken], interrupted, plugin.abandoned)


def _arguments(folders: Sequence[Path]) -> list[str]:
    first, last = folders[0], folders[-1]
    return [
        *map(str, folders),
        f"--rootdir={first.parent}",
        f"--config-file={os.devnull}",
        f"--confcutdir={last}",
        "--import-mode=importlib",
        "--continue-on-collection-errors",
        "--strict-markers",
        "-p",
        "sio_lab.audit.plugin",
        "--no-header",
        "--no-summary",
        *(word for name in _WITHOUT for word in ("-p", f"no:{name}")),
    ]


@contextmanager
def _apart(folders: Sequence[Path]) -> Iterator[None]:
    """Keep pytest from what surrounds us, and what surrounds us from pytest."""
    environment, bytecode = dict(os.environ), sys.dont_write_bytecode
    for name in _FOREIGN:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.dont_write_bytecode = bytecode
        _restore(environment)
        inside = tuple(f"{folder}{os.sep}" for folder in folders)
        for name, module in list(sys.modules.items()):
            # Checks are read again by the next audit: their files may have changed.
            if (getattr(module, "__file__", None) or "").startswith(inside):
                del sys.modules[name]


def _restore(environment: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
