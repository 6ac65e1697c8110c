from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from loopback import closed_port
from sshd import SSHD, Sshd, access, deaf_port, sshd
from threads import end_of_all_but

from sio_lab.errors import IdentityError, ProbeTimeout, ProtocolError, Unreachable
from sio_lab.probes import ssh_shell
from sio_lab.probes.ssh import Sessions, SshSession, connect


@pytest.fixture(scope="module", params=["dash", "bash", "busybox"])
def shell(request: pytest.FixtureRequest, folder: Path) -> Iterator[SshSession]:
    """A session whose ``sh`` is that one."""
    program = Path("/bin") / request.param
    if not program.exists():
        pytest.skip(f"no {request.param} here")
    with sshd(folder, programs=_programs(folder / request.param, program)) as running:
        session = connect(running.access)
        yield session
        session.close()


def _programs(folder: Path, sh: Path | str) -> Path:
    folder.mkdir()
    if isinstance(sh, Path):
        (folder / "sh").symlink_to(sh)
    else:
        (folder / "sh").write_text(sh)
        (folder / "sh").chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("command", "stdin", "expected"),
    [
        ("echo out; echo err >&2", "", (0, "out\n", "err\n")),
        ("exit 3", "", (3, "", "")),
        ("printf 'no newline'", "", (0, "no newline", "")),
        ("cat", "two\nlines '\" \\ $HOME `id`", (0, "two\nlines '\" \\ $HOME `id`", "")),
        ("cat", "nul \0 back\\slash \\0101", (0, "nul \0 back\\slash \\0101", "")),
        ("cat", "caf\u00e9 \udcff", (0, "caf\u00e9 \udcff", "")),
        ("printf '\\377\\000'", "", (0, "\udcff\0", "")),
        ("cat", "", (0, "", "")),
        ("# nothing", "", (0, "", "")),
        ("echo 'it''s'\necho \"two\"", "", (0, "its\ntwo\n", "")),
        ("true", "x" * 300_000, (0, "", "")),
        ("wc -c", "x" * 300_000, (0, "300000\n", "")),
    ],
)
def test_run(shell: SshSession, command: str, stdin: str, expected: tuple[int, str, str]) -> None:
    assert shell.run(command, stdin=stdin) == expected


def test_a_command_does_nothing_to_the_next(shell: SshSession) -> None:
    home = shell.run("pwd")
    for command in (
        "cd /tmp; A=1; export A; umask 0",
        "set -e; false; echo no",
        "trap 'echo bye' EXIT; exit 4",
        "exec true",
        "if",
        "echo ${",
        "set -u; echo $nothing",
        "exec <&- >&- 2>&-",
        "alias echo=false; f() { :; }; readonly B=2",
        "exec 3>/dev/null",
    ):
        shell.run(command)
        assert shell.run("pwd; B=3; echo $A$B") == (0, f"{home[1]}3\n", "")


def test_output_cannot_pretend_to_be_the_end(shell: SshSession) -> None:
    fake = f"{secrets.token_hex(16)} 0\n"
    assert shell.run(f"printf '%s' '{fake}'; printf '%s' '{fake}' >&2; exit 5") == (5, fake, fake)
    _, out, _ = shell.run("set; env; cat /proc/$$/cmdline /proc/$$/environ /proc/self/cmdline; ls -l /proc/$$/fd")
    assert not re.search("[0-9a-f]{32}", out)


def test_input_in_no_process_list(shell: SshSession) -> None:
    secret = f"pass-{secrets.token_hex(6)}"
    _, out, _ = shell.run("cat /proc/[0-9]*/cmdline; cat >/dev/null", stdin=secret)
    assert "sshd" in out
    assert secret not in out


def test_large_outputs_are_cut_and_say_so(session: SshSession) -> None:
    status, out, err = session.run("head -c 5000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero >&2; exit 7")
    assert (status, len(out), out[:1]) == (7, 1 << 20, "x")
    assert "stdout cut at 1048576 bytes" in err
    assert "stderr cut" in err


