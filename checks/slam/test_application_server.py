"""3.2.d: code that runs on a server."""

from __future__ import annotations

from sio_lab.audit import applications
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
from sio_lab.probes.application import processes
from sio_lab.text import Text

REQUESTS = 10
LEAST = 0.5
"""Milliseconds of a processor that a request costs at least, be it the simplest."""


@requirement("3.2.d", title=Text("Interface et processus", "Interface and process"), deadline=180)
def test_the_server_runs_the_code(lab: Lab, proof: Proof) -> None:
    """On the server, the declared process runs, and works when the interface is asked.

    Satisfied: of each application, the interface lists what was just added, and refuses who has no token; the
    declared process runs on its machine, and spends a processor's time on requests.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: no application is declared, or a machine does not answer.
    Reads: applications.
    """
    for application in applications.declared(lab).values():
        title = application.title
        user, server = applications.user(proof, application), proof.machine(application.machines[0])
        with applications.planted(proof, application, user, "server") as entry:
            before = processes(server, application.process)
            proof.works(
                before,
                fr=f"{title} : aucun processus « {application.process} » sur {server.name}",
                en=f"{title}: no process '{application.process}' on {server.name}",
            )
            for _ in range(REQUESTS):
                proof.works(
                    applications.served(user.list), fr=f"{title} : ne répond plus", en=f"{title}: answers no more"
                )
            after = processes(server, application.process)
            applications.kept_out(
                proof,
                applications.somebody(proof, application).list(),
                shown=entry.mark,
                fr=f"{title} : les données se lisent sans jeton",
                en=f"{title}: the data can be read without a token",
            )
        worked = after.since(before)
        proof.holds(
            worked >= REQUESTS * LEAST,
            before,
            after,
            side="positive",
            fr=f"{title} : « {application.process} » n'y est pour rien ({worked:.1f} ms pour {REQUESTS} requêtes)",
            en=f"{title}: '{application.process}' has no part in it ({worked:.1f} ms for {REQUESTS} requests)",
        )
