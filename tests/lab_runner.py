"""Running the command line on a lab, as a user would: shared by integration and end-to-end tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EMBEDDED = os.environ.get("SIO_LAB_TEST_LAB", "sisr")
"""The embedded lab that integration tests are about."""


@dataclass(frozen=True)
class Cli:
    """The command line, run on one lab as a user would."""

    folder: Path

    def __call__(self, command: str, *args: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run ``sio-lab COMMAND LAB ARGS`` and return what it did."""
        argv = [sys.executable, "-m", "sio_lab", "--lang", "en", command, str(self.folder), *args]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)

    def start(self, command: str, *args: str) -> subprocess.Popen[str]:
        """Start ``sio-lab COMMAND LAB ARGS`` in a process group of its own."""
        argv = [sys.executable, "-m", "sio_lab", "--lang", "en", command, str(self.folder), *args]
        return subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def document(self, *args: str) -> dict[str, Any]:
        """Audit the lab and return the audit document."""
        ran = self("check", "--format", "json", *args)
        assert ran.returncode in {0, 1, 3}, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    def audit(self, *args: str) -> dict[str, tuple[str, str]]:
        """Audit the lab and return the status of each requirement, and why."""
        return {row["id"]: (row["status"], row["reason"]["en"]) for row in self.document(*args)["requirements"]}


def copy_lab(source: str, target: Path, **keys: str) -> Path:
    """Copy a lab of the repository under another name; ``keys`` replace top-level scalars."""
    shutil.copytree(ROOT / "inventories" / source, target, ignore=shutil.ignore_patterns("reports"))
    text = (target / "lab.yml").read_text().replace("source: ../", f"source: {ROOT / 'inventories'}/")
    for key, value in keys.items():
        old = next(line for line in text.splitlines() if line.startswith(f"{key}:"))
        text = text.replace(old, f"{key}: {value}", 1)
    (target / "lab.yml").write_text(text)
    return target


def interrupt(
    process: subprocess.Popen[str], with_signal: int = signal.SIGINT, timeout: float = 60
) -> tuple[int, str]:
    """Send a signal to the process group, wait, and return the exit code and what was said."""
    os.killpg(process.pid, with_signal)
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out + err
