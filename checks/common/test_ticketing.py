"""1.3.a: incident management."""

from __future__ import annotations

import secrets
from contextlib import ExitStack

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.services import Ticketing
from sio_lab.probes import ticketing
from sio_lab.text import Text


@requirement("1.3.a", title=Text("Vie d'un ticket", "Life of a ticket"), uses=["ticketing"], deadline=60)
def test_life_of_a_ticket(proof: Proof, service: Ticketing) -> None:
    """A user reports an incident; the agent finds it by its number, answers it and closes it.

    Satisfied: all of that is seen, and neither a wrong password nor a visitor who has not logged in sees the
    ticket. The ticket is closed at the end: it stays in the application's history.
    Not satisfied: one step fails, or an outsider gets in.
    Unverified: the application does not answer in time, or its product is not known.
    Reads: services.ticketing.
    """
    machine = proof.machine(service.client)
    subject = f"Contrôle sio-lab {secrets.token_hex(4)}"
    with ExitStack() as stack:
        user, agent, outsider = (
            stack.enter_context(ticketing.desk(machine, service, proof.ca)) for _ in ("user", "agent", "outsider")
        )
        proof.works(
            user.login(service.account, proof.password(service.account)),
            fr=f"{service.account} ne peut pas se connecter",
            en=f"{service.account} cannot log in",
        )
        opened = user.open(subject, "Ticket ouvert par un contrôle automatique ; il sera clos aussitôt.")
        proof.works(
            opened,
            fr=f"{service.account} ne peut pas ouvrir de ticket",
            en=f"{service.account} cannot open a ticket",
        )
        proof.works(
            agent.login(service.agent, proof.password(service.agent)),
            fr=f"{service.agent} ne peut pas se connecter",
            en=f"{service.agent} cannot log in",
        )
        found = agent.find(opened.number)
        proof.works(found, fr="l'agent ne trouve pas le ticket", en="the agent does not find the ticket")
        proof.holds(
            found.subject == subject,
            found,
            side="positive",
            fr=f"le ticket {opened.number} n'est pas celui qui a été ouvert",
            en=f"ticket {opened.number} is not the one that was opened",
        )
        proof.refused(
            outsider.find(opened.number),
            fr="le ticket se lit sans être connecté",
            en="the ticket can be read without logging in",
        )
        proof.refused(
            outsider.login(service.account, secrets.token_hex(8)),
            fr="un mot de passe faux ouvre une session",
            en="a wrong password opens a session",
        )
        proof.works(
            agent.answer(opened.number, "Réponse du contrôle automatique."),
            fr="l'agent ne peut pas répondre",
            en="the agent cannot answer",
        )
        closed = agent.close(opened.number)
        proof.holds(
            closed.granted and closed.closed,
            closed,
            side="positive",
            fr="l'agent ne peut pas clore le ticket",
            en="the agent cannot close the ticket",
        )
