"""Reaching a machine: one SSH transport, its host key verified, its failures remembered."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import paramiko
from paramiko.common import (
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_CHANNEL_OPEN_SUCCESS,
    MSG_CHANNEL_WINDOW_ADJUST,
)

from sio_lab.errors import ProbeError, Unreachable
from sio_lab.providers.base import SshAccess
from sio_lab.text import Text

KEEPALIVE = 15  # seconds: below what firewalls and NAT commonly take for an idle connection
LOG = "sio_lab.ssh"

# paramiko logs as errors what it also raises, a closed port for one: the user would read it twice.
logging.getLogger(LOG).addHandler(logging.NullHandler())
logging.getLogger(LOG).propagate = False


class ChannelRefused(Exception):
    """The machine would not open a channel.

    Attributes:
        code: RFC 4254 §5.1: 1 prohibited, 2 connection failed, 3 unknown type, 4 lack of resources.
        said: the machine's own words.
    """

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said


class Transport(paramiko.Transport):
    """A transport that tells each thread why its own channel was refused.

    paramiko keeps one exception for all threads and drops the machine's words: of two channels refused at
    the same time, one would get the other's reason ("closed" for "forbidden"), and the other none.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client: paramiko.SSHClient | None = None  # some versions hang up when it is collected
        self._mine = threading.local()
        self._refusals: dict[int, ChannelRefused] = {}
        handlers: dict[int, Any] = self._handler_table  # type: ignore[attr-defined]
        self._paramikos_own = handlers[MSG_CHANNEL_OPEN_FAILURE]
        handlers[MSG_CHANNEL_OPEN_FAILURE] = self._note_refusal
        self._gate = threading.Lock()
        self._closed: set[int] = set()  # the machine's numbers of channels that we closed
        self._paramikos_opened = handlers[MSG_CHANNEL_OPEN_SUCCESS]
        handlers[MSG_CHANNEL_OPEN_SUCCESS] = self._note_opening

    def _next_channel(self) -> int:
        self._mine.number = super()._next_channel()  # type: ignore[misc]
        return int(self._mine.number)

    def _note_opening(self, message: paramiko.Message) -> None:
        message.get_int()
        number = message.get_int()
        with self._gate:
            self._closed.discard(number)
        message.rewind()
        self._paramikos_opened(message)

    def _note_refusal(self, message: paramiko.Message) -> None:
        number, code, said = message.get_int(), message.get_int(), message.get_text()
        self._refusals[number] = ChannelRefused(code, said)
        message.rewind()
        self._paramikos_own(message)

    def _send_user_message(self, data: paramiko.Message) -> None:
        """Send ``data``, unless it is about a channel that is closed: sshd hangs up on whoever speaks of one.

        paramiko lets a thread announce room for more (RFC 4254 §5.2) after another one closed the channel.
        """
        content = data.asbytes()
        if not MSG_CHANNEL_WINDOW_ADJUST <= content[0] <= MSG_CHANNEL_CLOSE:
            super()._send_user_message(data)  # type: ignore[misc]
            return
        self.clear_to_send.wait(self.clear_to_send_timeout)
        number = int.from_bytes(content[1:5])
        with self._gate:
            if number in self._closed:
                return
            if content[0] == MSG_CHANNEL_CLOSE:
                self._closed.add(number)
            super()._send_user_message(data)  # type: ignore[misc]

    def channel(self, kind: str, *, to: tuple[str, int] | None = None, timeout: float) -> paramiko.Channel:
        """Open a channel (``session``, or ``direct-tcpip`` to a host and port).

        Raises:
            ChannelRefused: the machine says no.
            TimeoutError: no answer within ``timeout`` seconds.
            paramiko.SSHException, EOFError, OSError: the transport is gone.
        """
        try:
            return self.open_channel(kind, to, ("127.0.0.1", 0), timeout=timeout)
        except paramiko.SSHException as error:
            refusal = self._refusals.pop(getattr(self._mine, "number", -1), None)
            if refusal:
                raise refusal from error
            if self.is_active():
                raise TimeoutError(str(error)) from error
            raise


@dataclass(frozen=True, slots=True)
class Reconnection:
    """A connection that was lost and tried again: evidence, as every retry.

    Attributes:
        at: when (UTC).
        reason: what became of the first one.
        succeeded: whether the machine was reached again.
    """

    at: datetime
    reason: str
    succeeded: bool


class Link:
    """The one transport to a machine, made by whoever needs it first. Thread-safe.

    A machine that cannot be reached costs one timeout: whoever comes at the same time waits for the same
    attempt, and whoever comes later gets the same error at once.
    """

    def __init__(
        self, access: SshAccess, timeout: float, connect: Callable[[SshAccess, float], Transport]
    ) -> None:
        self.access = access
        self.timeout = timeout
        self._connect = connect
        self.reconnections: list[Reconnection] = []
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self._failure: ProbeError | None = None

    def transport(self) -> Transport:
        """Return the transport, alive as far as can be told without asking.

        Raises:
            Unreachable: the machine does not answer, or its connection was lost and could not be had again.
            IdentityError: it is another machine.
        """
        with self._lock:
            if self._failure:
                # Each thread raises its own: a shared exception would gather the tracebacks of all.
                raise type(self._failure)(self._failure.what, where=self._failure.where, todo=self._failure.todo)
            if self._transport is None or not self._transport.is_active():
                self._transport = self._connected(self._transport)
            return self._transport

    def _connected(self, lost: Transport | None) -> Transport:
        reason = _why_lost(lost) if lost else ""
        try:
            transport = self._connect(self.access, self.timeout)
        except ProbeError as error:
            self._failure = error
            if lost:
                self._failure = type(error)(
                    Text(
                        f"connexion perdue ({reason}), puis : {error.what.fr}",
                        f"connection lost ({reason}), then: {error.what.en}",
                    ),
                    where=error.where,
                    todo=error.todo,
                )
            raise self._failure from error
        finally:
            if lost:
                self.reconnections.append(Reconnection(datetime.now(UTC), reason, self._failure is None))
        return transport

    def lost(self, transport: Transport) -> None:
        """Give up ``transport``, on which the machine no longer answers."""
        _hang_up(transport)

    def renew(self) -> None:
        """Forget the connection and its failures: the machine was restarted or restored on purpose."""
        with self._lock:
            if self._transport:
                _hang_up(self._transport)
            self._transport = self._failure = None

    def close(self) -> None:
        """Hang up for good."""
        with self._lock:
            if self._transport:
                _hang_up(self._transport)
            self._failure = Unreachable(
                Text("la session a été fermée", "the session was closed"), where=self.access.machine
            )


def _hang_up(transport: Transport) -> None:
    with suppress(OSError):
        transport.sock.shutdown(socket.SHUT_RDWR)  # wakes paramiko's thread before its next poll
    transport.close()


def _why_lost(transport: Transport) -> str:
    error = transport.get_exception()
    return str(error) or "closed by the machine" if error else "closed by the machine"
