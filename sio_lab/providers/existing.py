"""Machines that are already there: physical ones, or those of a hypervisor of the school's own.

Nothing is created, changed or removed. Only machines reached over SSH are handed out; those of other
connection types are seen to answer, no more (see docs/untested.md).
"""

from __future__ import annotations

import base64
import logging
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import paramiko

from sio_lab import parallel
from sio_lab.errors import ProviderError
from sio_lab.lab.model import Connection, Lab
from sio_lab.providers.base import ImageRecipe, MachineState, Progress, Reporter, SshAccess
from sio_lab.text import Text

_TIMEOUT = 10.0  # seconds for a machine to let us in
_QUICK = 3.0  # seconds for a port to answer
_AT_ONCE = 16
_LOGGER = "sio_lab.providers.existing"


class ExistingProvider:
    """Machines that somebody else made; see ``Provider`` for what each method does."""

    def up(self, lab: Lab, recipes: Mapping[str, ImageRecipe], report: Reporter) -> bool:
        """Make sure that every SSH machine lets us in; return that nothing changed.

        Raises:
            ProviderError: one does not; the error names all of them, and why.
        """
        del recipes  # their systems are not ours to install
        step = Text("réponse de la machine", "answer of the machine")

        def greet(way: SshAccess) -> Text | None:
            report(Progress(way.machine, step, "running"))
            trouble = _trouble(way)
            report(Progress(way.machine, step, "failed" if trouble else "unchanged"))
            return trouble

        ways = list(self.access(lab).values())
        troubles = zip(ways, parallel.each(greet, ways, workers=_AT_ONCE), strict=True)
        found = [(way, trouble) for way, trouble in troubles if trouble]
        if found:
            raise _unanswered(found)
        return False

    def down(self, lab: Lab, report: Reporter) -> bool:
        """Leave the machines as they are; return that nothing was removed."""
        del lab, report
        return False

    def status(self, lab: Lab) -> dict[str, MachineState]:
        """Return whether the port of each declared machine answers; one that does not counts as stopped."""
        connections = [(name, machine.connection) for name, machine in lab.machines.items() if machine.connection]
        answers = parallel.each(lambda pair: _listens(pair[1]), connections, workers=_AT_ONCE)
        return {
            name: "running" if answer else "stopped"
            for (name, _), answer in zip(connections, answers, strict=True)
        }

    def access(self, lab: Lab) -> dict[str, SshAccess]:
        """Return how to reach each machine whose connection is SSH; the others are left out."""
        return {
            name: access_of(name, machine.connection)
            for name, machine in lab.machines.items()
            if machine.connection and machine.connection.type == "ssh"
        }

    def snapshot(self, lab: Lab, name: str, report: Reporter) -> None:
        """Do nothing: there is no way to keep the state of machines that are not ours."""

    def restore(self, lab: Lab, name: str, report: Reporter, machines: Sequence[str]) -> None:
        """Refuse.

        Raises:
            ProviderError: always.
        """
        del name, report, machines
        raise ProviderError(
            Text(
                "les machines de ce labo ne sont pas à sio-lab : il ne peut pas les ramener à un état antérieur",
                "the machines of this lab are not sio-lab's: it cannot bring them back to an earlier state",
            ),
            where=lab.lab,
            todo=Text(
                "sio-lab repair défait les pannes ; pour le reste, servez-vous de votre hyperviseur",
                "sio-lab repair undoes faults; for the rest, use your hypervisor",
            ),
        )

    def power_off(self, lab: Lab, machine: str) -> None:
        """Refuse.

        Raises:
            ProviderError: always.
        """
        del lab
        raise _not_ours(machine)

    def power_on(self, lab: Lab, machine: str, report: Reporter) -> None:
        """Refuse.

        Raises:
            ProviderError: always.
        """
        del lab, report
        raise _not_ours(machine)

    def has_snapshot(self, lab: Lab, name: str) -> bool:
        """Return true: nothing remains to be kept, and it is ``restore`` that says why there is no way back."""
        del lab, name
        return True


