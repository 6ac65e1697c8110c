"""2.1.e: secure remote administration of servers and terminals."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sio_lab import parallel
from sio_lab.audit import equipment
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import RemoteAdministration
from sio_lab.lab.model import Lab
from sio_lab.lab.model import Machine as MachineSection
from sio_lab.probes import flow, ssh_server, system
from sio_lab.probes.flow import FlowObservation
from sio_lab.probes.machine import Machine
from sio_lab.probes.netdevice import DeviceObservation
from sio_lab.probes.observation import Ran
from sio_lab.probes.ssh_server import AlgorithmsObservation, MethodsObservation
from sio_lab.probes.system import SystemObservation
from sio_lab.text import Text

AT_ONCE = 8
"""Machines that are asked at the same time."""
SSH, TELNET = 22, 23
CLEAR = {
    TELNET: Text("telnet", "telnet"),
    513: Text("rlogin", "rlogin"),
    514: Text("rsh", "rsh"),
    **{port: Text(f"telnet (port {port} de FRR)", f"telnet (FRR's port {port})") for port in range(2601, 2624)},
}
"""Ports of command lines in clear text; FRR's daemons have one each: docs.frrouting.org, "Setup"."""
PASSWORDS = {"password", "keyboard-interactive", "none"}
"""Ways of logging in without a key: a password, whatever asks for it, or nothing at all (RFC 4252, RFC 4256)."""


@requirement(
    "2.1.e",
    title=Text("Administration par SSH", "Administration over SSH"),
    uses=["remote_administration"],
    deadline=90,
)
def test_keys_alone(lab: Lab, proof: Proof, service: RemoteAdministration) -> None:
    """Machines and network equipment are administered with a key, from the administration perimeter alone.

    Satisfied: from the administrators' machine the key opens a session on each server, firewall and fixed terminal
    (its machine-id says so), and on the command line of each network equipment (which tells its version); none
    offers to log in with a password, or an algorithm that is known to be weak; telnet is closed on each, as is any
    other command line in clear text; from a user's machine none can be reached, and one of the same perimeter
    hangs up before any login.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, or the lab declares none to administer.
    Reads: services.remote_administration, kind, device_type and addresses of all machines.
    """
    targets = administered(lab, service.machines[0])
    if not targets and not lab.equipment():
        raise InconclusiveError(
            Text("aucune machine à administrer dans ce labo", "no machine to administer in this lab"),
            where="machines",
        )
    administrator = proof.machine(service.machines[0])
    devices = lab.equipment()
    asked: list[Callable[[], Examined | ExaminedDevice]] = [
        *(partial(examine, lab, proof, administrator, service, name) for name in targets),
        *(partial(examine_device, lab, proof, administrator, service, name) for name in devices),
    ]
    for seen in parallel.each(lambda ask: ask(), asked, workers=AT_ONCE):
        if isinstance(seen, Examined):
            judge(proof, seen)
        else:
            judge_device(proof, seen)
    judge_stranger(lab, proof, service, [*targets, *devices])


def administered(lab: Lab, administrator: str) -> list[str]:
    """Return the machines that are to be administered: ours, and not the administrators' own."""
    outside = set(lab.perimeters_with_role("internet"))

    def ours(machine: MachineSection) -> bool:
        # A firewall touches the outside, and is ours all the same.
        return machine.kind == "firewall" or not outside & set(machine.addresses)

    kinds = {"server", "firewall", "terminal"}
    return [
        name
        for name, machine in lab.machines.items()
        if name != administrator and machine.kind in kinds and ours(machine)
    ]


