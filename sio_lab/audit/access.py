"""What checks of access control judge alike: who is kept out of a place, and whether that says anything."""

from __future__ import annotations

from sio_lab.audit.proof import Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.probes import ldap
from sio_lab.probes.area import Area, AreaObservation
from sio_lab.text import Text


def shut(
    proof: Proof, place: Area, who: Text, *, name: str, secret: str, planted: tuple[str, str]
) -> AreaObservation:
    """Negative side: ``who`` can neither read, nor see, nor write in ``place``; return the attempt to read.

    Args:
        proof: the check's own.
        place: the place, as they reach it.
        who: whom a failure is about: the subject of a sentence.
        name: what is there for others.
        secret: words that it holds.
        planted: name and content of what they try to write.

    Raises:
        NotSatisfiedError, InconclusiveError: as ``kept_out``.
    """
    read = place.read(name)
    kept_out(
        proof,
        read,
        shown=secret,
        fr=f"{who.fr} lit le contenu réservé",
        en=f"{who.en} reads the restricted content",
    )
    kept_out(
        proof,
        place.look(name),
        shown=name,
        fr=f"{who.fr} voit la liste du contenu réservé",
        en=f"{who.en} sees the list of the restricted content",
    )
    kept_out(
        proof,
        place.write(*planted),
        fr=f"{who.fr} écrit dans l'espace réservé",
        en=f"{who.en} writes in the restricted area",
    )
    return read


def kept_out(proof: Proof, seen: AreaObservation, *, fr: str, en: str, shown: str = "") -> None:
    """Negative side: access was refused, and as access control does it.

    Args:
        proof: the check's own.
        seen: the attempt.
        fr: what it means that it was granted.
        en: the same.
        shown: content or name that access would show: an answer without it (a login page, an empty list) is a
            refusal too. Empty for an attempt to write.

    Raises:
        NotSatisfiedError: it was granted.
        InconclusiveError: nobody answered, or it was refused for a reason that has nothing to do with access.
    """
    if seen.refusal == "other":
        raise InconclusiveError(
            Text(
                f"refusé, mais pas faute de droit : cela ne prouve rien ({seen.detail})",
                f"refused, but not for want of a right: it proves nothing ({seen.detail})",
            ),
            where=seen.evidence.target,
        )
    if seen.granted and shown:
        given = shown in seen.content or shown in seen.names
        proof.holds(not given, seen, side="negative", fr=fr, en=en)
    else:
        proof.refused(seen, fr=fr, en=en)


def known(lab: Lab, proof: Proof, account: str, refused: AreaObservation, wrong_password: AreaObservation) -> None:
    """Make sure that ``account`` was refused for what it may do, not as somebody whom nobody knows.

    The service itself shows it where it answers otherwise to a wrong password; else the lab's directory tells.

    Raises:
        InconclusiveError: neither does.
    """
    if refused.refusal == "rights" and wrong_password.refusal == "credentials":
        return
    directory = lab.services.directory
    if directory:
        machine = proof.machine(directory.client)
        if ldap.bind(machine, directory, account, proof.password(account), proof.ca).granted:
            return
    raise InconclusiveError(
        Text(
            f"rien ne montre que le compte {account} est valide : il est refusé comme un inconnu le serait",
            f"nothing shows that the account {account} is valid: it is refused as a stranger would be",
        ),
        where=refused.evidence.target,
        todo=Text("vérifiez son mot de passe dans l'annuaire", "check its password in the directory"),
    )
