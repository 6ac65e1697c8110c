"""Ansible really run, on this machine: events become progress, failures errors, Ctrl-C an end."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import small_lab

from sio_lab import paths
from sio_lab.errors import ProvisionError
from sio_lab.lab.model import Lab
from sio_lab.providers.base import Progress, SshAccess
from sio_lab.provision import faults, inventory, run

pytestmark = pytest.mark.integration

Play = Callable[..., bool]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def small() -> Lab:
    return small_lab.changed()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An inventory of this machine under two names, and one machine that nobody answers for."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    lost = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_retries": 0}
    file = tmp_path / "hosts.json"
    file.write_text(json.dumps({"all": {"hosts": {"un": local, "deux": local, "perdue": lost}}}))
    return file


@pytest.fixture
def told() -> list[Progress]:
    return []


@pytest.fixture
def play(small: Lab, source: Path, tmp_path: Path, told: list[Progress]) -> Play:
    """Run tasks (YAML) as one play."""

    def run_it(tasks: str, hosts: str = "un", **variables: str) -> bool:
        file = tmp_path / "essai.yml"
        indented = "\n".join(f"    {line}" for line in tasks.strip().splitlines())
        file.write_text(f"- hosts: {hosts}\n  gather_facts: false\n  tasks:\n{indented}\n")
        return run.playbook(small, [file], source, told.append, variables)

    return run_it


def logs() -> list[Path]:
    return sorted((paths.state("petit") / "logs").glob("*.log"))


def test_events_become_progress(play: Play, told: list[Progress], tmp_path: Path) -> None:
    tasks = """
- name: A file
  ansible.builtin.copy: {dest: "{{ where }}", content: x, mode: "0600"}
- name: The same file
  ansible.builtin.copy: {dest: "{{ where }}", content: x, mode: "0600"}
- name: Nothing here
  ansible.builtin.command: /bin/true
  when: false
"""
    assert play(tasks, where=str(tmp_path / "made"))
    assert [(each.subject, each.step.fr, each.state) for each in told if each.state != "running"] == [
        ("un", "A file", "changed"),
        ("un", "The same file", "unchanged"),
    ]
    assert [each.step.en for each in told if each.state == "running"][:2] == ["A file", "The same file"]
    (log,) = logs()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700
    assert "TASK [The same file]" in log.read_text()
    assert log.name.endswith("-essai.log")


def test_nothing_changed(play: Play) -> None:
    assert not play("- ansible.builtin.command: /bin/true\n  changed_when: false")


def test_failure_says_machine_task_reason_and_log(play: Play, told: list[Progress]) -> None:
    with pytest.raises(ProvisionError) as caught:
        play("- name: Break\n  ansible.builtin.command: sh -c 'echo no such thing >&2; exit 3'", hosts="un:deux")
    error = caught.value
    assert error.where in ("un", "deux")
    assert "task 'Break' failed: no such thing (and 1 other machine(s))" in error.what.en
    assert "la tâche « Break »" in error.what.fr
    assert error.todo
    assert str(logs()[0]) in error.todo.en
    assert {each.subject for each in told if each.state == "failed"} == {"un", "deux"}


def test_ignored_failure_is_none(play: Play, told: list[Progress]) -> None:
    tasks = "- ansible.builtin.command: /bin/false\n  ignore_errors: true\n  changed_when: false"
    assert not play(tasks)
    assert "failed" not in {each.state for each in told}


def test_unreachable_machine(play: Play) -> None:
    with pytest.raises(ProvisionError, match="machine unreachable") as caught:
        play("- ansible.builtin.command: /bin/true", hosts="perdue")
    assert caught.value.where == "perdue"


def test_secret_of_a_failing_task_is_told_to_nobody(play: Play, told: list[Progress], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3same-ouvre-toi")
    tasks = f"""
- name: Secret
  ansible.builtin.command:
    argv: [sh, -c, "cat >&2; exit 1"]
    stdin: "{{{{ lookup('ansible.builtin.file', '{secret}') }}}}"
  no_log: true
"""
    with pytest.raises(ProvisionError) as caught:
        play(tasks)
    assert "no_log" in caught.value.what.en
    said = [str(caught.value), repr(told), *(log.read_text() for log in logs())]
    assert not [each for each in said if "s3same" in each]


def test_change_under_no_log_is_still_a_change(play: Play, told: list[Progress]) -> None:
    assert play("- name: Quiet\n  ansible.builtin.command: /bin/true\n  no_log: true")
    assert told[-1].state == "changed"


def test_playbook_that_cannot_be_read(play: Play) -> None:
    with pytest.raises(ProvisionError, match="ansible: ") as caught:
        play("- no.such.module: {}")
    assert "no.such.module" in caught.value.what.en


@pytest.fixture
def access(small: Lab, monkeypatch: pytest.MonkeyPatch) -> dict[str, SshAccess]:
    """Every machine of the lab is this one."""
    monkeypatch.setattr(
        inventory,
        "_connection",
        lambda way, config: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
    )
    return {name: SshAccess(machine=name, user="root", host=name) for name in small.machines}


def test_fault_made_and_undone(
    small: Lab, access: dict[str, SshAccess], told: list[Progress], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "dbms_odd.yml").write_text(
        "- hosts: dbms\n  gather_facts: false\n"
        "  vars:\n    fault: {fr: Drôle, en: Odd, breaks: [1.1.b]}\n"
        "  tasks:\n    - ansible.builtin.shell: "
        f"echo {{{{ inventory_hostname }}}} {{{{ fault_action }}}} >> {trace}\n"
    )
    monkeypatch.setattr(faults, "_folder", lambda: tmp_path)
    faults.break_(small, access, ["dbms_odd"], told.append)
    assert faults.repair(small, access, told.append) == ["dbms_odd"]
    assert trace.read_text().splitlines() == ["bdd break", "bdd repair"]
    assert {each.subject for each in told} == {"bdd"}


SLOW = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import small_lab
from sio_lab.provision import run

def report(progress):
    print(progress.state, flush=True)

try:
    run.playbook(small_lab.changed(), [Path(sys.argv[2])], Path(sys.argv[3]), report)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(source: Path, tmp_path: Path, number: signal.Signals) -> None:
    """The user's Ctrl-C ends Ansible, and what it was running, before it ends us."""
    mark = f"{40 + number}.{os.getpid()}"  # seconds: a command line that no other process has
    file = tmp_path / "lent.yml"
    file.write_text(
        "- hosts: un\n  gather_facts: false\n  tasks:\n"
        f"    - ansible.builtin.command: sleep {mark}\n      changed_when: false\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(Path(small_lab.__file__).parent), str(file), str(source)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "running\n"
    end = time.monotonic() + 10
    while not sleeping(mark) and time.monotonic() < end:
        time.sleep(0.05)
    assert sleeping(mark)
    process.send_signal(number)
    assert process.wait(timeout=10) == 130
    end = time.monotonic() + 5
    while sleeping(mark) and time.monotonic() < end:
        time.sleep(0.05)
    assert not sleeping(mark)


def sleeping(mark: str) -> bool:
    """Return whether the ``sleep`` of that duration runs."""
    wanted = ["sleep", mark]
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if each.read_text().split("\0")[:2] == wanted:
                return True
        except OSError:  # it just ended
            continue
    return False
