"""Qui entre, et qui reste dehors."""

import time

import pytest
from ldap3.core.exceptions import LDAPSocketOpenError

import annuaire
import reglages
from materiel import jetons


def connecter(client, compte, mot_de_passe):
    return client.post("/api/connexion", data={"identifiant": compte, "mot_de_passe": mot_de_passe})


def test_le_jeton_ouvre_l_api(client, faux_annuaire):
    reponse = connecter(client, "chloe", "secret-chloe")
    assert reponse.status_code == 200
    entetes = {"Authorization": f"Bearer {reponse.json['jeton']}"}
    assert client.get("/api/materiels", headers=entetes).status_code == 200


@pytest.mark.parametrize(
    ("compte", "mot_de_passe", "statut"),
    [
        ("chloe", "faux", 401),
        ("chloe", "", 401),
        ("", "secret-chloe", 401),
        ("inconnu", "secret", 401),
        ("chloe,ou=people", "secret-chloe", 401),
        ("chloe", "a\u0000b", 401),
        ("denis", "secret-denis", 403),
    ],
)
def test_acces_refuse(client, faux_annuaire, compte, mot_de_passe, statut):
    reponse = connecter(client, compte, mot_de_passe)
    assert reponse.status_code == statut
    assert list(reponse.json) == ["erreur"]


def test_annuaire_absent(client, monkeypatch):
    def ouvrir(*_):
        raise LDAPSocketOpenError("injoignable")

    monkeypatch.setattr(annuaire, "ouvrir", ouvrir)
    assert connecter(client, "chloe", "secret-chloe").status_code == 503


def test_le_certificat_de_l_annuaire_est_verifie(monkeypatch, tmp_path):
    autorite = tmp_path / "ca.crt"
    autorite.touch()
    monkeypatch.setattr(reglages, "CA_FILE", str(autorite))
    monkeypatch.setattr(reglages, "DIRECTORY_URL", "ldaps://annuaire.test")
    serveur = annuaire.ouvrir("uid=chloe", "secret").server
    assert (serveur.host, serveur.port, serveur.ssl) == ("annuaire.test", 636, True)
    assert serveur.tls.validate.name == "CERT_REQUIRED"
    assert serveur.tls.ca_certs_file == str(autorite)


def tout_demander(client, entetes):
    """Faire chaque demande de l'API ; rendre les statuts."""
    demandes = [
        ("GET", "/api/materiels"),
        ("POST", "/api/materiels"),
        ("DELETE", "/api/materiels/3"),
        ("GET", "/api/regates?cherche=brise"),
        ("GET", "/api/connexion"),
        ("GET", "/api/inconnue"),
    ]
    return [client.open(chemin, method=methode, headers=entetes).status_code for methode, chemin in demandes]


@pytest.mark.parametrize("valeur", ["", "Bearer", "Bearer faux", "Basic jeton-service", "Bearer é"])
def test_sans_jeton_valable_rien_n_est_demande(client, reseau, valeur):
    assert set(tout_demander(client, {"Authorization": valeur})) == {401}
    assert not reseau.appels


def test_un_jeton_perime_ne_vaut_rien(client, monkeypatch):
    avant = time.time() - reglages.DUREE_JETON - 2
    with monkeypatch.context() as hier:
        hier.setattr(time, "time", lambda: avant)
        jeton = jetons.dumps("chloe")
    assert client.get("/api/materiels", headers={"Authorization": f"Bearer {jeton}"}).status_code == 401


def test_sans_jeton_convenu_un_jeton_vide_ne_vaut_rien(client, monkeypatch):
    monkeypatch.setattr(reglages, "SERVICE_TOKEN", "")
    assert client.get("/api/materiels", headers={"Authorization": "Bearer "}).status_code == 401


def test_une_autre_application_ne_fait_que_lire(autre_application):
    assert tout_demander(autre_application, {}) == [200, 403, 403, 403, 403, 403]