def test_deadline_kills_the_command_and_its_children(shell: SshSession) -> None:
    mark = f"9{secrets.randbelow(10**8):08}"
    start = time.monotonic()
    with pytest.raises(ProbeTimeout, match=r"longer than 0\.2 s"):
        shell.run(f"(sleep {mark} & timeout 99 sleep {mark}); sleep {mark}", deadline=0.2)
    assert time.monotonic() - start < 5
    assert f"sleep\0{mark}\0" not in {_read(file) for file in Path("/proc").glob("[0-9]*/cmdline")}
    assert shell.run("echo usable")[1] == "usable\n"


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # it ended meanwhile
        return ""


def test_what_is_left_running_does_not_write_into_the_next(session: SshSession) -> None:
    session.run("(sleep 0.1; echo late) &")
    session.run("true")
    assert session.run("sleep 0.2; echo mine") == (0, "mine\n", "")
    session.run("sh -c '(sleep 0.05; echo late) &'")
    time.sleep(0.1)
    assert session.run("echo mine") == (0, "mine\n", "")


def test_a_killed_shell_is_not_the_machine(session: SshSession) -> None:
    with pytest.raises(ProtocolError, match="killed"):
        session.run("kill -9 $$; sleep 0.1")
    assert session.run("echo back")[1] == "back\n"


@pytest.mark.parametrize("sessions", ["10", "2"])
def test_many_threads(folder: Path, sessions: str) -> None:
    def work(number: int) -> bool:
        told = [session.run(f"echo {number}; cat >&2", stdin=str(turn)) for turn in range(9)]
        return told == [(0, f"{number}\n", str(turn)) for turn in range(9)]

    with sshd(folder, {"MaxSessions": sessions}) as running, ThreadPoolExecutor(12) as pool:
        session = connect(running.access)
        assert all(pool.map(work, range(12)))
        session.close()


def test_identity(session: SshSession, folder: Path) -> None:
    said = subprocess.run(["ssh-keygen", "-lf", folder / "host"], capture_output=True, text=True, check=True)
    assert session.host_key_fingerprint == said.stdout.split()[1]
    assert session.greeting.startswith("SSH-2.0-OpenSSH")


def test_changed_host_key(server: Sshd, folder: Path) -> None:
    session = connect(access(folder, port=server.access.port, host_key=(folder / "user.pub").read_text()))
    for _ in range(2):
        with pytest.raises(IdentityError, match="has changed") as caught:
            session.run("true")
        assert caught.value.todo


