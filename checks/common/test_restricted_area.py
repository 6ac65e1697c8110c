"""1.1.g: resources that need an authorisation."""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager

from sio_lab.audit.access import kept_out, known, shut
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.lab.services import RestrictedArea
from sio_lab.probes import dav, sftp
from sio_lab.probes.area import Area, passage
from sio_lab.text import Text


@requirement(
    "1.1.g",
    title=Text("Ressources sous habilitation", "Resources under access control"),
    uses=["restricted_area"],
    deadline=60,
)
def test_authorised_only(lab: Lab, proof: Proof, service: RestrictedArea) -> None:
    """Who is authorised works in the area; a valid account that is not, and who gives none, stay outside.

    Satisfied: over a channel whose other end is verified, the authorised account writes, sees what it wrote, reads
    the same and removes it. A valid account without the authorisation, and a visitor without any, can neither
    read, nor see, nor write; a wrong password opens nothing. Nothing is left behind.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: the area does not answer in time, its protocol is not known, or nothing shows that the other
    account is valid.
    Reads: services.restricted_area; services.directory, where the area treats that account as a stranger.
    """
    login, other = service.account, service.unauthorised
    with (
        reach(proof, service, (login, proof.password(login))) as owner,
        reach(proof, service, (other, proof.password(other))) as unauthorised,
        reach(proof, service, (login, secrets.token_hex(8))) as impostor,
        reach(proof, service, None) as visitor,
        passage(owner) as start,
    ):
        name, content = f"{start}.txt", f"Contrôle {start}"
        proof.works(owner.write(name, content), fr=f"{login} ne peut pas écrire", en=f"{login} cannot write")
        seen, read = owner.look(), owner.read(name)
        proof.works(read, fr=f"{login} ne peut pas lire", en=f"{login} cannot read")
        proof.holds(
            name in seen.names and read.content == content,
            seen,
            read,
            side="positive",
            fr=f"{login} ne retrouve pas ce qui a été écrit",
            en=f"{login} does not find what was written",
        )

        who = Text("un visiteur sans mot de passe", "a visitor without a password")
        shut(proof, visitor, who, name=name, secret=content, planted=(f"{start}-visitor.txt", content))
        wrong = impostor.read(name)
        kept_out(
            proof,
            wrong,
            shown=content,
            fr=f"un mot de passe faux donne les accès de {login}",
            en=f"a wrong password gives what {login} has access to",
        )
        who = Text(f"{other}, sans habilitation,", f"{other}, without authorisation,")
        planted = (f"{start}-unauthorised.txt", content)
        refused = shut(proof, unauthorised, who, name=name, secret=content, planted=planted)
        known(lab, proof, other, refused, wrong)

        proof.works(owner.remove(name), fr=f"{login} ne peut pas supprimer", en=f"{login} cannot remove")
        left = owner.look()
        proof.holds(
            left.granted and not [kept for kept in left.names if kept.startswith(start)],
            left,
            side="negative",
            fr="ce qui a été supprimé est encore là",
            en="what was removed is still there",
        )


def reach(proof: Proof, service: RestrictedArea, auth: tuple[str, str] | None) -> AbstractContextManager[Area]:
    """Reach the area as one person.

    Raises:
        InconclusiveError: its protocol is not known.
    """
    machine = proof.machine(service.client)
    if service.protocol == "webdav":
        return dav.collection(machine, service.url, proof.ca, auth)
    if service.protocol == "sftp":
        keys = sftp.host_keys(proof.machine(service.machines[0]))
        return sftp.folder(machine, service.url, keys, auth)
    raise InconclusiveError(
        Text("un partage SMB n'est pas encore sondé", "an SMB share is not probed yet"),
        where="services.restricted_area.protocol",
        todo=Text("joignez une attestation pour 1.1.g", "add an attestation for 1.1.g"),
    )
