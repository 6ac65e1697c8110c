"""3.1.d: version control and issue tracking, for the members of a project."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from time import monotonic, sleep

from sio_lab.audit.access import kept_out, known
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import ProbeError
from sio_lab.lab.model import Lab
from sio_lab.lab.software import Forge
from sio_lab.probes import account, git, tracker
from sio_lab.text import Text

BRANCH = "controle-"
"""How the names of all branches that checks push begin."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody before the forge: what they are called in sentences, and both ways in."""

    who: Text
    git: git.Person
    tracker: tracker.Tracker


@dataclass(frozen=True, slots=True)
class People:
    """All who come: who may, and three who may not."""

    member: Person
    outsider: Person
    impostor: Person
    visitor: Person

    def strangers(self) -> tuple[Person, ...]:
        """Return those who may do nothing."""
        return self.outsider, self.impostor, self.visitor


@requirement(
    "3.1.d",
    title=Text("Commit lié à son anomalie", "Commit linked to its issue"),
    uses=["forge"],
    deadline=180,
)
def test_commit_and_its_issue(lab: Lab, proof: Proof, service: Forge) -> None:
    """A member clones, opens an issue, pushes a commit that names it, and finds it there; others are kept out.

    Satisfied: over verified TLS, with their password, the member clones the repository, opens an issue, reads it
    back, and pushes a commit whose message names it on a branch of its own; in the declared time the issue shows
    that commit, which it did not before. An account that is no member, a wrong password and a visitor without any
    can neither clone, nor push, nor open, nor see issues. Branch and issue are removed in the end; where issues
    cannot be deleted, this one is closed.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: the forge does not answer in time, or nothing shows that the outsider's account is valid.
    Reads: services.forge; services.directory, where the forge treats an outsider as a stranger.
    """
    folder, branch = account.place(), f"{BRANCH}{secrets.token_hex(6)}"
    with ExitStack() as stack:
        people = come(proof, service, stack, folder)
        back = f"{people.member.git.undo(branch)}; {account.removal(folder)}"
        with proof.put_back(service.client, back):
            judge_clones(lab, proof, service, people)
            with opened(proof, people) as (number, title):
                judge_issue(proof, people, number, title)
                commit = committed(proof, people, branch, service.reference.replace("{issue}", number))
                before = people.member.tracker.link(number, commit)
                proof.holds(
                    before.granted and not before.linked,
                    before,
                    side="negative",
                    fr="l'anomalie montre un commit qui n'a pas été poussé",
                    en="the issue shows a commit that was not pushed",
                )
                judge_pushes(proof, people, branch)
                judge_link(proof, service, people, number, commit)
                judge_deletion(proof, people, branch)


def come(proof: Proof, service: Forge, stack: ExitStack, folder: str) -> People:
    """Reach the forge as each of the four."""
    machine = proof.machine(service.client)
    member, outsider = service.account, service.outsider

    def person(place: str, who: Text, auth: tuple[str, str] | None) -> Person:
        reached = stack.enter_context(tracker.tracker(machine, service, proof.ca, auth))
        return Person(who, git.Person(machine, folder, place, service.repository, proof.ca, auth), reached)

    return People(
        person("member", Text.same(member), (member, proof.password(member))),
        person(
            "outsider",
            Text(f"{outsider}, qui n'est pas membre,", f"{outsider}, who is no member,"),
            (outsider, proof.password(outsider)),
        ),
        person(
            "impostor",
            Text(f"{member} avec un mot de passe faux", f"{member} with a wrong password"),
            (member, secrets.token_hex(8)),
        ),
        person("visitor", Text("un visiteur sans mot de passe", "a visitor without a password"), None),
    )


def judge_clones(lab: Lab, proof: Proof, service: Forge, people: People) -> None:
    """Judge who may have the repository."""
    proof.works(
        people.member.git.clone(),
        fr=f"{service.account} ne peut pas cloner le dépôt",
        en=f"{service.account} cannot clone the repository",
    )
    refused = {}
    for stranger in people.strangers():
        seen = stranger.git.clone()
        kept_out(
            proof, seen, fr=f"{stranger.who.fr} clone le dépôt", en=f"{stranger.who.en} clones the repository"
        )
        refused[stranger.who] = seen
    known(lab, proof, service.outsider, refused[people.outsider.who], refused[people.impostor.who])


