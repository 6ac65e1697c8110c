"""Régates, inscriptions, licences : ce que l'API rend, ce qu'elle refuse, ce qu'elle dit des pannes."""

import json

import pytest
import requests

from regates import dates

REGATE = {"nom": "Coupe d'été", "lieu": "Camaret", "jour": "2026-07-14"}
MONTREE = REGATE | {"date": dates.lisible("2026-07-14")}
INSCRIPTION = {"regate": "1", "licence": "7", "skipper": "Anne Riou"}


def poster(client, adresse, contenu):
    corps = contenu if isinstance(contenu, str | bytes) else json.dumps(contenu)
    return client.post(adresse, corps, content_type="application/json")


def test_la_version_est_publique(client):
    assert client.get("/version").json() == {"application": "regates", "tag": "v1.0.0", "commit": "c" * 40}


@pytest.mark.parametrize(
    "adresse", ["regates", "regates/1", "inscriptions", "inscriptions/1", "licences", "connexions", "autre", ""]
)
@pytest.mark.parametrize(
    "autorisation", ["", "Bearer faux", "Bearer é", "Basic amV0b24=", "Bearer jeton-partenaire"]
)
@pytest.mark.parametrize("methode", ["GET", "POST", "DELETE", "PUT"])
def test_sans_jeton_rien(client, reseau, adresse, autorisation, methode):
    entetes = {"Authorization": autorisation.encode().decode("latin-1")} if autorisation else {}
    reponse = client.generic(methode, f"/api/{adresse}", headers=entetes)
    assert reponse.status_code == 401
    assert reponse.headers["WWW-Authenticate"] == "Bearer"
    assert not reseau.appels


def test_ajouter_lister_supprimer(utilisateur):
    creee = poster(utilisateur, "/api/regates", REGATE)
    assert (creee.status_code, creee.json()) == (201, {"id": 1, **MONTREE})
    assert utilisateur.get("/api/regates").json() == [{"id": 1, **MONTREE}]
    assert utilisateur.delete("/api/regates/1").status_code == 204
    assert utilisateur.delete("/api/regates/1").status_code == 404
    assert utilisateur.get("/api/regates").json() == []


def test_les_appels_sont_verifies_et_bornes(utilisateur, reseau, settings):
    utilisateur.get("/api/regates?cherche=été")
    (methode, url, options) = reseau.appels[0]
    assert (methode, url) == ("GET", "https://donnees.test/api/regates/regates")
    assert options["params"] == {"cherche": "été"}
    assert options["verify"] == settings.CA_FILE
    assert options["timeout"] == 3
    assert options["allow_redirects"] is False


@pytest.mark.parametrize(
    "contenu",
    [
        "",
        "non",
        "[]",
        b"\xff",
        "[" * 10000,
        {},
        {**REGATE, "nom": ""},
        {**REGATE, "nom": "x" * 81},
        {**REGATE, "nom": ["liste"]},
        {**REGATE, "nom": "a\u0000b"},
        {**REGATE, "lieu": "a\nb"},
        {**REGATE, "lieu": "\ud800"},
        {**REGATE, "jour": "14/07/2026"},
        {**REGATE, "jour": "2026-02-30"},
    ],
)
def test_une_regate_invalide_n_est_pas_envoyee(utilisateur, reseau, contenu):
    reponse = poster(utilisateur, "/api/regates", contenu)
    assert reponse.status_code == 400
    assert reponse.json()["erreur"]
    assert not reseau.appels


def test_une_requete_trop_grosse_est_refusee(utilisateur, reseau):
    reponse = poster(utilisateur, "/api/regates", {**REGATE, "nom": "x" * 100_000})
    assert reponse.status_code == 400
    assert reponse.json()["erreur"]


def test_seuls_les_champs_connus_sont_envoyes(utilisateur, reseau):
    poster(utilisateur, "/api/regates", {**REGATE, "id": "99", "admin": "oui"})
    assert reseau.appels[0][2]["json"] == REGATE


def test_inscrire_verifie_la_licence(utilisateur, reseau):
    poster(utilisateur, "/api/regates", REGATE)
    creee = poster(utilisateur, "/api/inscriptions", INSCRIPTION)
    assert (creee.status_code, creee.json()) == (201, {"id": 2, **INSCRIPTION})
    assert any(url == "https://licences.test/api/licences" for _, url, _ in reseau.appels)
    assert poster(utilisateur, "/api/inscriptions", INSCRIPTION).status_code == 409
    assert utilisateur.delete("/api/regates/1").status_code == 409
    assert utilisateur.delete("/api/inscriptions/2").status_code == 204
    assert utilisateur.delete("/api/regates/1").status_code == 204


