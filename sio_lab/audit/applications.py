"""What checks of applications do alike: who uses them, and what is put in their data for a trial."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec

from sio_lab.audit.proof import Proof
from sio_lab.errors import InconclusiveError, ProbeError
from sio_lab.lab.model import Lab
from sio_lab.lab.software import Application
from sio_lab.probes.application import Api, ApiObservation
from sio_lab.probes.browser import PageObservation
from sio_lab.probes.observation import Seen, tried_again
from sio_lab.text import Text

Asked = ParamSpec("Asked")

REFUSALS = frozenset({401, 403})
"""RFC 9110 §15.5.2 and §15.5.4: who asks is unknown, or may not."""


def declared(lab: Lab) -> Mapping[str, Application]:
    """Return the applications of ``lab``.

    Raises:
        InconclusiveError: there is none.
    """
    if not lab.applications:
        raise InconclusiveError(
            Text("aucune application n'est déclarée", "no application is declared"), where="applications"
        )
    return lab.applications


def having(lab: Lab, part: str, what: Text) -> dict[str, Application]:
    """Return the applications that declare ``part``: ``what``, in words.

    Raises:
        InconclusiveError: there is none.
    """
    found = {name: each for name, each in lab.applications.items() if getattr(each, part) is not None}
    if not found:
        raise InconclusiveError(
            Text(f"aucune application ne déclare {what.fr}", f"no application declares {what.en}"),
            where=f"applications.*.{part}",
        )
    return found


def somebody(proof: Proof, application: Application, token: str = "") -> Api:
    """Return the application as somebody reaches it from a user's machine, who has not logged in."""
    return Api(proof.machine(application.client), application.api, proof.ca, token)


def user(proof: Proof, application: Application) -> Api:
    """Positive side: return the application as its user reaches it, once logged in."""
    api = somebody(proof, application)
    proof.works(
        served(api.login, application.account, proof.password(application.account)),
        fr=f"{application.title} : {application.account} ne peut pas se connecter",
        en=f"{application.title}: {application.account} cannot log in",
    )
    return api


@dataclass(frozen=True, slots=True)
class Planted:
    """An entry that was added for a trial; made by ``planted``.

    Attributes:
        mark: word that nobody else uses.
        seen: the answer to who added it.
    """

    mark: str
    seen: ApiObservation

    @property
    def id(self) -> str:
        """The entry's own name; empty where none was given."""
        return str(self.seen.entries[0]["id"]) if self.seen.entries else ""


@contextmanager
def planted(proof: Proof, application: Application, api: Api, kind: str) -> Iterator[Planted]:
    """Add an entry that holds a mark to the application's data, judge that it is there, and remove it in the end.

    What an earlier, interrupted check of this ``kind`` left is removed first. Kinds are words of which none begins
    like another: checks run at the same time.

    Raises:
        NotSatisfiedError: it cannot be added, or is not in the list.
    """
    title, start = application.title, f"siolab{kind}"
    _sweep(api, rf"{start}[0-9a-f]{{12}}")
    mark = f"{start}{secrets.token_hex(6)}"
    made = Planted(mark, served(api.add, mark))
    try:
        proof.works(
            made.seen,
            fr=f"{title} : {application.account} ne peut rien ajouter",
            en=f"{title}: {application.account} cannot add anything",
        )
        shown = served(api.list)
        proof.holds(
            bool(shown.ids(mark)),
            shown,
            side="positive",
            fr=f"{title} : ce qui vient d'être ajouté n'est pas dans la liste ({_told(shown)})",
            en=f"{title}: what was just added is not in the list ({_told(shown)})",
        )
        yield made
    finally:
        if made.id:  # at once: who lets a check go stops it at its next exchange
            with suppress(ProbeError):
                api.remove(made.id)
        _sweep(api, mark)


def kept_out(proof: Proof, seen: ApiObservation, *, fr: str, en: str, shown: str = "") -> None:
    """Negative side: who has no right was told so, and saw nothing of what access would have ``shown``.

    Raises:
        NotSatisfiedError: it was granted, or shown.
        InconclusiveError: nobody answered, or it was refused for a reason that has nothing to do with rights.
    """
    given = seen.granted or bool(shown and shown in seen.body)
    if not given and seen.status not in REFUSALS:
        raise InconclusiveError(
            Text(
                f"refusé, mais pas faute de droit : cela ne prouve rien ({seen.detail or seen.status})",
                f"refused, but not for want of a right: it proves nothing ({seen.detail or seen.status})",
            ),
            where=seen.evidence.target,
        )
    proof.holds(not given, seen, side="negative", fr=fr, en=en)


def served(ask: Callable[Asked, Seen], *args: Asked.args, **kwargs: Asked.kwargs) -> Seen:
    """Return what ``ask`` saw, which should be granted: what a busy application turns away is asked once more."""
    return tried_again(partial(ask, *args, **kwargs), "a busy application turns a request away now and then")


def page_shows(proof: Proof, title: str, seen: PageObservation, mark: str) -> None:
    """Positive side: the page shows ``mark`` to who logs in, and did not before."""
    proof.works(
        seen,
        fr=f"{title} : la page ne montre pas ce qui vient d'être ajouté aux données",
        en=f"{title}: the page does not show what was just added to the data",
    )
    proof.holds(
        mark not in seen.before,
        seen,
        side="positive",
        fr=f"{title} : la page montre les données avant toute connexion",
        en=f"{title}: the page shows the data before anybody logs in",
    )


def page_hides(proof: Proof, title: str, seen: PageObservation, mark: str) -> None:
    """Negative side: a wrong password was refused: nothing of ``mark`` is in the page."""
    proof.holds(
        seen.answer != "unavailable" and mark not in seen.source + seen.before,
        seen,
        side="negative",
        fr=f"{title} : la page montre les données malgré un mot de passe faux",
        en=f"{title}: the page shows the data in spite of a wrong password",
    )


def _sweep(api: Api, word: str) -> None:
    """Remove the entries in which ``word`` is found, as far as the application lets it be done."""
    with suppress(ProbeError):  # what matters is how the check ended; a later one removes the rest
        for id_ in api.list().ids(word):
            api.remove(id_)


def _told(seen: ApiObservation) -> str:
    return seen.detail or f"{len(seen.entries)}"
