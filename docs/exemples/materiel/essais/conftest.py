"""Ce que les essais partagent : un faux réseau et un faux annuaire. Aucune connexion ne s'ouvre."""

import socket

import pytest
import requests
from ldap3 import MOCK_SYNC, Connection, Server

import annuaire
import reglages
from materiel import application, jetons

BASE = "dc=essai,dc=test"


class FauxReseau:
    """Répond à la place de requests ce qu'un essai a préparé, et note ce qui est demandé."""

    def __init__(self):
        self.appels = []
        self.reponse = (200, "[]")

    def request(self, methode, adresse, **options):
        """Répondre comme requests.request."""
        self.appels.append((methode, adresse, options))
        if isinstance(self.reponse, Exception):
            raise self.reponse
        faite = requests.Response()
        faite.status_code, texte = self.reponse
        faite._content = texte.encode()
        return faite


@pytest.fixture(autouse=True)
def lieu(monkeypatch):
    """Se croire déployé, sans réseau."""
    for nom, valeur in {
        "APP_TAG": "v1.0.0",
        "APP_COMMIT": "c" * 40,
        "CA_FILE": "/autorite.crt",
        "DIRECTORY_BASE_DN": BASE,
        "DATA_URL": "https://donnees.test/api/materiel/",
        "DATA_TOKEN": "jeton-donnees",
        "PARTNER_DATA_URL": "https://regates.test/api/regates",
        "PARTNER_TOKEN": "jeton-partenaire",
        "SERVICE_TOKEN": "jeton-service",
    }.items():
        monkeypatch.setattr(reglages, nom, valeur)

    def interdit(*_):
        raise AssertionError("un essai a ouvert une connexion réseau")

    monkeypatch.setattr(socket.socket, "connect", interdit)


@pytest.fixture(autouse=True)
def reseau(monkeypatch):
    """Remplacer le réseau."""
    faux = FauxReseau()
    monkeypatch.setattr(requests, "request", faux.request)
    return faux


@pytest.fixture
def faux_annuaire(monkeypatch):
    """Remplacer l'annuaire : chloe est du groupe, denis n'en est pas."""

    def ouvrir(personne, mot_de_passe):
        connexion = Connection(Server("faux"), personne, mot_de_passe, client_strategy=MOCK_SYNC)
        for compte in ("chloe", "denis"):
            fiche = {"userPassword": f"secret-{compte}", "sn": compte}
            connexion.strategy.add_entry(f"uid={compte},ou=people,{BASE}", fiche)
        groupe = {"cn": "internes", "member": f"uid=chloe,ou=people,{BASE}"}
        connexion.strategy.add_entry(f"cn=internes,ou=groups,{BASE}", groupe)
        return connexion

    monkeypatch.setattr(annuaire, "ouvrir", ouvrir)


@pytest.fixture
def client():
    """Rendre un client de l'API, sans jeton."""
    return application.test_client()


@pytest.fixture
def chloe(client):
    """Rendre un client de l'API, connecté."""
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {jetons.dumps('chloe')}"
    return client


@pytest.fixture
def autre_application(client):
    """Rendre un client de l'API avec le jeton des applications."""
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer jeton-service"
    return client
