"""Ansible, run in-process through ansible-runner: its events become progress, its failures errors."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sio_lab import paths
from sio_lab.errors import ProvisionError
from sio_lab.lab.model import Lab
from sio_lab.providers.base import Progress, Reporter, SshAccess
from sio_lab.provision import inventory, roles
from sio_lab.provision.secrets import Secrets
from sio_lab.text import Text

_LOGS_KEPT = 20
_SILENT = {"include_role", "ansible.builtin.include_role"}  # a step on the way, not something that is done
_PRINTED_CHANGE = re.compile(r"^changed: \[", re.MULTILINE)
_POLL = 0.5  # seconds between two looks at a request to stop
_LEAVE = 5.0  # seconds for ansible-playbook to end what it runs before it is killed


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that failed on a machine.

    Attributes:
        machine: where.
        task: name of the task, its role before it.
        reason: what the module said, shortened.
        unreachable: the machine did not answer at all.
    """

    machine: str
    task: str
    reason: str
    unreachable: bool


def site(
    lab: Lab,
    access: Mapping[str, SshAccess],
    secrets: Secrets,
    report: Reporter,
    *,
    machines: Collection[str] | None = None,
    only_roles: Collection[str] | None = None,
) -> bool:
    """Provision the machines of ``lab``.

    Args:
        lab: the lab.
        access: how to reach each machine.
        secrets: the lab's secrets.
        report: told of each task as it starts and ends.
        machines: the only machines to provision; default: all.
        only_roles: the only roles to run beyond ``common``; default: all.

    Returns:
        Whether anything changed.

    Raises:
        LabFileError: a role does not exist.
        ProvisionError: a task failed, or a machine could not be reached.
        KeyboardInterrupt: the user asked to stop; Ansible was stopped first.
    """
    roles.check(lab)
    source = inventory.write(lab, access, secrets, machines=machines, only_roles=only_roles)
    return playbook(lab, [paths.data("playbooks", "site.yml")], source, report)


def playbook(
    lab: Lab, files: Sequence[Path], source: Path, report: Reporter, variables: Mapping[str, str] | None = None
) -> bool:
    """Run the playbooks ``files`` in turn on the inventory ``source``; return whether anything changed.

    Args:
        lab: whose state folder keeps the log.
        files: the playbooks, one at least; a machine where one fails is left out of those that follow.
        source: inventory written by ``inventory.write``.
        report: told of each task as it starts and ends.
        variables: extra variables; they are seen in the process list, so never a secret.

    Raises:
        ProvisionError: a task failed, or a machine could not be reached.
        KeyboardInterrupt: the user asked to stop; Ansible was stopped first.
    """
    import ansible_runner

    events = _Events(report)
    log = _new_log(lab, files[0].stem)
    # A short path: a unix socket's has 107 characters at most (unix(7)), and ssh adds some of its own.
    with tempfile.TemporaryDirectory(prefix="sio-") as scratch, _asked_to_stop() as stop:
        result = ansible_runner.run(
            private_data_dir=str(inventory.folder(lab)),
            project_dir=str(files[0].parent),
            artifact_dir=f"{scratch}/artifacts",
            ident="run",
            playbook=str(_in_turn(files, Path(scratch))),
            inventory=str(source),
            extravars=dict(variables or {}),
            envvars=_environment(scratch),
            settings={"pexpect_timeout": _POLL},
            quiet=True,
            event_handler=events,
            cancel_callback=lambda: stop.is_set() and _ended(events.pid),
        )
        stdout = Path(scratch, "artifacts", "run", "stdout")
        if stdout.exists():
            shutil.copyfile(stdout, log)
    if stop.is_set():
        raise KeyboardInterrupt
    if events.failures or result.rc != 0:
        raise _error(events.failures, log)
    return events.changed


def _in_turn(files: Sequence[Path], scratch: Path) -> Path:
    """Return one playbook for all: Ansible takes longer to start than most of them to run."""
    if len(files) == 1:
        return files[0]
    whole = scratch / "all.yml"
    whole.write_text(json.dumps([{"ansible.builtin.import_playbook": str(file)} for file in files]))
    return whole