@pytest.mark.parametrize(
    ("known", "error"), [("", "unknown host key"), ("user.pub", "has changed"), ("host.pub", "")]
)
def test_known_hosts_of_the_user(
    server: Sshd, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str, error: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    if known:
        line = f"[127.0.0.1]:{server.access.port} {(folder / known).read_text()}"
        (tmp_path / ".ssh" / "known_hosts").write_text(line)
    session = connect(access(folder, port=server.access.port, host_key=None))
    if error:
        with pytest.raises(IdentityError, match=error):
            session.run("true")
    else:
        assert session.run("true")[0] == 0
    session.close()


def test_key_that_is_not_accepted(server: Sshd, folder: Path) -> None:
    with pytest.raises(Unreachable, match="does not accept the key"):
        connect(access(folder, port=server.access.port, identity_file=folder / "host")).run("true")
    with pytest.raises(Unreachable, match="private key"):
        connect(access(folder, port=server.access.port, identity_file=folder / "none")).run("true")


def test_silent_machine_costs_one_timeout(folder: Path) -> None:
    with deaf_port() as port, ThreadPoolExecutor(8) as pool:
        session = connect(access(folder, port=port), timeout=0.3)
        start = time.monotonic()
        errors = [pool.submit(session.run, "true").exception() for _ in range(8)]
        assert 0.25 < time.monotonic() - start < 1.5
        assert {str(error) for error in errors} == {"srv: the machine does not answer over SSH (0.3 s)"}
        start = time.monotonic()
        with pytest.raises(Unreachable), session.forward("localhost", 1):
            pass
        assert time.monotonic() - start < 0.2


def test_machine_that_accepts_but_says_nothing(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        start = time.monotonic()
        with pytest.raises(Unreachable, match=r"does not answer over SSH \(0.2 s\)"):
            connect(access(folder, port=mute.getsockname()[1]), timeout=0.2).run("true")
        assert time.monotonic() - start < 1.5


def test_nothing_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="refused"):
        connect(access(folder, port=closed_port())).run("true")
    with pytest.raises(Unreachable, match="No such file"):
        connect(access(folder, unix_socket=tmp_path / "none")).run("true")
    with pytest.raises(Unreachable, match="not exist"):
        Sessions({}).session("ghost")


def test_connection_lost_and_had_again(server: Sshd) -> None:
    session = connect(server.access)
    with pytest.raises(Unreachable, match="lost while"):
        session.run("kill -9 $PPID; sleep 1")
    assert session.run("echo back")[1] == "back\n"
    assert [retry.succeeded for retry in session.reconnections] == [True]
    session.close()
    with pytest.raises(Unreachable, match="closed"):
        session.run("true")


def test_machine_that_dies(folder: Path) -> None:
    with sshd(folder) as running:
        session = connect(running.access)
        parent = int(session.run("echo $PPID")[1])
        running.stop()
        os.kill(parent, signal.SIGKILL)
        for _ in range(3):
            with pytest.raises(Unreachable, match="lost"):
                session.run("true")
        assert [retry.succeeded for retry in session.reconnections] in ([False], [])
        with sshd(folder, {"Port": str(running.access.port)}):
            session.renew()
            assert session.run("echo back")[1] == "back\n"
            session.close()


def test_machine_that_freezes(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_shell, "_KILLING", 0.2)
    session = connect(server.access)
    frozen = int(session.run("echo $PPID")[1])
    os.kill(frozen, signal.SIGSTOP)
    try:
        with pytest.raises(Unreachable, match="no longer answers"):
            session.run("true", deadline=0.2)
        assert session.run("echo back")[1] == "back\n"
    finally:
        os.kill(frozen, signal.SIGKILL)
        session.close()


def test_no_posix_shell(folder: Path) -> None:
    """As Windows' OpenSSH, whose shell has no sh."""
    nothing = "#!/bin/bash\necho \"'sh' is not recognized\" >&2; exit 1\n"
    with sshd(folder, programs=_programs(folder / "nothing", nothing)) as running:
        session = connect(running.access)
        assert session.run("cat; echo err >&2; exit 3", stdin="in") == (3, "in", "err\n")
        assert session.run("wc -c", stdin="x" * 3_000_000)[1] == "3000000\n"
        with pytest.raises(ProbeTimeout):
            session.run("sleep 9", deadline=0.2)
        session.close()


def test_sudo(folder: Path) -> None:
    programs = _programs(folder / "sudo-programs", Path("/bin/sh"))
    sudo = programs / "sudo"
    sudo.write_text('#!/bin/sh\n[ "$1 $2" = "-n --" ] && shift 2 && ROOT=1 exec "$@"\n')
    sudo.chmod(0o755)
    user = access(folder).user
    with sshd(folder, programs=programs) as running:
        session = connect(access(folder, port=running.access.port, become=True))
        session._shells._prefix = "sudo -n -- "  # which root has no need of
        assert session.run("echo $ROOT")[1] == "1\n"
        session.renew()
        sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
        with pytest.raises(ProtocolError, match="password is required") as caught:
            session.run("true")
        assert caught.value.todo
        assert user in caught.value.todo.en
        session.close()


def test_unix_socket(folder: Path, server: Sshd, tmp_path: Path) -> None:
    assert SSHD
    before = set(threading.enumerate())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "ssh"))
        listener.listen()
        sessions = Sessions({"srv": access(folder, unix_socket=tmp_path / "ssh")})
        with ThreadPoolExecutor(1) as pool:
            ran = pool.submit(sessions.session("srv").run, "echo over a socket")
            with listener.accept()[0] as machine:
                process = subprocess.Popen(
                    [SSHD, "-i", "-f", server.config], stdin=machine, stdout=machine, stderr=subprocess.DEVNULL
                )
            assert ran.result()[1] == "over a socket\n"
        assert sessions.session("srv") is sessions.session("srv")
        sessions.close()
        process.wait(5)
    end_of_all_but(before)
