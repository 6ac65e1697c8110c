"""Ce que les essais partagent : un faux site distant, un faux annuaire. Aucun n'ouvre de connexion réseau."""

import json
import socket
from urllib.parse import urlsplit

import pytest
import requests
from ldap3 import MOCK_SYNC, Connection, Server

from regates import annuaire, jetons

BASE = "dc=essai,dc=test"


class FauxReseau:
    """Le site distant et l'application des licences, à la place de la bibliothèque requests."""

    def __init__(self):
        self.collections = {"regates": [], "inscriptions": []}
        self.licences = [{"id": 7, "nom": "Anne Riou", "club": "Morgat"}]
        self.appels = []
        self.panne = {}  # machine → exception à lever, ou réponse (statut, texte)
        self.numero = 0

    def request(self, session, methode, url, **options):
        """Répondre comme requests.Session.request."""
        assert session.trust_env is False
        self.appels.append((methode, url, options))
        adresse = urlsplit(url)
        panne = self.panne.get(adresse.hostname)
        if isinstance(panne, Exception):
            raise panne
        if panne:
            return reponse(*panne)
        jeton = options["headers"]["Authorization"]
        if adresse.hostname == "licences.test":
            assert (methode, adresse.path) == ("GET", "/api/licences")
            return reponse(200, self.licences) if jeton == "Bearer jeton-partenaire" else reponse(401, {})
        assert jeton == "Bearer jeton-donnees"
        return self.donnees(methode, adresse.path.removeprefix("/api/regates/").split("/"), options)

    def donnees(self, methode, chemin, options):
        """Répondre comme le site distant."""
        entrees = self.collections[chemin[0]]
        if methode == "GET":
            mot = (options.get("params") or {}).get("cherche", "").lower()
            return reponse(200, [e for e in entrees if mot in json.dumps(e, ensure_ascii=False).lower()])
        if methode == "POST":
            self.numero += 1
            entrees.append({"id": self.numero, **options["json"]})
            return reponse(201, entrees[-1])
        gardees = [e for e in entrees if str(e["id"]) != chemin[1]]
        existait = len(gardees) < len(entrees)
        self.collections[chemin[0]] = gardees
        return reponse(204 if existait else 404, "")


def reponse(statut, contenu):
    """Rendre une réponse de requests."""
    faite = requests.Response()
    faite.status_code = statut
    faite._content = (contenu if isinstance(contenu, str) else json.dumps(contenu)).encode()
    return faite


def interdit(*_):
    """Refuser toute connexion réseau."""
    raise AssertionError("un essai a ouvert une connexion réseau")


@pytest.fixture(autouse=True)
def lieu(settings):
    """Se croire déployé."""
    settings.SERVICE_TOKEN = "jeton-service"
    settings.DATA_URL, settings.DATA_TOKEN = "https://donnees.test/api/regates/", "jeton-donnees"
    settings.PARTNER_DATA_URL, settings.PARTNER_TOKEN = "https://licences.test/api/licences", "jeton-partenaire"
    settings.CA_FILE = "/autorite.crt"
    settings.DIRECTORY_URL, settings.DIRECTORY_BASE_DN = "ldaps://annuaire.test", BASE
    settings.APP_TAG, settings.APP_COMMIT = "v1.0.0", "c" * 40


@pytest.fixture(autouse=True)
def reseau(monkeypatch):
    """Remplacer le réseau."""
    faux = FauxReseau()
    monkeypatch.setattr(socket.socket, "connect", interdit)
    monkeypatch.setattr(
        requests.Session, "request", lambda session, *args, **options: faux.request(session, *args, **options)
    )
    return faux


@pytest.fixture
def faux_annuaire(monkeypatch):
    """Remplacer l'annuaire : chloe est dans le groupe, denis n'y est pas."""

    def ouvrir(personne, mot_de_passe):
        connexion = Connection(Server("faux"), personne, mot_de_passe, client_strategy=MOCK_SYNC)
        for compte in ("chloe", "denis"):
            connexion.strategy.add_entry(
                f"uid={compte},ou=people,{BASE}", {"userPassword": f"secret-{compte}", "sn": compte}
            )
        connexion.strategy.add_entry(
            f"cn=internes,ou=groups,{BASE}", {"member": f"uid=chloe,ou=people,{BASE}", "cn": "internes"}
        )
        return connexion

    monkeypatch.setattr(annuaire, "ouvrir", ouvrir)


@pytest.fixture
def utilisateur(client):
    """Rendre un client de l'API, connecté."""
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {jetons.creer('chloe')}"
    return client


@pytest.fixture
def application(client):
    """Rendre un client de l'API avec le jeton des applications."""
    client.defaults["HTTP_AUTHORIZATION"] = "Bearer jeton-service"
    return client
