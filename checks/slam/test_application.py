"""3.2: two operational applications: secured access, data that a remote site hosts, calls between them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from ipaddress import IPv4Address, ip_address
from time import monotonic, sleep
from urllib.parse import urlsplit

from sio_lab.audit import applications
from sio_lab.audit.applications import Planted
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.disruption import cuts
from sio_lab.errors import InconclusiveError, ProbeError
from sio_lab.lab.model import Lab
from sio_lab.lab.software import Application
from sio_lab.probes import cleartext, dialogue, flow, system, web
from sio_lab.probes.application import Api, ApiObservation
from sio_lab.text import Text

WANTED = 2
LOOK = 5.0
"""Seconds at least that packets are looked for; several times what an answer takes, where that is long."""
RETURN = 90.0
"""Seconds within which the data must be there again, once the remote site is."""


@requirement("3.2", title=Text("Accès, données et appels", "Access, data and calls"), deadline=180)
def test_applications(lab: Lab, proof: Proof) -> None:
    """Each application is reached over TLS by who logs in alone, with data of the remote site, and calls another.

    Satisfied: two applications at least; of each, the interface answers over verified TLS and nothing of it in
    clear; the account logs in, adds an entry, reads it and removes it; a wrong password, no token and a false
    token are refused; what is added to the application that it calls appears in its own answer, while packets
    are seen to go there; the remote site stands in none of the application's perimeters.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: no application is declared, or a machine or an application does not answer.
    Reads: applications, machines, perimeters.
    """
    found = applications.declared(lab)
    for name, application in found.items():
        secured(proof, application)
        calls(lab, proof, name)
        access(proof, application)
        remote(lab, proof, application)
    enough(proof, found)


def enough(proof: Proof, found: Mapping[str, Application]) -> None:
    """Judge that there are applications enough."""
    proof.holds(
        len(found) >= WANTED,
        side="positive",
        fr=f"{len(found)} application déclarée, pour {WANTED} demandées",
        en=f"{len(found)} application declared, for {WANTED} asked for",
    )


def secured(proof: Proof, application: Application) -> None:
    """Judge that users get the application over TLS, and nobody in clear, by the port of TLS or that of HTTP."""
    machine, url = proof.machine(application.client), application.api.version_url
    proof.works(
        web.get(machine, url, proof.ca),
        fr=f"{application.title} : {url} ne répond pas en TLS",
        en=f"{application.title}: {url} does not answer over TLS",
    )
    parts = urlsplit(application.api.data_url)
    host, ports = parts.hostname or "", sorted({80, parts.port or 443})
    ways = flow.tcp(machine, [(host, port) for port in ports])
    for port in [way.port for way in ways if way.granted]:
        for path in sorted({parts.path, urlsplit(url).path}):
            reply = cleartext.get(machine, f"http://{host}:{port}{path or '/'}")
            proof.holds(
                not reply.reply.startswith(("HTTP/1.1 2", "HTTP/1.0 2")),
                reply,
                side="negative",
                fr=f"{application.title} : se lit en clair par le port {port}",
                en=f"{application.title}: can be read in clear by port {port}",
            )


def access(proof: Proof, application: Application) -> None:
    """Judge that who logs in works on the data, and that nobody else sees anything."""
    title, account = application.title, application.account
    user = applications.user(proof, application)
    proof.refused(
        applications.somebody(proof, application).login(account, secrets.token_hex(8)),
        fr=f"{title} : un mot de passe faux donne accès",
        en=f"{title}: a wrong password gives access",
    )
    with applications.planted(proof, application, user, "access") as entry:
        for token, fr, en in (
            ("", "sans jeton", "without a token"),
            (secrets.token_hex(32), "avec un jeton faux", "with a false token"),
        ):
            outsider = applications.somebody(proof, application, token)
            for seen, shown, what, thing in (
                (outsider.list(), entry.mark, "les données se lisent", "the data can be read"),
                (outsider.add(entry.mark), "", "des données s'ajoutent", "data can be added"),
                (outsider.remove(entry.id), "", "des données se suppriment", "data can be removed"),
                (outsider.called(entry.mark), "", "l'autre application se lit", "the other one can be read"),
            ):
                applications.kept_out(
                    proof, seen, fr=f"{title} : {what} {fr}", en=f"{title}: {thing} {en}", shown=shown
                )
        proof.works(
            applications.served(user.remove, entry.id),
            fr=f"{title} : {account} ne peut pas retirer son ajout",
            en=f"{title}: {account} cannot remove the addition again",
        )
        left = applications.served(user.list)
        proof.holds(
            left.granted and not left.ids(entry.mark),
            left,
            side="negative",
            fr=f"{title} : ce qui est retiré reste dans la liste",
            en=f"{title}: what is removed stays in the list",
        )


def calls(lab: Lab, proof: Proof, name: str) -> None:
    """Judge that the application ``name`` answers with what it asks the other one for, over the network."""
    application = lab.applications[name]
    called = lab.applications[application.calls]
    user, other = applications.user(proof, application), applications.user(proof, called)
    caller = proof.machine(application.machines[0])
    servers, port = addresses(lab, called.machines), urlsplit(called.api.data_url).port or 443
    with applications.planted(proof, called, other, "called") as entry:
        seen = applications.served(user.called, entry.mark)
        proof.holds(
            seen.granted and entry.mark in seen.body,
            seen,
            side="positive",
            fr=f"{application.title} : ne montre pas ce qu'on vient d'ajouter à « {called.title} » ({told(seen)})",
            en=f"{application.title}: does not show what was just added to '{called.title}' ({told(seen)})",
        )
        nobodys = f"{entry.mark}{secrets.token_hex(2)}"
        unknown = user.called(nobodys)
        proof.holds(
            nobodys not in unknown.body,
            unknown,
            side="negative",
            fr=f"{application.title} : répète ce qu'on lui demande, au lieu de le chercher ailleurs",
            en=f"{application.title}: repeats what it is asked for, instead of searching elsewhere",
        )
        seconds = round(max(LOOK, 3 * seen.evidence.duration), 1)
        proof.works(
            dialogue.during(caller, servers, port, lambda: user.called(entry.mark), seconds=seconds),
            fr=f"{application.title} : n'envoie rien à « {called.title} » (port {port}) quand on l'interroge",
            en=f"{application.title}: sends nothing to '{called.title}' (port {port}) when it is asked",
        )


def addresses(lab: Lab, machines: Iterable[str]) -> frozenset[IPv4Address]:
    """Return the addresses of ``machines``, those that they share included."""
    names = {each for name in machines for each in (name, *lab.shared_by(name))}
    return frozenset(address for name in names for address in lab.addresses_of(name).values())


def remote(lab: Lab, proof: Proof, application: Application) -> None:
    """Judge that the site of the data is away: as declared, and by the addresses that its machine really has."""
    own = {perimeter for machine in application.machines for perimeter in lab.machines[machine].addresses}
    seen = system.identify(proof.machine(application.remote))
    networks = {perimeter: lab.perimeters[perimeter].cidr for perimeter in sorted(own)}
    near = [
        perimeter
        for perimeter, network in networks.items()
        if perimeter in lab.machines[application.remote].addresses
        or any(ip_address(address) in network for address in seen.addresses)
    ]
    proof.holds(
        not near,
        seen,
        side="negative",
        fr=f"{application.title} : données non distantes, {application.remote} est aussi dans {', '.join(near)}",
        en=f"{application.title}: its data is not remote, {application.remote} stands in {', '.join(near)} too",
    )


def told(seen: ApiObservation) -> str:
    """Return what ``seen`` says of itself, in a few words."""
    return seen.detail or f"HTTP {seen.status}"


def disturbed(lab: Lab) -> set[str]:
    """Return what cannot be relied on while a remote site is cut: it, and whatever names it."""
    sites = {application.remote for application in lab.applications.values()}
    services = {name: getattr(lab.services, name) for name in type(lab.services).model_fields}
    named = {name for name, each in services.items() if each and not sites.isdisjoint(each.machines_named())}
    # Encryption and supervision look at every service or machine.
    return sites | named | {"encryption", "supervision"}


@requirement(
    "3.2",
    title=Text("Coupure du site distant", "Loss of the remote site"),
    intensity="disrupt",
    disturbs=disturbed,
    deadline=400,
)
def test_the_remote_site_is_lost(lab: Lab, proof: Proof) -> None:
    """The remote site loses its power: the applications still answer, but have no data; given back, it is there.

    Satisfied: an entry is read before; while the site is cut, each application still says its version, and the
    request for its data gets neither an answer nor the entry; once the site is back, the entry is read again.
    Not satisfied: an application goes on showing data, which thus comes from elsewhere; or it does not come back.
    Unverified: disruption is not allowed, no application is declared, or an application does not answer at all.
    Reads: applications.
    """
    found = applications.declared(lab)
    for site in dict.fromkeys(application.remote for application in found.values()):
        concerned = [application for application in found.values() if application.remote == site]
        with ExitStack() as stack:
            entries: list[tuple[Application, Api, Planted]] = []
            for application in concerned:
                user = applications.user(proof, application)
                planted = stack.enter_context(applications.planted(proof, application, user, "lost"))
                entries.append((application, user, planted))
            with proof.cut(cuts.power(site), within=RETURN) as cut:
                if cut.granted:
                    raise InconclusiveError(
                        Text("la coupure n'a pas eu lieu", "the cut did not take place"), where=site
                    )
                proof.refused(cut, fr="", en="")
                alone = [(user.version(), user.list()) for _, user, _ in entries]
            # Judged once all is back: what was added can then be removed, whatever is concluded.
            end = monotonic() + RETURN
            seen_again = [back(proof, user, entry, end) for _, user, entry in entries]
            for (application, _, entry), (alive, seen), again in zip(entries, alone, seen_again, strict=True):
                without_data(proof, application, entry, alive, seen)
                proof.holds(
                    bool(again.ids(entry.mark)),
                    again,
                    side="positive",
                    fr=f"{application.title} : les données ne reviennent pas avec le site distant ({told(again)})",
                    en=f"{application.title}: the data does not come back with the remote site ({told(again)})",
                )


def without_data(
    proof: Proof, application: Application, entry: Planted, alive: ApiObservation, seen: ApiObservation
) -> None:
    """Judge that the application was there, and had no data.

    Raises:
        InconclusiveError: it was not there: no wonder then.
    """
    if not alive.granted:
        raise InconclusiveError(
            Text(
                f"l'application ne répond plus du tout : cela ne prouve rien ({told(alive)})",
                f"the application does not answer at all: it proves nothing ({told(alive)})",
            ),
            where=alive.evidence.target,
        )
    proof.holds(
        not 200 <= seen.status < 300 and entry.mark not in seen.body,
        alive,
        seen,
        side="negative",
        fr=f"{application.title} : montre encore des données, le site distant coupé",
        en=f"{application.title}: still shows data, with the remote site cut",
    )


def back(proof: Proof, user: Api, entry: Planted, end: float) -> ApiObservation:
    """Return the list once the entry is in it again, or as it is at the ``end`` (on the monotonic clock)."""
    while True:
        try:
            seen = user.list()
            if seen.ids(entry.mark) or monotonic() >= end or not proof.goes_on():
                return seen
        except ProbeError:
            if monotonic() >= end:
                raise
        sleep(1)
