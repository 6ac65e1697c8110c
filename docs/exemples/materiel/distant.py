"""Les deux services appelés en HTTPS : le site distant (nos données) et l'application des régates.

Rien de ce qu'ils répondent n'est gardé : quand ils ne répondent pas, nous n'avons pas de données.
"""

import requests

import reglages


class Indisponible(Exception):
    """Un service n'a pas répondu, ou pas comme prévu."""


def appeler(methode, adresse, jeton, attendus, **options):
    """Rendre (statut, contenu) ; tout autre statut que ceux attendus vaut une absence de réponse."""
    try:
        reponse = requests.request(
            methode,
            adresse,
            headers={"Authorization": f"Bearer {jeton}"},
            verify=reglages.CA_FILE,
            timeout=(reglages.CONNEXION, reglages.REPONSE),
            allow_redirects=False,  # suivre une redirection porterait le jeton ailleurs
            **options,
        )
        if reponse.status_code not in attendus:
            raise Indisponible(f"Données indisponibles (réponse {reponse.status_code}).")
        return reponse.status_code, reponse.json() if reponse.content else None
    except (requests.RequestException, OSError) as panne:  # OSError : l'autorité des certificats manque
        raise Indisponible("Données indisponibles : le service ne répond pas.") from panne


def lister(cherche):
    """Rendre nos entrées qui contiennent le mot."""
    return appeler("GET", notre_adresse(), reglages.DATA_TOKEN, {200}, params={"cherche": cherche})[1]


def ajouter(entree):
    """Ajouter une entrée ; la rendre avec son id, ou None si le site distant n'en veut pas."""
    statut, contenu = appeler("POST", notre_adresse(), reglages.DATA_TOKEN, {201, 400}, json=entree)
    return contenu if statut == 201 else None


def supprimer(numero):
    """Supprimer une entrée ; dire si elle existait."""
    return appeler("DELETE", f"{notre_adresse()}/{numero}", reglages.DATA_TOKEN, {204, 404})[0] == 204


def notre_adresse():
    """Rendre l'adresse de notre collection sur le site distant."""
    return f"{reglages.DATA_URL}materiels"


def regates(cherche):
    """Demander à l'application des régates celles qui contiennent le mot."""
    options = {"params": {"cherche": cherche}}
    _, liste = appeler("GET", reglages.PARTNER_DATA_URL, reglages.PARTNER_TOKEN, {200}, **options)
    # Elle a le droit d'ignorer « cherche » : on ne garde que ce qui est demandé.
    mot = cherche.casefold()
    return [regate for regate in liste if any(mot in str(texte).casefold() for texte in regate.values())]