@contextmanager
def opened(proof: Proof, people: People) -> Iterator[tuple[str, str]]:
    """Open an issue; it is removed in the end, whatever happens. What an interrupted check left goes first."""
    member = people.member
    tracker.sweep(member.tracker)
    title = f"{tracker.PREFIX}{secrets.token_hex(6)}"
    made = member.tracker.open(title, "Anomalie ouverte par un contrôle automatique, qui la retire aussitôt.")
    proof.works(
        made, fr=f"{member.who.fr} ne peut pas ouvrir d'anomalie", en=f"{member.who.en} cannot open an issue"
    )
    try:
        yield made.number, title
    except BaseException:
        with suppress(ProbeError):  # what matters is how the check ended
            member.tracker.remove(made.number)
        raise
    gone = member.tracker.remove(made.number)
    proof.holds(
        gone.closed,
        gone,
        side="positive",
        fr="l'anomalie ne se clôt pas",
        en="the issue cannot be closed",
    )


def judge_issue(proof: Proof, people: People, number: str, title: str) -> None:
    """Judge who may see the issue, and open others."""
    seen = people.member.tracker.read(number)
    proof.holds(
        seen.granted and seen.title == title,
        seen,
        side="positive",
        fr=f"l'anomalie {number} ne se relit pas",
        en=f"issue {number} cannot be read back",
    )
    for stranger in people.strangers():
        kept_out(
            proof,
            stranger.tracker.read(number),
            shown=title,
            fr=f"{stranger.who.fr} lit les anomalies",
            en=f"{stranger.who.en} reads the issues",
        )
        planted = stranger.tracker.open(f"{title}-bis", "Anomalie ouverte par un contrôle automatique.")
        try:
            kept_out(
                proof,
                planted,
                fr=f"{stranger.who.fr} ouvre une anomalie",
                en=f"{stranger.who.en} opens an issue",
            )
        finally:
            if planted.number:
                people.member.tracker.remove(planted.number)


def committed(proof: Proof, people: People, branch: str, reference: str) -> str:
    """Make a commit in the member's clone, whose message holds ``reference``; return its name."""
    made = people.member.git.commit(branch, f"{branch}.txt", f"Contrôle automatique, {reference}")
    proof.works(made, fr="aucun commit ne se fait dans le clone", en="no commit can be made in the clone")
    return made.commit


def judge_pushes(proof: Proof, people: People, branch: str) -> None:
    """Judge who may push; in the end the member's commit is on ``branch``."""
    member, clone = people.member, people.member.git.clone_folder
    for stranger in people.strangers():
        kept_out(
            proof,
            stranger.git.push(branch, clone),
            fr=f"{stranger.who.fr} pousse dans le dépôt",
            en=f"{stranger.who.en} pushes to the repository",
        )
    proof.works(
        member.git.push(branch, clone),
        fr=f"{member.who.fr} ne peut pas pousser",
        en=f"{member.who.en} cannot push",
    )


def judge_link(proof: Proof, service: Forge, people: People, number: str, commit: str) -> None:
    """Judge that the issue shows the commit that names it, in time."""
    end = monotonic() + service.delay_seconds
    seen = people.member.tracker.link(number, commit)
    while not seen.linked and monotonic() < end:
        sleep(0.5)
        seen = people.member.tracker.link(number, commit)
    proof.holds(
        seen.linked,
        seen,
        side="positive",
        fr=f"l'anomalie ne montre pas, en {service.delay_seconds} s, le commit qui la nomme",
        en=f"the issue does not show, within {service.delay_seconds} s, the commit that names it",
    )


def judge_deletion(proof: Proof, people: People, branch: str) -> None:
    """Judge that the branch is gone once it is deleted."""
    proof.works(
        people.member.git.delete(branch),
        fr="la branche d'essai ne se supprime pas",
        en="the branch of the trial cannot be deleted",
    )
    left = people.member.git.branches(branch)
    proof.holds(
        left.granted and not left.names,
        left,
        side="negative",
        fr="supprimée, la branche d'essai est encore là",
        en="the branch of the trial is still there once it is deleted",
    )
