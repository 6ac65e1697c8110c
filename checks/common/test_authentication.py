"""1.1.a: authentication of internal and external users."""

from __future__ import annotations

import secrets
from time import sleep

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.lab.services import Directory, Portal
from sio_lab.probes import ldap, web
from sio_lab.text import Text

# Where directories note when an account logged in last: OpenLDAP (lastbind), its older overlay, Active Directory,
# 389 Directory Server, FreeIPA.
LAST_LOGIN = ("pwdLastSuccess", "authTimestamp", "lastLogon", "lastLoginTime", "krbLastSuccessfulAuth")
TICK = 1.1  # seconds: their clocks count whole seconds


@requirement("1.1.a", title=Text("Utilisateurs internes", "Internal users"), uses=["directory"])
def test_internal_users(proof: Proof, service: Directory) -> None:
    """An internal user logs in to the directory over an encrypted channel, and nobody else does.

    Satisfied: from a user's machine, over TLS whose certificate is verified, the account logs in and reads the
    directory; a wrong password is refused; without login the same search shows nothing.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, or the channel cannot be trusted.
    Reads: services.directory.
    """
    machine = proof.machine(service.client)
    account, password = service.account, proof.password(service.account)
    seen = ldap.search(machine, service, account, password, proof.ca)
    proof.works(
        seen,
        fr=f"{account} ne peut pas s'authentifier auprès de l'annuaire et le lire",
        en=f"{account} cannot log in to the directory and read it",
    )
    proof.holds(
        bool(seen.encrypted),
        seen,
        side="positive",
        fr="l'authentification passe en clair",
        en="the login goes in clear",
    )
    proof.refused(
        ldap.bind(machine, service, account, secrets.token_hex(8), proof.ca),
        fr="un mot de passe faux est accepté par l'annuaire",
        en="the directory accepts a wrong password",
    )
    proof.refused(
        ldap.anonymous_search(machine, service, proof.ca),
        fr="l'annuaire se lit sans authentification",
        en="the directory can be read without logging in",
    )


@requirement(
    "1.1.a", title=Text("Utilisateurs externes", "External users"), uses=["portal", "directory"], deadline=45
)
def test_external_users(lab: Lab, proof: Proof, service: Portal) -> None:
    """An external user logs in to the portal from outside, with the directory's word, and to no internal page.

    Satisfied: from outside, over verified TLS, the portal asks for a login and lets the external account in, and
    the directory notes that login, which proves that the portal relies on it; a wrong password is refused; on the
    page for internal users the internal account is let in, and the external one is not, from the same place.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, or the directory does not note when accounts log in.
    Reads: services.portal, services.directory.
    """
    outside, inside = proof.machine(service.outside_client), proof.machine(service.client)
    external = (service.account, proof.password(service.account))
    internal = (service.internal_account, proof.password(service.internal_account))
    logs_in_through_directory(lab, proof, service, external)
    proof.refused(
        web.get(outside, service.url, proof.ca),
        fr="le portail s'ouvre sans authentification",
        en="the portal opens without a login",
    )
    proof.refused(
        web.get(inside, service.url, proof.ca, auth=(service.account, secrets.token_hex(8))),
        fr="un mot de passe faux ouvre le portail",
        en="a wrong password opens the portal",
    )
    proof.works(
        web.get(inside, service.internal_url, proof.ca, auth=internal),
        fr=f"{service.internal_account} n'accède pas à la page interne",
        en=f"{service.internal_account} does not get at the internal page",
    )
    proof.refused(
        web.get(inside, service.internal_url, proof.ca, auth=external),
        fr=f"{service.account}, compte externe, accède à la page interne",
        en=f"{service.account}, an external account, gets at the internal page",
    )


def logs_in_through_directory(lab: Lab, proof: Proof, service: Portal, external: tuple[str, str]) -> None:
    """Judge that ``external`` gets in from outside, and that the directory was asked."""
    account = service.account
    before = last_login(lab, proof, account)
    sleep(TICK)
    proof.works(
        web.get(proof.machine(service.outside_client), service.url, proof.ca, auth=external),
        fr=f"{account} ne peut pas s'authentifier sur le portail depuis l'extérieur",
        en=f"{account} cannot log in to the portal from outside",
    )
    after = last_login(lab, proof, account)
    if noted(after) <= noted(before):
        must_note_logins(lab, proof, external, noted(after))
    proof.holds(
        not noted(after) <= noted(before),
        before,
        after,
        side="positive",
        fr=f"{account} s'est authentifié sur le portail sans que l'annuaire en sache rien",
        en=f"{account} logged in to the portal and the directory knows nothing of it",
    )


def must_note_logins(lab: Lab, proof: Proof, external: tuple[str, str], known: set[tuple[str, str]]) -> None:
    """Make sure that the directory would have noted a login of ``external``: it does when it is asked straight.

    Raises:
        InconclusiveError: it does not, or each of its servers notes its own.
    """
    directory = directory_of(lab)
    sleep(TICK)
    straight = ldap.bind(proof.machine(directory.client), directory, *external, proof.ca)
    if straight.answer == "refused":
        return  # what opens the portal does not open the directory: nothing more is needed
    if noted(last_login(lab, proof, external[0])) <= known or len(directory.machines) > 1:
        raise InconclusiveError(
            Text(
                "rien ne dit si le portail s'appuie sur l'annuaire, qui ne montre pas les connexions des comptes",
                "nothing tells whether the portal relies on the directory, which does not show logins of accounts",
            ),
            where="services.directory",
            todo=Text(
                "faites noter les connexions (OpenLDAP : lastbind on), lisibles par le compte interne, et donnez "
                "dans url le serveur que le portail interroge",
                "have it note logins (OpenLDAP: lastbind on), readable by the internal account, and give in url "
                "the server that the portal asks",
            ),
        )


def directory_of(lab: Lab) -> Directory:
    """Return the directory of ``lab``."""
    assert lab.services.directory is not None  # the check `uses` it
    return lab.services.directory


def last_login(lab: Lab, proof: Proof, account: str) -> ldap.LdapObservation:
    """Return what the directory notes of the logins of ``account``, as an internal user reads it."""
    directory = directory_of(lab)
    return ldap.search(
        proof.machine(directory.client),
        directory,
        directory.account,
        proof.password(directory.account),
        proof.ca,
        of=account,
        attributes=LAST_LOGIN,
    )


def noted(seen: ldap.LdapObservation) -> set[tuple[str, str]]:
    """Return the times of last logins that the directory showed."""
    return {
        (name, value)
        for entry in seen.entries
        for name, values in entry.attributes.items()
        if name in LAST_LOGIN
        for value in values
    }
