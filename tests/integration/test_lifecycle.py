"""A small lab brought up, broken off, brought up again, reset and removed: what is left, and what is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_runner import Cli, interrupt

from sio_lab import paths
from sio_lab.providers.incus_api import Api
from sio_lab.providers.incus_plan import bridge

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent


def small(folder: Path, name: str, **changes: str) -> Cli:
    """Write the small lab as ``name``; ``changes`` replace words of it."""
    text = (HERE / "small.yml").read_text().replace("NAME", name)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / "lab.yml").write_text(text)
    return Cli(folder)


def shell(lab: Cli, machine: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run ``command`` on ``machine``, past sio-lab."""
    project = f"sio-{name_of(lab)}"
    return subprocess.run(
        ["incus", "exec", machine, "--project", project, "--", "sh", "-c", command],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def name_of(lab: Cli) -> str:
    return (lab.folder / "lab.yml").read_text().split("lab: ")[1].split("\n")[0]


def left_of(name: str) -> list[str]:
    """Return whatever is left of a lab: project, bridges, state, processes."""
    api = Api()
    projects = [url for url in api.request("GET", "/1.0/projects") if url.endswith(f"/sio-{name}")]
    networks = [n for n, network in api.networks().items() if network.config.get("user.sio-lab.lab") == name]
    bridges = [b for b in (bridge(name, "users"), bridge(name, "servers")) if Path("/sys/class/net", b).exists()]
    marks = f"/labs/{name}/".encode()
    processes = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.exists() and marks in path.read_bytes() and int(path.parent.name) != os.getpid()
    ]
    state = [str(paths.state_path(name))] if paths.state_path(name).exists() else []
    return [*projects, *networks, *bridges, *processes, *state]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    made = small(tmp_path_factory.mktemp("life"), f"it-{os.getpid()}-a"[:20])
    up = made("up")
    assert up.returncode == 0, up.stdout + up.stderr
    yield made
    down = made("down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert left_of(name_of(made)) == []


def test_second_up_changes_nothing_and_says_so(lab: Cli) -> None:
    again = lab("up")
    assert again.returncode == 0, again.stderr
    assert "nothing changed" in again.stdout
    assert "✔" not in again.stderr


def test_status(lab: Cli) -> None:
    told = lab("status").stdout
    assert told.count("running") == 3
    assert "10.99.1.10" in told


def test_lab_is_cut_off_from_the_host_and_the_world(lab: Cli) -> None:
    """Neither an address of the host, nor a way out, nor a name server; and the host has no address there."""
    addresses = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    for perimeter in ("users", "servers"):
        assert f": {bridge(name_of(lab), perimeter)} " not in addresses
    own = [word for line in addresses.splitlines() if " inet " in line for word in line.split()[3:4]]
    reached = []
    for address in {entry.split("/")[0] for entry in own if not entry.startswith("127.")}:
        tried = shell(lab, "poste", f"ping -c1 -W1 {address}; timeout 2 sh -c 'echo >/dev/tcp/{address}/22'")
        if tried.returncode == 0:
            reached.append(address)
    assert reached == []
    assert shell(lab, "poste", "ping -c1 -W1 192.0.2.1").returncode != 0
    assert shell(lab, "poste", "getent hosts deb.debian.org").returncode != 0


def test_flow_matrix_holds(lab: Cli) -> None:
    opened = "timeout 3 bash -c '</dev/tcp/10.99.2.10/22'"
    assert shell(lab, "poste", opened).returncode == 0
    assert shell(lab, "poste", "ping -c1 -W1 10.99.2.10").returncode != 0
    assert shell(lab, "srv", "timeout 3 bash -c '</dev/tcp/10.99.1.10/22'").returncode != 0


def test_reset_brings_back_files_and_machines(lab: Cli) -> None:
    assert shell(lab, "srv", "echo x >/root/trace; rm /etc/hosts; sync").returncode == 0
    assert shell(lab, "poste", "systemctl disable ssh").returncode == 0
    start = time.monotonic()
    reset = lab("reset")
    assert reset.returncode == 0, reset.stderr
    assert time.monotonic() - start < 30
    assert shell(lab, "srv", "[ ! -e /root/trace ] && [ -s /etc/hosts ]").returncode == 0
    assert shell(lab, "poste", "systemctl is-enabled ssh").stdout.strip() == "enabled"
    assert "nothing changed" in lab("up").stdout


def test_reset_of_one_machine_leaves_the_others(lab: Cli) -> None:
    for machine in ("srv", "poste"):
        shell(lab, machine, "echo x >/root/trace; sync")
    assert lab("reset", "srv").returncode == 0
    assert shell(lab, "srv", "cat /root/trace").returncode != 0
    assert shell(lab, "poste", "cat /root/trace; rm /root/trace").stdout == "x\n"


def test_stopped_machine_is_started_again(lab: Cli) -> None:
    subprocess.run(["incus", "stop", "-f", "srv", "--project", f"sio-{name_of(lab)}"], check=True, timeout=60)
    assert "stopped" in lab("status").stdout
    up = lab("up")
    assert up.returncode == 0, up.stderr
    assert lab("status").stdout.count("running") == 3


def test_two_runs_at_once(lab: Cli) -> None:
    first = lab.start("reset")
    deadline = time.monotonic() + 20
    lock = paths.state_path(name_of(lab)) / "lock"
    while '"reset"' not in (lock.read_text() if lock.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.02)
    second = lab("up")
    assert first.wait(timeout=60) == 0
    assert second.returncode == 70
    assert "this lab is busy with sio-lab reset" in second.stderr


def test_changed_host_key_stops_the_checks_of_that_machine(lab: Cli) -> None:
    remake = "cd /etc/ssh && rm ssh_host_ed25519_key* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key"
    assert shell(lab, "srv", f"{remake} && systemctl restart ssh").returncode == 0
    try:
        audit = lab("check", "--only", "1.1.e")
    finally:
        assert lab("reset", "srv").returncode == 0
    assert audit.returncode == 3
    assert "host key" in audit.stdout
    assert "Traceback" not in audit.stderr


def test_unreachable_machine_is_unverified(lab: Cli) -> None:
    shell(lab, "srv", "systemctl stop ssh ssh.socket")
    try:
        start = time.monotonic()
        audit = lab("check", "--only", "1.1.e")
        assert time.monotonic() - start < 30
    finally:
        assert lab("reset", "srv").returncode == 0
    assert audit.returncode == 3
    assert "1.1.e\tnot verified" in audit.stdout


def test_two_labs_side_by_side_on_the_same_networks(lab: Cli, tmp_path: Path) -> None:
    other = small(tmp_path / "other", f"it-{os.getpid()}-b"[:20])
    try:
        up = other("up")
        assert up.returncode == 0, up.stderr
        shell(other, "srv", "echo other >/root/trace")
        assert shell(lab, "srv", "cat /root/trace").returncode != 0
        reached = shell(other, "poste", "timeout 3 bash -c '</dev/tcp/10.99.2.10/22'")
        assert reached.returncode == 0
    finally:
        down = other("down")
    assert down.returncode == 0, down.stderr
    assert left_of(name_of(other)) == []
    assert lab("status").stdout.count("running") == 3


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("delay", [1.0, 4.0])
def test_interrupted_up_resumes(tmp_path: Path, with_signal: int, delay: float) -> None:
    lab = small(tmp_path / "lab", f"it-{os.getpid()}-{with_signal}{int(delay)}"[:20])
    try:
        running = lab.start("up")
        time.sleep(delay)
        code, said = interrupt(running, with_signal)
        assert code in {130, -signal.SIGKILL, 0}, said  # 0: it was quicker than we
        assert "Traceback" not in said
        up = lab("up")
        assert up.returncode == 0, up.stdout + up.stderr
        assert "nothing changed" in lab("up").stdout
    finally:
        down = lab("down")
    assert down.returncode == 0, down.stderr
    assert left_of(name_of(lab)) == []


def test_down_of_a_lab_that_never_was(tmp_path: Path) -> None:
    lab = small(tmp_path / "lab", f"it-{os.getpid()}-n"[:20])
    down = lab("down")
    assert down.returncode == 0, down.stderr
    assert "nothing to remove" in down.stdout
    assert left_of(name_of(lab)) == []


def test_check_of_a_lab_that_never_was(tmp_path: Path) -> None:
    lab = small(tmp_path / "lab", f"it-{os.getpid()}-n"[:20])
    audit = lab("check")
    assert audit.returncode in {2, 70}
    assert "sio-lab up" in audit.stderr
    assert left_of(name_of(lab)) == []


def test_changed_lab_file_is_followed(tmp_path: Path) -> None:
    """A machine whose address changes is made again, one that leaves goes, memory changes in place."""
    lab = small(tmp_path / "lab", f"it-{os.getpid()}-c"[:20])
    try:
        assert lab("up").returncode == 0
        file = lab.folder / "lab.yml"
        text = file.read_text().replace("10.99.2.10}}", "10.99.2.20}, memory: 256MiB}")
        file.write_text(text.replace("  poste: {kind: terminal, addresses: {users: 10.99.1.10}}\n", ""))
        up = lab("up")
        assert up.returncode == 0, up.stderr
        assert "poste: removed" in up.stderr
        assert "srv: machine made again" in up.stderr
        assert "10.99.2.20" in shell(lab, "srv", "ip -o addr").stdout
        assert "fw: machine in place" in up.stderr
    finally:
        assert lab("down").returncode == 0
    assert left_of(name_of(lab)) == []


def test_not_root() -> None:
    """Somebody else than root is told what to do, in one line, without a traceback."""
    # The checkout and its environment may lie below /root, which nobody else enters: only the rights are dropped.
    program = (
        "import os, sys\n"
        "from sio_lab import cli\n"
        "from sio_lab.setup import host\n"
        "host.is_root = lambda: False\n"
        "cli.main(['--lang', 'fr', 'setup'])\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 70
    assert "droits de root" in told.stderr
    assert "sudo" in told.stderr
    assert "Traceback" not in told.stderr


def told_with(lab: Cli, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in another environment."""
    return subprocess.run(
        [sys.executable, "-m", "sio_lab", "--lang", "fr", command, str(lab.folder)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", ["up", "status", "reset", "check", "down"])
def test_no_daemon(tmp_path: Path, command: str) -> None:
    lab = small(tmp_path / "lab", "nowhere")
    told = told_with(lab, command, INCUS_SOCKET=str(tmp_path / "none"), XDG_STATE_HOME=str(tmp_path / "state"))
    assert told.returncode == 70, told.stdout + told.stderr
    assert "Incus ne répond pas" in told.stderr
    assert "sio-lab setup" in told.stderr
    assert "Traceback" not in told.stderr
    left = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and command != "up"]
    assert left == []


def test_full_disk(tmp_path: Path) -> None:
    """No room for the lab's state: said in one line; with room, the same command goes on."""
    lab = small(tmp_path / "lab", f"it-{os.getpid()}-f"[:20])
    state = tmp_path / "state"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(state)]
    subprocess.run(mount, check=True, timeout=10)
    try:
        full = told_with(lab, "up", XDG_STATE_HOME=str(state))
        assert full.returncode == 70, full.stdout + full.stderr
        assert "No space left on device" in full.stderr
        assert "libérez de la place" in full.stderr
        assert "Traceback" not in full.stderr
        subprocess.run(["mount", "-o", "remount,size=10m", str(state)], check=True, timeout=10)
        up = told_with(lab, "up", XDG_STATE_HOME=str(state))
        assert up.returncode == 0, up.stderr
    finally:
        down = told_with(lab, "down", XDG_STATE_HOME=str(state))
        subprocess.run(["umount", str(state)], check=True, timeout=10)
    assert down.returncode == 0, down.stderr
    assert left_of(name_of(lab)) == []
