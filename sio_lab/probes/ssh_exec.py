"""One command, one channel: for machines without a POSIX shell, and for the odd job beside the shells."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import monotonic

import paramiko

from sio_lab.probes.ssh_transport import Transport

KEPT = 1 << 20  # bytes of each output that are kept
_CHUNK = 1 << 16


class Output:
    """What is kept of an output: its beginning, up to ``KEPT`` bytes."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.cut = False

    def add(self, data: bytes) -> None:
        """Add ``data``, as far as there is room."""
        room = KEPT - len(self.kept)
        self.kept += data[:room]
        self.cut = self.cut or len(data) > room


def texts(status: int, stdout: Output, stderr: Output) -> tuple[int, str, str]:
    """Return what ``Session.run`` does; bytes that are not UTF-8 survive as surrogates (PEP 383).

    A cut is told on the error output: whoever searches the output must be able to know.
    """
    errors = stderr.kept.decode(errors="surrogateescape")
    for name, output in (("stdout", stdout), ("stderr", stderr)):
        if output.cut:
            errors += f"\n[sio-lab: {name} cut at {KEPT} bytes]"
    return status, stdout.kept.decode(errors="surrogateescape"), errors


def receive(channel: paramiko.Channel, stdout: Output, stderr: Output) -> bool:
    """Move what has arrived on ``channel`` to its outputs; return whether there was anything."""
    seen = False
    while channel.recv_ready():
        stdout.add(channel.recv(_CHUNK))
        seen = True
    while channel.recv_stderr_ready():
        stderr.add(channel.recv_stderr(_CHUNK))
        seen = True
    return seen


@contextmanager
def closed_after(channel: paramiko.Channel, seconds: float) -> Iterator[threading.Event]:
    """Close ``channel`` after ``seconds``: some of paramiko's waits have no timeout of their own.

    Yields:
        What is set once it happened.
    """
    expired = threading.Event()

    def close() -> None:
        expired.set()
        channel.close()

    timer = threading.Timer(seconds, close)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()


def run_once(transport: Transport, command: str, stdin: bytes, deadline: float) -> tuple[int, str, str]:
    """Run ``command`` in the account's login shell; return exit status (-1: none given), stdout, stderr.

    Raises:
        TimeoutError: it lasted longer than ``deadline`` seconds; its channel was closed.
        ChannelRefused, paramiko.SSHException, EOFError, OSError: there is no channel, or no longer.
    """
    end = monotonic() + deadline
    stdout, stderr = Output(), Output()
    channel = transport.channel("session", timeout=deadline)
    with closing(channel), closed_after(channel, max(0.0, end - monotonic())) as expired:
        try:
            channel.exec_command(command.encode(errors="surrogateescape"))
            _dialogue(channel, stdin, stdout, stderr)
            status = channel.recv_exit_status()
        except (paramiko.SSHException, OSError) as error:
            if expired.is_set():
                raise TimeoutError(command) from error
            raise
        if expired.is_set():
            raise TimeoutError(command)
    return texts(status, stdout, stderr)


def _dialogue(channel: paramiko.Channel, stdin: bytes, stdout: Output, stderr: Output) -> None:
    """Feed ``stdin`` and read both outputs until the far end closes them."""
    poll = select.poll()
    poll.register(channel.fileno(), select.POLLIN)
    unsent = memoryview(stdin)
    if not unsent:
        channel.shutdown_write()
    while True:
        ended = channel.eof_received or channel.closed
        seen = receive(channel, stdout, stderr)
        if ended and not seen:
            return
        if unsent and channel.send_ready():
            unsent = unsent[channel.send(bytes(unsent[:_CHUNK])) :]
            if not unsent:
                channel.shutdown_write()
        elif not seen:
            poll.poll(20 if unsent else 200)
