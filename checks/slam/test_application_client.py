"""3.2.a: code that runs on a fixed terminal, in a client program."""

from __future__ import annotations

import secrets

from sio_lab.audit import applications
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
from sio_lab.lab.software import HeavyClient
from sio_lab.probes.application import client_program
from sio_lab.text import Text


@requirement("3.2.a", title=Text("Client lourd", "Client program"), deadline=240)
def test_client_programs_show_the_data(lab: Lab, proof: Proof) -> None:
    """On its terminal, the client program shows what was just added through the interface of its application.

    Satisfied: run as declared, each client program that an application declares prints the entry; with a wrong
    password it fails, and does not show it.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: no application declares a client program, or a machine does not answer.
    Reads: applications.
    """
    what = Text("de client lourd", "a client program")
    for application in applications.having(lab, "heavy_client", what).values():
        client, account, title = application.heavy_client, application.account, application.title
        assert isinstance(client, HeavyClient)
        user, terminal = applications.user(proof, application), proof.machine(client.machine)
        with applications.planted(proof, application, user, "client") as entry:
            shown = applications.served(client_program, terminal, client.command, account, proof.password(account))
            wrong = client_program(terminal, client.command, account, secrets.token_hex(8))
        proof.works(
            shown,
            fr=f"{title} : le client lourd ne fonctionne pas",
            en=f"{title}: the client program does not work",
        )
        proof.holds(
            entry.mark in shown.stdout,
            shown,
            side="positive",
            fr=f"{title} : le client lourd ne montre pas ce qui vient d'être ajouté aux données",
            en=f"{title}: the client program does not show what was just added to the data",
        )
        proof.holds(
            not wrong.granted and entry.mark not in wrong.stdout + wrong.stderr,
            wrong,
            side="negative",
            fr=f"{title} : avec un mot de passe faux, le client lourd montre des données ou se dit satisfait",
            en=f"{title}: with a wrong password the client program shows data, or is content",
        )
