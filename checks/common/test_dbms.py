"""1.1.b: a database management system that an application uses, and nobody else."""

from __future__ import annotations

import secrets

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Dbms
from sio_lab.probes import flow, sql
from sio_lab.text import Text


@requirement("1.1.b", title=Text("Compte applicatif du SGBD", "Application account of the DBMS"), uses=["dbms"])
def test_application_account(lab: Lab, proof: Proof, service: Dbms) -> None:
    """The application's account works on its data; without its password, or from a user's machine, nobody does.

    Satisfied: from the application's machine, over verified TLS, the account writes, reads back, gives up its
    transaction and leaves nothing; a wrong password is refused; the port is closed to the users' perimeter
    unless the flow matrix opens it.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, the certificate cannot be trusted, or the product is not known.
    Reads: services.dbms, flows, perimeters.
    """
    application = proof.machine(service.client)
    wrote = sql.write_and_roll_back(application, service, proof.secret("services.dbms"), proof.ca)
    proof.works(
        wrote,
        fr="le compte applicatif ne peut pas travailler dans la base",
        en="the application's account cannot work in the database",
    )
    proof.holds(
        wrote.read_back and wrote.rolled_back and bool(wrote.encrypted),
        wrote,
        side="positive",
        fr="ce qui est écrit n'est pas relu, n'est pas annulé, ou passe en clair",
        en="what is written is not read back, is not rolled back, or goes in clear",
    )
    proof.refused(
        sql.login(application, service, secrets.token_hex(8), proof.ca),
        fr="un mot de passe faux ouvre la base",
        en="a wrong password opens the database",
    )
    for name in strangers(lab, service):
        (seen,) = flow.tcp(proof.machine(name), [(service.host, service.port)], deadline=3)
        proof.holds(
            not seen.granted,
            seen,
            side="negative",
            fr=f"le port {service.port} est ouvert depuis {name}, ce qu'aucun flux n'autorise",
            en=f"port {service.port} is open from {name}, which no flow allows",
        )


def strangers(lab: Lab, service: Dbms) -> list[str]:
    """Return a machine of each users' perimeter from which no flow leads to the database."""
    target = lab.machine_of(service.host) or service.machines[0]
    there = {target, *lab.shared_by(target), *lab.machines[target].addresses}
    found = {}
    for name, machine in lab.machines.items():
        here = {name, *machine.addresses}
        opened = any(
            flow.source in here and flow.to in there and service.port in flow.tcp for flow in lab.flows
        ) or not there.isdisjoint(machine.addresses)
        for perimeter in lab.perimeters_with_role("users"):
            if perimeter in machine.addresses and machine.kind == "terminal" and not opened:
                found.setdefault(perimeter, name)
    return list(found.values())
