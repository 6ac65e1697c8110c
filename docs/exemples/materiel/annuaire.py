"""L'annuaire (LDAPS) : lui seul connaît les mots de passe."""

import re
import ssl
from urllib.parse import urlsplit

from ldap3 import Connection, Server, Tls
from ldap3.core.exceptions import LDAPException, LDAPSASLPrepError
from ldap3.core.results import RESULT_INVALID_CREDENTIALS

import reglages
from distant import Indisponible


def verifier(compte, mot_de_passe):
    """Rendre 200 si le compte a accès, 403 s'il n'est pas du groupe, 401 si l'annuaire ne le reconnaît pas."""
    # Un mot de passe vide ouvrirait une connexion anonyme ; d'autres caractères changeraient le sens du nom.
    if not mot_de_passe or not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", compte):
        return 401
    personne = f"uid={compte},ou=people,{reglages.DIRECTORY_BASE_DN}"
    groupe = f"cn={reglages.GROUPE},ou=groups,{reglages.DIRECTORY_BASE_DN}"
    try:
        connexion = ouvrir(personne, mot_de_passe)
        try:
            if connexion.bind():
                return 200 if connexion.compare(groupe, "member", personne) else 403
            if connexion.result["result"] == RESULT_INVALID_CREDENTIALS:
                return 401
            raise Indisponible("L'annuaire ne répond pas comme prévu.")
        finally:
            connexion.unbind()
    except LDAPSASLPrepError:  # des caractères qu'aucun mot de passe ne contient
        return 401
    except LDAPException as panne:
        raise Indisponible("L'annuaire ne répond pas.") from panne


def ouvrir(personne, mot_de_passe):
    """Préparer la connexion. Le certificat de l'annuaire est vérifié avec l'autorité du labo."""
    adresse = urlsplit(reglages.DIRECTORY_URL)
    serveur = Server(
        adresse.hostname or "localhost",
        port=adresse.port or 636,
        use_ssl=True,
        tls=Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=reglages.CA_FILE),
        connect_timeout=reglages.CONNEXION,
        get_info="NO_INFO",
    )
    return Connection(serveur, personne, mot_de_passe, receive_timeout=reglages.REPONSE)
