"""1.1.d: an environment where members work together, and nobody else."""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager

from sio_lab.audit.access import kept_out, known, shut
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Collaboration
from sio_lab.probes import dav
from sio_lab.probes.area import passage
from sio_lab.text import Text


@requirement(
    "1.1.d", title=Text("Partage entre membres", "Sharing between members"), uses=["collaboration"], deadline=60
)
def test_sharing_between_members(lab: Lab, proof: Proof, service: Collaboration) -> None:
    """A member shares an event or a file; another member sees the same, and nobody else does.

    Satisfied: over verified TLS, what the first member puts in the collection is found there by the second, who
    reads the same. An account of the organisation that is no member, and a visitor who gives none, can neither
    read, nor see, nor write; a member's name with a wrong password opens nothing. All is removed in the end.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: the service does not answer in time, or nothing shows that the outsider's account is valid.
    Reads: services.collaboration; services.directory, where the service treats an outsider as a stranger.
    """
    first, second = service.members
    with (
        reach(proof, service, (first, proof.password(first))) as author,
        reach(proof, service, (second, proof.password(second))) as reader,
        reach(proof, service, (service.outsider, proof.password(service.outsider))) as outsider,
        reach(proof, service, (first, secrets.token_hex(8))) as impostor,
        reach(proof, service, None) as visitor,
        passage(author) as start,
    ):
        name, summary = f"{start}{SUFFIX[service.protocol]}", f"Contrôle {start}"
        content = made(service, name, summary)
        proof.works(
            author.write(name, content), fr=f"{first} ne peut rien partager", en=f"{first} can share nothing"
        )
        found, read = reader.look(name), reader.read(name)
        for seen in (found, read):
            proof.works(
                seen,
                fr=f"{second} n'a pas accès à ce que {first} partage",
                en=f"{second} has no access to what {first} shares",
            )
        proof.holds(
            name in found.names and said(service, read.content) == said(service, content),
            found,
            read,
            side="positive",
            fr=f"{second} ne voit pas ce que {first} a partagé, ou voit autre chose",
            en=f"{second} does not see what {first} shared, or sees something else",
        )

        other = f"{start}-visitor{SUFFIX[service.protocol]}"
        who = Text("un visiteur sans mot de passe", "a visitor without a password")
        shut(proof, visitor, who, name=name, secret=summary, planted=(other, made(service, other, summary)))
        wrong = impostor.read(name)
        kept_out(
            proof,
            wrong,
            shown=summary,
            fr=f"un mot de passe faux donne les accès de {first}",
            en=f"a wrong password gives what {first} has access to",
        )
        other = f"{start}-outsider{SUFFIX[service.protocol]}"
        who = Text(f"{service.outsider}, qui n'est pas membre,", f"{service.outsider}, who is no member,")
        refused = shut(
            proof, outsider, who, name=name, secret=summary, planted=(other, made(service, other, summary))
        )
        known(lab, proof, service.outsider, refused, wrong)

        proof.works(
            author.remove(name), fr=f"{first} ne peut pas retirer son ajout", en=f"{first} cannot remove it again"
        )


SUFFIX = {"caldav": ".ics", "webdav": ".txt"}


def reach(
    proof: Proof, service: Collaboration, auth: tuple[str, str] | None
) -> AbstractContextManager[dav.Collection]:
    """Reach the shared collection as one person."""
    machine = proof.machine(service.client)
    return dav.collection(machine, service.url, proof.ca, auth, calendar=service.protocol == "caldav")


def made(service: Collaboration, name: str, summary: str) -> str:
    """Return what is shared under ``name``: an event, or a file."""
    return dav.event(name, summary) if service.protocol == "caldav" else summary


def said(service: Collaboration, content: str) -> object:
    """Return what must be the same for both: an event's name, title and day, or all of a file."""
    if service.protocol != "caldav":
        return content
    event = dav.said_by(content)
    return {key: event.get(key) for key in ("UID", "SUMMARY", "DTSTART")}
