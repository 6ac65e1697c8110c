"""What checks of redundancy judge alike: whether users were without service for too long."""

from __future__ import annotations

from sio_lab.audit.proof import Proof
from sio_lab.disruption.account import DisruptionObservation
from sio_lab.errors import InconclusiveError
from sio_lab.text import Text


def enough(made: int, wanted: int, client: str) -> None:
    """Make sure that ``wanted`` requests were made.

    Raises:
        InconclusiveError: there were less.
    """
    if made < wanted:
        raise InconclusiveError(
            Text(f"{made} requêtes seulement, pour {wanted}", f"only {made} requests, for {wanted}"), where=client
        )


def really_cut(proof: Proof, seen: DisruptionObservation) -> None:
    """Negative side: what was cut no longer worked while it was. What goes on working then shows nothing.

    Raises:
        InconclusiveError: it still worked.
    """
    cut = seen.cut
    if cut.granted:
        raise InconclusiveError(
            Text(f"n'a pas eu lieu : {cut.cut.title.fr}", f"did not take place: {cut.cut.title.en}"),
            where=cut.cut.machine,
        )
    proof.refused(cut, fr="", en="")


def short_enough(proof: Proof, seen: DisruptionObservation, limit: float) -> None:
    """Positive side: the longest time without service kept to ``limit`` seconds.

    Raises:
        NotSatisfiedError: it was longer, or did not end.
        InconclusiveError: the limit lies between its bounds: it was not measured well enough.
    """
    outage, title = seen.outage, seen.cut.cut.title
    proof.holds(
        outage.over and outage.at_least <= limit,
        seen,
        side="positive",
        fr=f"{title.fr} : {_length(outage.at_most)} s sans service, pour {limit:g} s promises"
        if outage.over
        else f"{title.fr} : le service n'est pas revenu",
        en=f"{title.en}: {_length(outage.at_most)} s without service, for {limit:g} s promised"
        if outage.over
        else f"{title.en}: the service did not come back",
    )
    if outage.at_most > limit:
        bounds = f"{outage.at_least:.2f}–{outage.at_most:.2f} s"
        raise InconclusiveError(
            Text(
                f"{title.fr} : interruption mesurée à {bounds}, trop peu précise pour {limit:g} s",
                f"{title.en}: outage measured at {bounds}, not well enough for {limit:g} s",
            ),
            where=seen.timeline.url,
        )


def back(proof: Proof, seen: DisruptionObservation) -> None:
    """Positive side: once given back, machines are as before, the nominal state is back, users are served."""
    title = seen.cut.cut.title
    left = "".join(seen.left[:1])
    proof.holds(
        not left,
        seen,
        side="positive",
        fr=f"{title.fr} : après rétablissement, tout n'est pas comme avant ({left})",
        en=f"{title.en}: given back, not all is as before ({left})",
    )
    proof.holds(
        seen.nominal_at is not None,
        seen,
        side="positive",
        fr=f"{title.fr} : après rétablissement, le service ne revient pas à son état nominal",
        en=f"{title.en}: given back, the service does not come back to its nominal state",
    )
    proof.works(
        seen,
        fr=f"{title.fr} : après rétablissement, le service ne répond pas bien",
        en=f"{title.en}: given back, the service does not answer well",
    )


def _length(seconds: float) -> str:
    return f"{seconds:.1f}"