def _not_ours(machine: str) -> ProviderError:
    return ProviderError(
        Text(
            "cette machine n'est pas à sio-lab : il ne peut ni la couper ni la rallumer",
            "this machine is not sio-lab's: it can neither cut its power nor give it back",
        ),
        where=machine,
        todo=Text("coupez-la vous-même, et attestez-en", "cut it yourself, and attest it"),
    )


def access_of(machine: str, connection: Connection) -> SshAccess:
    """Return how to reach ``machine``, as the lab file says it."""
    return SshAccess(
        machine=machine,
        user=connection.user,
        host=connection.host,
        port=connection.port,
        identity_file=Path(connection.identity_file).expanduser() if connection.identity_file else None,
        host_key=_bare(connection.host_key) if connection.host_key else None,
        become=connection.become,
    )


def _bare(line: str) -> str:
    """Return a public key as type and key alone, without the comment that key files end with."""
    return " ".join(line.split()[:2])


def _listens(connection: Connection | None) -> bool:
    if connection is None:
        return False
    try:
        socket.create_connection((connection.host, connection.port), timeout=_QUICK).close()
    except OSError:
        return False
    return True


def _trouble(way: SshAccess) -> Text | None:
    """Return why the machine does not let us in, or ``None`` if it does."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.set_log_channel(_LOGGER)
    logging.getLogger(_LOGGER).setLevel(logging.CRITICAL)  # it logs a traceback of what it also raises
    try:
        identity = paramiko.PKey.from_path(way.identity_file) if way.identity_file else None
    except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        return Text(f"identity_file ne peut pas être lu : {error}", f"identity_file cannot be read: {error}")
    try:
        if way.host_key:
            _expect(client, way, way.host_key)
        else:
            client.load_system_host_keys()
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
        return Text("host_key n'est pas une clé publique", "host_key is no public key")
    return _refusal(client, way, identity)


def _refusal(client: paramiko.SSHClient, way: SshAccess, identity: paramiko.PKey | None) -> Text | None:
    """Log in once with ``client``; return why that failed, if it did."""
    try:
        client.connect(
            way.host,
            way.port,
            way.user,
            pkey=identity,
            allow_agent=identity is None,
            look_for_keys=identity is None,
            timeout=_TIMEOUT,
            banner_timeout=_TIMEOUT,
            auth_timeout=_TIMEOUT,
        )
    except paramiko.BadHostKeyException:
        return Text("sa clé d'hôte n'est pas celle qui est attendue", "its host key is not the expected one")
    except paramiko.AuthenticationException:
        return Text(f"{way.user} n'y est pas accepté", f"{way.user} is not let in")
    except paramiko.SSHException as error:
        return Text(f"SSH : {error}", f"SSH: {error}")
    except (OSError, EOFError) as error:
        return Text(f"ne répond pas ({error})", f"does not answer ({error})")
    finally:
        client.close()
    return None


def _expect(client: paramiko.SSHClient, way: SshAccess, host_key: str) -> None:
    """Let ``client`` accept ``host_key`` and no other."""
    kind, _, encoded = host_key.partition(" ")
    key = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
    name = way.host if way.port == paramiko.config.SSH_PORT else f"[{way.host}]:{way.port}"
    client.get_host_keys().add(name, kind, key)


def _unanswered(found: Sequence[tuple[SshAccess, Text]]) -> ProviderError:
    lines = [(f"{way.machine} ({way.host}:{way.port})", trouble) for way, trouble in found]
    return ProviderError(
        Text(
            f"{len(found)} machine(s) hors d'atteinte\n" + "\n".join(f"  {at} : {said.fr}" for at, said in lines),
            f"{len(found)} machine(s) out of reach\n" + "\n".join(f"  {at}: {said.en}" for at, said in lines),
        ),
        todo=Text(
            "vérifiez machines.*.connection, puis essayez vous-même : ssh compte@machine",
            "check machines.*.connection, then try yourself: ssh account@machine",
        ),
    )
