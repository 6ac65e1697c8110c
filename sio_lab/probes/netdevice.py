"""Network equipment, asked through its own command line (netmiko). Never judges."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import MappingProxyType

import paramiko
from netmiko import BaseConnection, ConnectHandler, NetmikoAuthenticationException, NetmikoBaseException

from sio_lab.errors import IdentityError, ProbeTimeout, ProtocolError, ServiceUnavailable, Unreachable, UsageError
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.providers.base import SshAccess
from sio_lab.text import Text

FRR = "frr"
"""Device type of FRR's vtysh as login shell: it speaks as Cisco's IOS does."""

_DRIVERS = {FRR: "cisco_ios"}
_ASKED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        FRR: {
            "version": "show version",
            "interfaces": "show interface brief",
            "routes": "show ip route",
            "configuration": "show running-config",
        },
        "cisco": {
            "version": "show version",
            "interfaces": "show ip interface brief",
            "routes": "show ip route",
            "configuration": "show running-config",
        },
        "arista": {
            "version": "show version",
            "interfaces": "show ip interface brief",
            "routes": "show ip route",
            "configuration": "show running-config",
        },
        "hp_comware": {
            "version": "display version",
            "interfaces": "display interface brief",
            "routes": "display ip routing-table",
            "configuration": "display current-configuration",
        },
        "huawei": {
            "version": "display version",
            "interfaces": "display interface brief",
            "routes": "display ip routing-table",
            "configuration": "display current-configuration",
        },
        "juniper": {
            "version": "show version",
            "interfaces": "show interfaces terse",
            "routes": "show route",
            "configuration": "show configuration",
        },
    }
)
# What command lines answer to what they do not know, at the beginning of the answer.
_NOT_UNDERSTOOD = ("% ", "unknown command", "syntax error", "error:", "invalid input")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceObservation(Observation):
    """What equipment answered. ``refused``: it did not understand, or may not say it.

    Attributes:
        output: the answer, without the command and the prompt.
    """

    output: str


class Device:
    """Equipment that lets us in; made by ``connected``."""

    def __init__(self, start: Machine, name: str, device_type: str, connection: BaseConnection) -> None:
        self._start, self._name, self._type, self._connection = start, name, device_type, connection

    def version(self) -> DeviceObservation:
        """Ask for the version of its system (see ``ask``)."""
        return self.ask(self._command("version"))

    def interfaces(self) -> DeviceObservation:
        """Ask for its interfaces, one a line (see ``ask``)."""
        return self.ask(self._command("interfaces"))

    def routes(self) -> DeviceObservation:
        """Ask for its routes (see ``ask``)."""
        return self.ask(self._command("routes"))

    def configuration(self) -> DeviceObservation:
        """Ask for its running configuration (see ``ask``). It may hold secrets: its text is no evidence."""
        return self.ask(self._command("configuration"), shown=False)

    def ask(self, command: str, *, shown: bool = True, deadline: float = 20.0) -> DeviceObservation:
        """Ask ``command``, which changes nothing.

        Args:
            command: as it is typed.
            shown: whether the answer stands in the evidence, beyond its length.
            deadline: seconds to wait for the whole answer.

        Raises:
            ProbeTimeout: it does not answer, or not to the end.
            Unreachable: the connection is lost.
        """
        at, start = datetime.now(UTC), monotonic()
        with self._answering(deadline):
            output = str(self._connection.send_command(command, read_timeout=deadline)).strip()
        refused = _misunderstood(output)
        evidence = self._start.saw(
            "netdevice.ask",
            target=self._name,
            sent=command,
            received=output if shown or refused else f"{len(output.splitlines())} lines",
            at=at,
            start=start,
        )
        detail = output.splitlines()[0] if refused else ""
        return DeviceObservation(evidence, "refused" if refused else "granted", detail, output=output)

    def configure(self, lines: Sequence[str], *, deadline: float = 20.0) -> DeviceObservation:
        """Enter ``lines`` of configuration; they are in force at once, and not kept over a restart.

        Raises:
            ProbeTimeout, Unreachable: as ``ask``.
        """
        at, start = datetime.now(UTC), monotonic()
        with self._answering(deadline):
            output = str(self._connection.send_config_set(list(lines), read_timeout=deadline))
        wrong = next((line for line in map(str.strip, output.splitlines()) if _misunderstood(line)), "")
        evidence = self._start.saw(
            "netdevice.configure",
            target=self._name,
            sent="\n".join(lines),
            received=output,
            at=at,
            start=start,
        )
        return DeviceObservation(evidence, "refused" if wrong else "granted", wrong, output=output)

    @contextmanager
    def _answering(self, deadline: float) -> Iterator[None]:
        try:
            yield
        except NetmikoBaseException as error:
            raise ProbeTimeout(
                Text(f"pas de réponse en {deadline:g} s", f"no answer within {deadline:g} s"), where=self._name
            ) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise Unreachable(
                Text(f"connexion perdue ({error})", f"connection lost ({error})"), where=self._name
            ) from error

    def _command(self, what: str) -> str:
        commands = next((known for start, known in _ASKED.items() if self._type.startswith(start)), None)
        if commands is None:
            raise UsageError(
                Text(f"équipement de type inconnu : {self._type}", f"equipment of an unknown type: {self._type}"),
                where=self._name,
                todo=Text(f"types connus : {', '.join(_ASKED)}…", f"known types: {', '.join(_ASKED)}…"),
            )
        return commands[what]


def _misunderstood(answer: str) -> bool:
    return answer.lower().startswith(_NOT_UNDERSTOOD)


@contextmanager
def connected(
    start: Machine, access: SshAccess, device_type: str, *, direct: bool = False, deadline: float = 10.0
) -> Iterator[Device]:
    """Log in on equipment; the connection starts from ``start``, or from the auditor's own machine (``direct``).

    Args:
        start: machine that it is administered from; evidence is recorded there.
        access: name, address, account and keys of the equipment.
        device_type: netmiko's name of its command line (``cisco_ios``…), or ``frr``.
        direct: whether it is reached from here, past ``start``.
        deadline: seconds to connect, and as much to log in.

    Raises:
        Unreachable: ``start`` does not answer, or the equipment does not let us in.
        ServiceUnavailable: nothing listens there.
        ProbeTimeout: it does not answer.
        IdentityError: it shows another host key than the known one, or none is known.
        ProtocolError: its command line is not that of ``device_type``.
    """
    if direct:
        with _plugged((access.host, access.port), access, deadline) as sock:
            yield from _logged_in(start, access, device_type, sock, deadline)
    else:
        with (
            start.forward(access.host, access.port) as address,
            _plugged(address, access, deadline) as sock,
        ):
            yield from _logged_in(start, access, device_type, sock, deadline)


@contextmanager
def _plugged(address: tuple[str, int], access: SshAccess, deadline: float) -> Iterator[socket.socket]:
    try:
        sock = socket.create_connection(address, timeout=deadline)
    except ConnectionRefusedError as error:
        raise ServiceUnavailable(
            Text("rien n'écoute : connexion refusée", "nothing listens: connection refused"), where=access.machine
        ) from error
    except OSError as error:
        raise ProbeTimeout(
            Text(f"pas de réponse ({error})", f"no answer ({error})"), where=access.machine
        ) from error
    with sock:
        yield sock


def _logged_in(
    start: Machine, access: SshAccess, device_type: str, sock: socket.socket, deadline: float
) -> Iterator[Device]:
    connection = _connection(access, device_type, sock, deadline)
    try:
        yield Device(start, access.machine, device_type, connection)
    finally:
        with suppress(Exception):  # some command lines hang up before they are told good-bye
            connection.disconnect()


def _connection(access: SshAccess, device_type: str, sock: socket.socket, deadline: float) -> BaseConnection:
    own = access.identity_file is None
    with tempfile.NamedTemporaryFile("w", prefix="sio-lab-known-hosts-", encoding="utf-8") as known:
        if access.host_key:
            known.write(f"{_known_name(access)} {access.host_key}\n")
            known.flush()
        try:
            return ConnectHandler(
                device_type=_DRIVERS.get(device_type, device_type),
                host=access.host,
                port=access.port,
                username=access.user,
                use_keys=own,
                pkey=None if own else paramiko.PKey.from_path(Path(access.identity_file or "").expanduser()),
                allow_agent=own,
                ssh_strict=True,
                system_host_keys=access.host_key is None,
                alt_host_keys=access.host_key is not None,
                alt_key_file=known.name,
                conn_timeout=deadline,
                auth_timeout=deadline,
                banner_timeout=deadline,
                sock=sock,
            )
        except Exception as error:
            raise _failure(access, device_type, error) from error


def _known_name(access: SshAccess) -> str:
    return access.host if access.port == paramiko.config.SSH_PORT else f"[{access.host}]:{access.port}"


def _failure(
    access: SshAccess, device_type: str, error: Exception
) -> IdentityError | Unreachable | ProbeTimeout | ProtocolError | UsageError:
    """Return what ``error`` means for the user."""
    said = " ".join(str(error).split())
    if isinstance(error, paramiko.BadHostKeyException) or "host key" in said.lower() or "known_hosts" in said:
        return IdentityError(
            Text("la clé d'hôte n'est pas celle connue", "the host key is not the known one"),
            where=access.machine,
            todo=Text(
                "comparez son empreinte, puis corrigez connection.host_key",
                "compare its fingerprint, then correct connection.host_key",
            ),
        )
    if isinstance(error, NetmikoAuthenticationException):
        return Unreachable(
            Text(
                f"l'équipement n'accepte pas la clé de « {access.user} »",
                f"the equipment does not accept the key of '{access.user}'",
            ),
            where=access.machine,
        )
    if isinstance(error, ValueError):
        return UsageError(
            Text(f"type inconnu de netmiko : {device_type}", f"type unknown to netmiko: {device_type}"),
            where=access.machine,
            todo=Text("corrigez connection.device_type", "correct connection.device_type"),
        )
    if isinstance(error, NetmikoBaseException):
        return ProtocolError(
            Text(f"dialogue impossible ({said[:200]})", f"no dialogue ({said[:200]})"), where=access.machine
        )
    return Unreachable(
        Text(f"injoignable ({said[:200]})", f"cannot be reached ({said[:200]})"), where=access.machine
    )
