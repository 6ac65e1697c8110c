"""3.1.c: a database management system with its programming language."""

from __future__ import annotations

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.services import Dbms
from sio_lab.probes import sql_code
from sio_lab.text import Text


@requirement("3.1.c", title=Text("Fonction et déclencheur", "Function and trigger"), uses=["dbms"], deadline=60)
def test_function_and_trigger(proof: Proof, service: Dbms) -> None:
    """A function and a trigger are made in the DBMS's own language, called, seen to act, and removed.

    Satisfied: as the application, over verified TLS, a function with a loop returns what it should; a trigger
    changes a row that is written and refuses a bad one with its own words; without the trigger the same row is
    accepted; without the function its call is unknown; nothing is left. Who else gets in is 1.1.b's business.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, the certificate cannot be trusted, or the product is not known.
    Reads: services.dbms.
    """
    application = proof.machine(service.client)
    seen = sql_code.trial(application, service, proof.secret("services.dbms"), proof.ca)
    proof.works(
        seen,
        fr="aucune fonction ni aucun déclencheur ne peut être programmé dans le SGBD",
        en="neither a function nor a trigger can be programmed in the DBMS",
    )
    proof.holds(
        seen.computed,
        seen,
        side="positive",
        fr="la fonction ne renvoie pas ce qu'elle calcule",
        en="the function does not return what it computes",
    )
    proof.holds(
        seen.changed,
        seen,
        side="positive",
        fr="le déclencheur n'agit pas sur la ligne écrite",
        en="the trigger does not act on the row that is written",
    )
    limits = seen.limits
    assert limits is not None  # there are some wherever all was granted
    proof.holds(
        limits.guarded and limits.freed,
        limits,
        side="negative",
        fr="le déclencheur ne refuse pas la mauvaise ligne, ou n'est pas ce qui la refuse",
        en="the trigger does not refuse the bad row, or is not what refuses it",
    )
    proof.holds(
        limits.forgotten and not limits.left,
        limits,
        side="negative",
        fr=f"une fois le code retiré, il en reste ({', '.join(limits.left) or 'la fonction'})",
        en=f"once the code is removed, some is left ({', '.join(limits.left) or 'the function'})",
    )
