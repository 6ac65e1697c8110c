"""Persistent shells over one transport: a command costs one round trip and one fork.

The dialogue with a shell: we write a line that runs the command in a subshell and then prints, on both outputs,
a token that nobody can guess (128 bits, new for each command, never in a variable, an argument or the
environment). What stands before it is the command's; nothing that the command prints can end it early.
"""

from __future__ import annotations

import secrets
import select
import shlex
from contextlib import suppress
from time import monotonic

import paramiko

from sio_lab.probes.ssh_exec import Output, closed_after, run_once, texts
from sio_lab.probes.ssh_transport import Transport

_CHUNK = 1 << 16
_OPENING = 20.0  # seconds to start a shell: PAM and sudo may be slow, and so may a busy machine
_KILLING = 10.0  # seconds to kill a command on a machine that answers

# Whether printf is the shell's own, else what it prints would stand in the process list; then pid, parent, process
# group and session (proc(5): fields 5 and 6 of stat; the name before them may hold anything).
_HELLO = (
    "( { read -r s </proc/$$/stat; } 2>/dev/null || s=') - 0 0 0'; set -- ${s##*) }; "
    "printf '%s %s %s %s %s %s\\n' {token} \"$(command -v printf)\" $$ $PPID $3 $4 )\n"
)
# busybox's kill knows no "--". What has made itself a process group (timeout(1) does) is still in the session.
_KILL = (
    "exec 2>/dev/null; kill -KILL -{group}; [ {session} = 0 ] && exit; "
    "for i in 1 2; do for p in /proc/[0-9]*; do "
    "{{ read -r s <$p/stat; }} || continue; set -- ${{s##*) }}; "
    '[ "$4" = {session} ] && kill -KILL ${{p#/proc/}}; done; done'
)


class NoShell(Exception):
    """The account's login shell does not start a POSIX shell; ``said`` is what it answered."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class _Framed:
    """One output of a command: all that comes before the token; then, to the end of the line, the status."""

    def __init__(self, token: bytes) -> None:
        self.output = Output()
        self.after: bytes | None = None
        self._token = token
        self._pending = b""

    def feed(self, data: bytes) -> None:
        if self.after is not None:
            self.after += data
            return
        self._pending += data
        before, token, after = self._pending.partition(self._token)
        if token:
            self.output.add(before)
            self.after = after
        else:
            # The token may have begun: as much as it is long must wait for what follows.
            keep = len(self._token) - 1
            self.output.add(self._pending[:-keep])
            self._pending = self._pending[-keep:]

    @property
    def ended(self) -> bool:
        return self.after is not None and b"\n" in self.after


class Shell:
    """A shell on the machine, for one user at a time.

    Raises:
        NoShell: the account has no POSIX shell.
        TimeoutError: none came in time.
        ChannelRefused, paramiko.SSHException, EOFError, OSError: there is no channel, or no longer.
    """

    def __init__(self, transport: Transport, prefix: str) -> None:
        self.transport = transport
        self.prefix = prefix
        self.channel = transport.channel("session", timeout=_OPENING)
        with closed_after(self.channel, _OPENING) as expired:
            try:
                self.channel.exec_command(f"exec {prefix}sh")
            except paramiko.SSHException as error:
                raise TimeoutError(str(error)) if expired.is_set() else error from error
        self._poll = select.poll()
        self._poll.register(self.channel.fileno(), select.POLLIN)
        self._greet()

    def _greet(self) -> None:
        token = secrets.token_hex(16)
        greeting, errors = _Framed(token.encode()), _Framed(token.encode())
        try:
            self._send(_HELLO.replace("{token}", token))
            while not greeting.ended:
                self._receive(greeting, errors, monotonic() + _OPENING)
        except (EOFError, OSError) as error:
            if isinstance(error, TimeoutError) or not self.transport.is_active():
                raise
            raise NoShell(_words(errors) or _words(greeting)) from error
        fields = (greeting.after or b"").decode(errors="replace").split()
        if len(fields) != 5 or fields[0] != "printf":
            raise NoShell("its printf is not a builtin")
        self.pid, parent, group, session = (int(field) for field in fields[1:])
        # Servers that give a command no session of its own share theirs with it: that one must not be killed.
        own = {self.pid, parent} if self.prefix else {self.pid}
        self.session = session if session in own else 0
        self.group = group if group in own else self.pid

    @property
    def usable(self) -> bool:
        """Whether the shell lives, and nothing that an earlier command left behind writes on its outputs."""
        channel = self.channel
        idle = not (channel.recv_ready() or channel.recv_stderr_ready())
        return self.transport.is_active() and idle and not (channel.closed or channel.eof_received)

    def run(self, command: str, stdin: str, deadline: float) -> tuple[int, str, str]:
        """Run ``command``; return exit status, stdout, stderr.

        Raises:
            TimeoutError: it lasts longer than ``deadline`` seconds; it still runs.
            EOFError, OSError: the shell is gone.
        """
        end = monotonic() + deadline
        token = secrets.token_hex(16)
        stdout, stderr = _Framed(token.encode()), _Framed(token.encode())
        run = f"( eval {shlex.quote(command)} )"
        run = f"{_feed(stdin)} | {run}" if stdin else f"{run} </dev/null"
        self.channel.settimeout(deadline)
        # The last word keeps the token out of bash's `$_`, which the next command could read.
        self._send(f"{run}\nprintf '{token} %s\\n' $?; printf '{token}\\n' >&2; :\n")
        while not (stdout.ended and stderr.ended):
            self._receive(stdout, stderr, end)
        return texts(int(stdout.after or b"-1"), stdout.output, stderr.output)

    def _send(self, script: str) -> None:
        self.channel.sendall(script.encode(errors="surrogateescape"))

    def _receive(self, stdout: _Framed, stderr: _Framed, end: float) -> None:
        channel = self.channel
        ended = channel.eof_received or channel.closed or channel.exit_status_ready()
        seen = False
        if channel.recv_ready():
            stdout.feed(channel.recv(_CHUNK))
            seen = True
        if channel.recv_stderr_ready():
            stderr.feed(channel.recv_stderr(_CHUNK))
            seen = True
        left = end - monotonic()
        if left <= 0:
            raise TimeoutError
        if seen:
            return
        if ended:
            raise EOFError
        self._poll.poll(left * 1000)

    def kill(self) -> None:
        """Kill the shell, the command that it runs, and that one's children.

        Raises:
            TimeoutError: the machine no longer answers.
            ChannelRefused: it has no session left for that.
            paramiko.SSHException, EOFError, OSError: the connection is gone.
        """
        script = _KILL.format(group=self.group, session=self.session)
        try:
            run_once(self.transport, f"exec {self.prefix}sh -c {shlex.quote(script)}", b"", _KILLING)
        finally:
            self.close()

    def close(self) -> None:
        """Let the shell end: it reads no more."""
        with suppress(EOFError, OSError, paramiko.SSHException):
            self.channel.close()


def _feed(stdin: str) -> str:
    """Return the shell command that prints ``stdin``: a builtin, so that no process list shows it."""
    if "\0" in stdin:  # which no argument can hold
        escaped = stdin.replace("\\", "\\\\").replace("\0", "\\0000")
        return f"{{ printf %b {shlex.quote(escaped)}; }} 2>/dev/null"
    # Whoever does not read it all makes printf complain, which is not the command's word.
    return f"{{ printf %s {shlex.quote(stdin)}; }} 2>/dev/null"


def _words(framed: _Framed) -> str:
    return (framed.output.kept + framed._pending).decode(errors="replace").strip()
