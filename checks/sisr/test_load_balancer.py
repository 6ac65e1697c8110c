"""2.1.j: load balancing."""

from __future__ import annotations

from sio_lab.audit import outage
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.disruption import cuts
from sio_lab.disruption.watch import Watch
from sio_lab.lab.infrastructure import LoadBalancer
from sio_lab.probes import web
from sio_lab.text import Text

LONG_ENOUGH = 6.0
"""Seconds in which more than 100 HTTP requests are made."""
REQUESTS = 100
ATTEMPTS = 3
"""Measures at most: what fails in one alone may come from machines that are busy with something else."""
LIMIT = 1.0
"""Seconds without service that the loss of one of the machines behind may cost at most."""


@requirement(
    "2.1.j",
    title=Text("Répartition des requêtes", "Spread of the requests"),
    uses=["load_balancer"],
    one_sided="nobody is to be refused: it is counted who answers whom",
    deadline=60,
)
def test_requests_are_spread(proof: Proof, service: LoadBalancer) -> None:
    """Requests of a user are spread over the declared machines, each getting at least its declared share.

    Satisfied: of at least 100 requests, all are answered, each declared machine answers its share or more, and
    nobody else answers.
    Not satisfied: requests fail each time that this is measured, one machine gets less than its share, or one
    answers that is not declared.
    Unverified: the client does not answer, or made less than 100 requests.
    Reads: services.load_balancer.
    """
    for _ in range(ATTEMPTS):
        seen = proof.watch(_watch(service), seconds=LONG_ENOUGH)
        if seen.granted:
            break
    proof.works(seen, fr="des requêtes restent sans réponse", en="some requests get no answer")
    total = sum(seen.served.values())
    outage.enough(total, REQUESTS, service.client)
    told = ", ".join(f"{name or '?'} {100 * count / total:.0f} %" for name, count in sorted(seen.served.items()))
    proof.holds(
        all(100 * seen.served.get(name, 0) >= service.least_share * total for name in service.backends),
        seen,
        side="positive",
        fr=f"une machine reçoit moins de {service.least_share} % des requêtes ({told})",
        en=f"a machine gets less than {service.least_share} % of the requests ({told})",
    )
    proof.holds(
        set(seen.served) <= set(service.backends),
        seen,
        side="positive",
        fr=f"une autre machine que celles déclarées répond ({told})",
        en=f"another machine than those declared answers ({told})",
    )


@requirement(
    "2.1.j",
    title=Text("Arrêt d'un des serveurs répartis", "One of the machines behind stops"),
    intensity="disrupt",
    uses=["load_balancer"],
    disturbs=["load_balancer", "website"],
    deadline=180,
)
def test_a_dead_machine_leaves_the_rotation(proof: Proof, service: LoadBalancer) -> None:
    """The service of the last machine behind is stopped: users do not notice, and it comes back into the rotation.

    Satisfied: users are without service for 1 second at most; from then on the stopped machine answers nothing;
    once started again it answers as the others do.
    Not satisfied: users are without service for longer, the stopped machine still answers, or it stays away.
    Unverified: disruption is not allowed, the service was not well before, or the outage could not be measured.
    Reads: services.load_balancer.
    """
    machine, others = service.backends[-1], set(service.backends[:-1])
    user = proof.machine(service.client)

    def all_answer() -> bool:
        answers = [web.get(user, service.url, proof.ca) for _ in range(2 * len(service.backends))]
        return {answer.headers.get(service.served_by) for answer in answers} == set(service.backends)

    seen = proof.disrupt(cuts.stopped(machine, service.unit), watch=_watch(service), hold=5.0, until=all_answer)
    outage.really_cut(proof, seen)
    outage.short_enough(proof, seen, LIMIT)
    served = seen.served(seen.cut_at + LIMIT, seen.restored_at)
    proof.holds(
        bool(served) and set(served) <= others,
        seen,
        side="negative",
        fr=f"arrêtée, {machine} répond encore",
        en=f"stopped, {machine} still answers",
    )
    outage.back(proof, seen)


def _watch(service: LoadBalancer) -> Watch:
    return Watch(service.url, service.client, service.served_by)