@pytest.mark.parametrize(
    "changement",
    [
        {"licence": "8"},
        {"skipper": "Riou"},
        {"skipper": "Paul Riou"},
        {"regate": "9"},
        {"regate": "un"},
        {"licence": ""},
    ],
)
def test_inscription_refusee(utilisateur, reseau, changement):
    poster(utilisateur, "/api/regates", REGATE)
    assert poster(utilisateur, "/api/inscriptions", INSCRIPTION | changement).status_code == 400
    assert reseau.collections["inscriptions"] == []


def test_inscrire_sans_l_application_des_licences(utilisateur, reseau):
    poster(utilisateur, "/api/regates", REGATE)
    reseau.panne["licences.test"] = requests.ConnectTimeout()
    reponse = poster(utilisateur, "/api/inscriptions", INSCRIPTION)
    assert reponse.status_code == 503
    assert "licences" in reponse.json()["erreur"]
    assert reseau.collections["inscriptions"] == []


def test_licences_cherchees_chez_le_partenaire(utilisateur, reseau):
    reseau.licences.append({"id": 8, "nom": "Yann Le Bris", "club": "Brest"})
    assert utilisateur.get("/api/licences?cherche=riou").json() == [reseau.licences[0]]
    assert reseau.appels[0][2]["headers"]["Authorization"] == "Bearer jeton-partenaire"


@pytest.mark.parametrize(
    "panne",
    [
        requests.ConnectionError(),
        requests.ReadTimeout(),
        requests.exceptions.SSLError(),
        OSError("autorité absente"),
        (500, "[]"),
        (503, '{"erreur": "base absente"}'),
        (401, "{}"),
        (302, ""),
        (200, "<html>"),
        (200, '{"pas": "une liste"}'),
        (200, '["sans id"]'),
    ],
)
@pytest.mark.parametrize("machine", ["donnees.test", "licences.test"])
def test_une_panne_est_dite_sans_rien_montrer_d_ancien(utilisateur, reseau, panne, machine):
    adresse = "/api/regates" if machine == "donnees.test" else "/api/licences?cherche=riou"
    poster(utilisateur, "/api/regates", REGATE)
    assert utilisateur.get(adresse).json()
    reseau.panne[machine] = panne
    reponse = utilisateur.get(adresse)
    assert reponse.status_code == 503
    assert list(reponse.json()) == ["erreur"]


@pytest.mark.parametrize("panne", [requests.ConnectionError(), (500, "{}"), (201, "[]"), (201, "non")])
def test_une_panne_a_l_ecriture_est_dite(utilisateur, reseau, panne):
    reseau.panne["donnees.test"] = panne
    assert poster(utilisateur, "/api/regates", REGATE).status_code == 503
    assert utilisateur.delete("/api/regates/1").status_code == 503


def test_un_refus_du_site_distant(utilisateur, reseau):
    reseau.panne["donnees.test"] = (400, "{}")
    assert poster(utilisateur, "/api/regates", REGATE).status_code == 400


def test_sans_adresse_de_donnees_pas_d_appel(utilisateur, reseau, settings):
    settings.DATA_URL = ""
    assert utilisateur.get("/api/regates").status_code == 503
    assert not reseau.appels


def test_une_application_ne_peut_que_lire(application, reseau):
    reseau.collections["regates"].append({"id": 1, **REGATE})
    assert application.get("/api/regates?cherche=camaret").json() == [{"id": 1, **MONTREE}]
    assert application.get("/api/inscriptions").status_code == 200
    assert poster(application, "/api/regates", REGATE).status_code == 403
    assert application.delete("/api/regates/1").status_code == 403
    assert application.get("/api/licences").status_code == 403
    assert application.get("/api/connexions").status_code == 403


def test_recherche_invalide(utilisateur, reseau):
    assert utilisateur.get("/api/regates?cherche=%00").status_code == 400
    assert utilisateur.get(f"/api/regates?cherche={'x' * 101}").status_code == 400
    assert not reseau.appels


def test_adresses_et_methodes_inconnues(utilisateur):
    assert utilisateur.get("/api/autre").status_code == 404
    assert utilisateur.get("/api/regates/abc").status_code == 404
    assert utilisateur.put("/api/regates").status_code == 405
    assert "GET" in utilisateur.put("/api/regates").headers["Allow"]
