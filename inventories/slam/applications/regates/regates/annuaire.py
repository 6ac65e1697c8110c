"""L'annuaire de la fédération, interrogé en LDAPS : c'est lui qui connaît les mots de passe."""

import ssl
from enum import Enum
from urllib.parse import urlsplit

from django.conf import settings
from ldap3 import Connection, Server, Tls
from ldap3.core.exceptions import LDAPException, LDAPSASLPrepError
from ldap3.utils.dn import escape_rdn


class Reponse(Enum):
    """Ce que l'annuaire dit d'un compte et d'un mot de passe."""

    INCONNU = "inconnu"
    INTERDIT = "interdit"  # connu, mais pas membre du groupe autorisé
    ACCEPTE = "accepte"


class AnnuaireIndisponible(Exception):
    """L'annuaire n'a pas répondu, ou pas comme il devait."""


def verifier(compte, mot_de_passe):
    """Demander à l'annuaire si ce mot de passe ouvre ce compte, et si le compte est membre du groupe autorisé."""
    base = settings.DIRECTORY_BASE_DN
    personne = f"uid={escape_rdn(compte)},ou=people,{base}"
    groupe = f"cn={settings.GROUPE_AUTORISE},ou=groups,{base}"
    try:
        connexion = ouvrir(personne, mot_de_passe)
        try:
            if not connexion.bind():
                return _refus(connexion)
            # Un compte hors du groupe n'a pas le droit de le lire : la comparaison ne réussit pas non plus.
            membre = connexion.compare(groupe, "member", personne)
            return Reponse.ACCEPTE if membre else Reponse.INTERDIT
        finally:
            connexion.unbind()
    except LDAPSASLPrepError:  # aucun mot de passe de l'annuaire ne contient ces caractères
        return Reponse.INCONNU
    except (LDAPException, OSError) as erreur:
        raise AnnuaireIndisponible(type(erreur).__name__) from erreur


def _refus(connexion):
    """Distinguer un mauvais mot de passe d'un annuaire qui va mal."""
    if connexion.result["description"] in ("invalidCredentials", "noSuchObject", "inappropriateAuthentication"):
        return Reponse.INCONNU
    raise AnnuaireIndisponible(connexion.result["description"])


def ouvrir(personne, mot_de_passe):
    """Préparer la connexion ; le certificat de l'annuaire, et son nom, sont vérifiés avec l'autorité du labo."""
    adresse = urlsplit(settings.DIRECTORY_URL)
    if adresse.scheme != "ldaps" or not adresse.hostname:
        raise AnnuaireIndisponible("DIRECTORY_URL doit être une adresse ldaps://")
    serveur = Server(
        adresse.hostname,
        port=adresse.port or 636,
        use_ssl=True,
        tls=Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings.CA_FILE),
        connect_timeout=settings.DELAI,
        get_info="NO_INFO",
    )
    return Connection(serveur, personne, mot_de_passe, receive_timeout=settings.DELAI, read_only=True)