@dataclass(frozen=True, slots=True)
class Server:
    """What was seen of one SSH server, and of its neighbours that speak in clear text."""

    name: str
    methods: tuple[MethodsObservation, ...]
    algorithms: AlgorithmsObservation
    clear: tuple[FlowObservation, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """What was seen of one machine, from the administrators' and from itself."""

    server: Server
    itself: SystemObservation
    login: Ran


@dataclass(frozen=True, slots=True)
class ExaminedDevice:
    """What was seen of network equipment; ``login``: with the administrators' own key, where that can be told."""

    server: Server
    login: Ran | None
    version: DeviceObservation


def examine(lab: Lab, proof: Proof, administrator: Machine, service: RemoteAdministration, name: str) -> Examined:
    """Ask one machine all there is to ask."""
    machine = proof.machine(name)
    login = administrator.run(key_login(service, service.user, lab.fqdn(name), "cat /etc/machine-id"), deadline=15)
    clear = flow.tcp(machine, [(lab.fqdn(name), TELNET)], deadline=1)
    server = examine_server(administrator, name, lab.fqdn(name), service.user, clear)
    return Examined(server, system.identify(machine), login)


def examine_device(
    lab: Lab, proof: Proof, administrator: Machine, service: RemoteAdministration, name: str
) -> ExaminedDevice:
    """Ask network equipment all there is to ask; what is not ours is asked from outside alone."""
    user, host = equipment.account(lab, name), lab.fqdn(name)
    ours = lab.machines[name].connection is None
    login = administrator.run(key_login(service, user, host, "show version"), deadline=15) if ours else None
    with proof.device(name, administrator) as device:
        version = device.version()
    clear = flow.tcp(proof.machine(name) if ours else administrator, [(host, port) for port in CLEAR], deadline=1)
    return ExaminedDevice(examine_server(administrator, name, host, user, clear), login, version)


def examine_server(
    administrator: Machine, name: str, host: str, user: str, clear: Sequence[FlowObservation]
) -> Server:
    """Ask one SSH server all there is to ask; also under a name that nobody bears: accounts may differ."""
    return Server(
        name,
        tuple(ssh_server.methods(administrator, host, who) for who in (user, "sio-lab-nobody")),
        ssh_server.algorithms(administrator, host),
        tuple(clear),
    )


def key_login(service: RemoteAdministration, user: str, host: str, command: str) -> str:
    """Return the command that logs in with the key alone, host key verified, and runs ``command`` there."""
    options = ["BatchMode=yes", "PreferredAuthentications=publickey", "IdentitiesOnly=yes"]
    options += ["StrictHostKeyChecking=yes", "ConnectTimeout=5", "LogLevel=ERROR"]
    ssh = ["ssh", "-n", "-T", "-i", service.key, *(part for option in options for part in ("-o", option))]
    return shlex.join([*ssh, f"{user}@{host}", command])


def judge(proof: Proof, seen: Examined) -> None:
    """Judge one machine."""
    name = seen.server.name
    judge_login(proof, name, seen.login)
    proof.holds(
        seen.login.stdout.strip() == seen.itself.machine_id,
        seen.login,
        seen.itself,
        side="positive",
        fr=f"{name} : la session ouverte est celle d'une autre machine",
        en=f"{name}: the session that opens is another machine's",
    )
    judge_server(proof, seen.server)


def judge_device(proof: Proof, seen: ExaminedDevice) -> None:
    """Judge one network equipment."""
    name = seen.server.name
    if seen.login:
        judge_login(proof, name, seen.login)
    proof.works(
        seen.version,
        fr=f"{name} : sa ligne de commande ne dit pas sa version",
        en=f"{name}: its command line does not tell its version",
    )
    judge_server(proof, seen.server)


def judge_login(proof: Proof, name: str, login: Ran) -> None:
    """Judge whether the administrators get in."""
    proof.works(
        login,
        fr=f"{name} : la clé n'ouvre pas de session depuis la machine d'administration",
        en=f"{name}: the key opens no session from the administration machine",
    )


def judge_server(proof: Proof, seen: Server) -> None:
    """Judge one SSH server, and its neighbours."""
    name = seen.name
    for asked in seen.methods:
        offered = ", ".join(sorted(asked.methods & PASSWORDS))
        proof.holds(
            not offered,
            asked,
            side="negative",
            fr=f"{name} : une session s'ouvre sans clé ({offered})",
            en=f"{name}: one can log in without a key ({offered})",
        )
    weak = "; ".join(f"{algorithm}: {why}" for algorithm, why in seen.algorithms.weak.items())
    proof.works(seen.algorithms, fr=f"{name} : SSH ne répond pas", en=f"{name}: SSH does not answer")
    proof.holds(
        not weak,
        seen.algorithms,
        side="negative",
        fr=f"{name} : algorithmes faibles ({weak})",
        en=f"{name}: weak algorithms ({weak})",
    )
    if seen.algorithms.debated:
        named = ", ".join(seen.algorithms.debated)
        proof.remark(
            fr=f"{name} : algorithmes que ssh-audit déconseille et que l'ANSSI ou le NIST admettent ({named})",
            en=f"{name}: algorithms that ssh-audit reproves and ANSSI or NIST accept ({named})",
        )
    for port in seen.clear:
        proof.holds(
            port.state != "open",
            port,
            side="negative",
            fr=f"{name} : {CLEAR[port.port].fr} est ouvert",
            en=f"{name}: {CLEAR[port.port].en} is open",
        )


def judge_stranger(lab: Lab, proof: Proof, service: RemoteAdministration, targets: list[str]) -> None:
    """Judge what a user's machine can reach: the very servers that were just seen to answer."""
    stranger = proof.machine(service.stranger)
    near = {*lab.machines[service.stranger].addresses}
    others = [name for name in targets if name != service.stranger]
    for name, seen in zip(others, flow.tcp(stranger, [(lab.fqdn(n), SSH) for n in others]), strict=True):
        if seen.state == "open" and near & {*lab.machines[name].addresses}:
            asked = ssh_server.methods(stranger, lab.fqdn(name), service.user)
            proof.holds(
                asked.answer == "refused",
                asked,
                side="negative",
                fr=f"{name} : une session est proposée à {service.stranger}, dans le périmètre des utilisateurs",
                en=f"{name}: a session is offered to {service.stranger}, in the users' perimeter",
            )
        else:
            proof.holds(
                seen.state != "open",
                seen,
                side="negative",
                fr=f"{name} : SSH est joignable depuis {service.stranger}",
                en=f"{name}: SSH can be reached from {service.stranger}",
            )
