"""Les deux services que l'application appelle en HTTPS : le site distant (données) et l'application des licences.

Rien de ce qu'ils répondent n'est gardé : s'ils ne répondent pas, l'application le dit.
"""

from urllib.parse import urljoin

import requests
from django.conf import settings

TROUVE, CREE, SUPPRIME, REFUSE, ABSENT = 200, 201, 204, 400, 404


class Indisponible(Exception):
    """Un service n'a pas répondu, ou pas comme il devait ; le message est pour l'utilisateur."""


class Refus(Exception):
    """Le site distant ne veut pas de cette entrée."""


def _appeler(methode, url, jeton, qui, **options):
    """Faire une requête ; rendre la réponse. Toute réponse qui n'est pas attendue vaut une absence de réponse."""
    if not url.startswith("https://"):
        raise Indisponible(f"{qui} : adresse absente")
    try:
        with requests.Session() as session:
            session.trust_env = False  # ni mandataire ni mot de passe pris dans l'environnement
            return session.request(
                methode,
                url,
                headers={"Authorization": f"Bearer {jeton}", "Accept": "application/json"},
                verify=settings.CA_FILE,
                timeout=settings.DELAI,
                allow_redirects=False,
                **options,
            )
    except (requests.RequestException, OSError) as erreur:
        raise Indisponible(f"{qui} ne répond pas") from erreur


def _liste(reponse, qui):
    """Rendre la liste d'entrées que contient la réponse."""
    if reponse.status_code != TROUVE:
        raise Indisponible(f"{qui} ne répond pas comme prévu ({reponse.status_code})")
    entrees = _json(reponse, qui)
    if not isinstance(entrees, list) or not all(isinstance(e, dict) and "id" in e for e in entrees):
        raise Indisponible(f"{qui} ne répond pas comme prévu")
    return entrees


def _json(reponse, qui):
    try:
        return reponse.json()
    except ValueError as erreur:
        raise Indisponible(f"{qui} ne répond pas comme prévu") from erreur


class Collection:
    """Une collection d'entrées du site distant : « regates », « inscriptions »."""

    QUI = "Le site distant"

    def __init__(self, nom):
        self.nom = nom

    def lister(self, cherche=""):
        """Rendre les entrées, ou celles qui contiennent le mot cherché."""
        parametres = {"cherche": cherche} if cherche else None
        return _liste(self._demander("GET", params=parametres), self.QUI)

    def ajouter(self, entree):
        """Ajouter une entrée ; la rendre avec l'id que le site distant lui a donné."""
        reponse = self._demander("POST", json=entree)
        if reponse.status_code == REFUSE:
            raise Refus
        if reponse.status_code != CREE:
            raise Indisponible(f"{self.QUI} ne répond pas comme prévu ({reponse.status_code})")
        creee = _json(reponse, self.QUI)
        if not isinstance(creee, dict) or "id" not in creee:
            raise Indisponible(f"{self.QUI} ne répond pas comme prévu")
        return creee

    def supprimer(self, numero):
        """Supprimer une entrée ; dire si elle existait."""
        reponse = self._demander("DELETE", f"/{int(numero)}")
        if reponse.status_code not in (SUPPRIME, ABSENT):
            raise Indisponible(f"{self.QUI} ne répond pas comme prévu ({reponse.status_code})")
        return reponse.status_code == SUPPRIME

    def _demander(self, methode, suite="", **options):
        url = urljoin(settings.DATA_URL, self.nom + suite)
        return _appeler(methode, url, settings.DATA_TOKEN, self.QUI, **options)


REGATES = Collection("regates")
INSCRIPTIONS = Collection("inscriptions")


def licences(cherche):
    """Demander à l'application des licences celles qui contiennent le mot."""
    qui = "L'application des licences"
    parametres = {"cherche": cherche}
    reponse = _appeler("GET", settings.PARTNER_DATA_URL, settings.PARTNER_TOKEN, qui, params=parametres)
    mot = cherche.casefold()
    return [entree for entree in _liste(reponse, qui) if mot in _texte(entree)]


def _texte(entree):
    return "\n".join(str(valeur) for valeur in entree.values()).casefold()
