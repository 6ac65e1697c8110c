"""Ce que l'API répond, et ce qu'elle demande aux autres."""

import json

import pytest
import requests

VOILE = {"id": 3, "nom": "Voile de secours", "lieu": "Morgat"}
BRISE = {"id": 1, "nom": "Coupe de la Brise", "lieu": "Camaret", "jour": "2026-07-14"}
PHARES = {"id": 2, "nom": "Trophée des Phares", "lieu": "Morgat", "jour": "2026-08-01"}
SAISIE = {"nom": "Voile de secours", "lieu": "Morgat"}


def test_lister(chloe, reseau):
    reseau.reponse = (200, json.dumps([VOILE]))
    reponse = chloe.get("/api/materiels?cherche=voile")
    assert (reponse.status_code, reponse.json) == (200, [VOILE])
    methode, adresse, options = reseau.appels[0]
    assert (methode, adresse) == ("GET", "https://donnees.test/api/materiel/materiels")
    assert options["params"] == {"cherche": "voile"}
    assert options["headers"] == {"Authorization": "Bearer jeton-donnees"}
    assert options["verify"] == "/autorite.crt"
    assert options["allow_redirects"] is False
    assert sum(options["timeout"]) < 5


def test_ajouter(chloe, reseau):
    reseau.reponse = (201, json.dumps(VOILE))
    reponse = chloe.post("/api/materiels", json={**SAISIE, "id": "99"})
    assert (reponse.status_code, reponse.json) == (201, VOILE)
    assert reseau.appels[0][2]["json"] == SAISIE


@pytest.mark.parametrize(
    "contenu",
    [
        None,
        [],
        {},
        {"nom": "Voile"},
        {**SAISIE, "nom": " "},
        {**SAISIE, "nom": 3},
        {**SAISIE, "nom": "x" * 81},
        {**SAISIE, "lieu": "a\nb"},
        {**SAISIE, "lieu": "\ud800"},  # la moitié d'un caractère
    ],
)
def test_une_saisie_invalide_n_est_pas_envoyee(chloe, reseau, contenu):
    corps = json.dumps(contenu)
    assert chloe.post("/api/materiels", data=corps, content_type="application/json").status_code == 400
    assert not reseau.appels


def test_ce_qui_n_est_pas_du_json_n_est_pas_envoye(chloe, reseau):
    for corps in ("", "non", "[" * 60_000):
        assert chloe.post("/api/materiels", data=corps, content_type="application/json").status_code == 400
    assert not reseau.appels


def test_le_site_distant_refuse_une_saisie(chloe, reseau):
    reseau.reponse = (400, "{}")
    assert chloe.post("/api/materiels", json=SAISIE).status_code == 400


def test_supprimer(chloe, reseau):
    reseau.reponse = (204, "")
    assert chloe.delete("/api/materiels/3").status_code == 204
    assert reseau.appels[0][:2] == ("DELETE", "https://donnees.test/api/materiel/materiels/3")
    reseau.reponse = (404, "{}")
    assert chloe.delete("/api/materiels/3").status_code == 404


def test_les_regates_viennent_de_leur_application(chloe, reseau):
    reseau.reponse = (200, json.dumps([BRISE, PHARES]))
    reponse = chloe.get("/api/regates?cherche=bRISE")
    assert (reponse.status_code, reponse.json) == (200, [BRISE])
    _, adresse, options = reseau.appels[0]
    assert adresse == "https://regates.test/api/regates"
    assert options["params"] == {"cherche": "bRISE"}
    assert options["headers"] == {"Authorization": "Bearer jeton-partenaire"}


@pytest.mark.parametrize(
    "panne", [requests.ConnectionError("coupé"), OSError("pas d'autorité"), (503, "{}"), (200, "<html>")]
)
def test_donnees_indisponibles(chloe, reseau, panne):
    reseau.reponse = panne
    for reponse in (
        chloe.get("/api/materiels"),
        chloe.post("/api/materiels", json=SAISIE),
        chloe.delete("/api/materiels/3"),
        chloe.get("/api/regates?cherche=brise"),
    ):
        assert reponse.status_code == 503
        assert list(reponse.json) == ["erreur"]


def test_version(client):
    reponse = client.get("/version")
    assert reponse.json == {"application": "materiel", "tag": "v1.0.0", "commit": "c" * 40}


def test_la_page_n_a_ni_donnees_ni_code_dans_son_texte(client, reseau):
    page = client.get("/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert 'name="identifiant"' in page.text
    assert client.get("/static/materiel.js").status_code == 200
    assert not reseau.appels


def test_les_donnees_ne_se_gardent_pas_et_les_accents_restent(chloe, reseau):
    reseau.reponse = (200, json.dumps([{"id": 1, "nom": "Gréement"}]))
    reponse = chloe.get("/api/materiels")
    assert reponse.headers["Cache-Control"] == "no-store"
    assert "Gréement" in reponse.text