@dataclass(slots=True)
class _Events:
    """Turns ansible-runner's events into progress, and remembers what matters at the end."""

    report: Reporter
    pid: int | None = None  # of ansible-playbook, once it speaks
    changed: bool = False
    failures: list[Failure] = field(default_factory=list)

    def __call__(self, event: dict[str, Any]) -> bool:
        """Take one event; return whether ansible-runner should keep it in a file: never."""
        self.pid = event.get("pid", self.pid)
        kind, data = event.get("event", ""), event.get("event_data", {})
        machine, step = data.get("host"), _step(data)
        if kind == "playbook_on_stats":
            self.changed |= any(data.get("changed", {}).values())
        if not machine or data.get("task_action") in _SILENT:
            return False
        result = data.get("res") or {}
        if kind == "runner_on_start":
            self.report(Progress(machine, step, "running"))
        elif kind == "runner_on_ok":
            # Under no_log the result is withheld; the line that Ansible prints still tells.
            changed = bool(result.get("changed")) or _PRINTED_CHANGE.search(event.get("stdout", "")) is not None
            self.report(Progress(machine, step, "changed" if changed else "unchanged"))
        elif kind in {"runner_on_failed", "runner_on_unreachable"} and not data.get("ignore_errors"):
            unreachable = kind == "runner_on_unreachable"
            self.failures.append(Failure(machine, step.en, _reason(result), unreachable))
            self.report(Progress(machine, step, "failed"))
        return False


def _step(data: Mapping[str, Any]) -> Text:
    role, task = data.get("role"), data.get("task", "")
    return Text.same(f"{role} : {task}" if role else str(task))


def _reason(result: Mapping[str, Any]) -> str:
    """Return the most telling words of a module's result."""
    for key in ("censored", "stderr", "msg", "module_stderr", "stdout"):
        words = str(result.get(key) or "").strip()
        if words:
            return words[-600:]
    failed = [item for item in result.get("results", []) if isinstance(item, dict) and item.get("failed")]
    return _reason(failed[0]) if failed else "?"


def _error(failures: list[Failure], log: Path) -> ProvisionError:
    todo = Text(
        f"tout est dans {log} ; une fois la cause levée, relancez la même commande : elle reprend",
        f"all of it is in {log}; once the cause is gone, run the same command again: it resumes",
    )
    if not failures:  # Ansible itself gave up before its first task
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return ProvisionError(Text.same("ansible: " + "\n".join(lines[-5:])), todo=todo)
    first, others = failures[0], {failure.machine for failure in failures[1:]} - {failures[0].machine}
    more = Text(f" (et {len(others)} autre(s) machine(s))", f" (and {len(others)} other machine(s))")
    if first.unreachable:
        what = Text(f"machine injoignable : {first.reason}", f"machine unreachable: {first.reason}")
    else:
        what = Text(
            f"échec de la tâche « {first.task} » : {first.reason}", f"task '{first.task}' failed: {first.reason}"
        )
    if others:
        what = Text(what.fr + more.fr, what.en + more.en)
    return ProvisionError(what, where=first.machine, todo=todo)


def _environment(scratch: str) -> dict[str, str]:
    return {
        "ANSIBLE_HOST_KEY_CHECKING": "True",  # ansible-runner would turn it off, over our ssh_config's head
        "ANSIBLE_CONFIG": str(paths.data("playbooks", "ansible.cfg")),
        "ANSIBLE_LOCAL_TEMP": f"{scratch}/local",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{scratch}/cp",
        "ANSIBLE_NOCOLOR": "1",
        # Beside our interpreter, which may not be on PATH; UTF-8 or Ansible refuses to start.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def _new_log(lab: Lab, name: str) -> Path:
    """Return the file of a new log, readable by its owner alone; the oldest ones go."""
    folder = paths.state(lab.lab) / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[: -_LOGS_KEPT + 1]:
        old.unlink()
    log = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{name}.log"
    log.touch(mode=0o600)
    return log


def _ended(pid: int | None) -> bool:
    """Ask ansible-playbook to end, and wait for it; return true: the runner kills what is left.

    Its workers are in sessions of their own (ansible.executor.process.worker): only their parent passes a
    signal on to them, and the runner's SIGKILL alone would leave them to run.
    """
    if pid is not None:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + _LEAVE
            # Not reaped here: its exit status is the runner's to read.
            while not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) and time.monotonic() < end:
                time.sleep(0.05)
    return True


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C or SIGTERM sets while the block lasts.

    ansible-playbook runs on a terminal of its own: the user's Ctrl-C reaches us alone, and the runner, which
    looks at this event, ends the whole process group. Without it the runner would take the signals for good.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # signals belong to the main thread
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: asked.set())
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
