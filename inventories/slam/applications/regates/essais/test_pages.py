"""Pages, fichiers statiques, en-têtes de sécurité, page installable."""

import re

import pytest
from django.test import Client

from regates import vues_api

PAGES = ["/", "/mobile/"]


@pytest.mark.parametrize("page", PAGES)
def test_la_page_a_un_formulaire_de_connexion_et_aucun_code_en_ligne(client, page):
    html = client.get(page).content.decode()
    for morceau in ('name="identifiant"', 'type="password"', 'id="regates"', 'role="alert"', 'lang="fr"'):
        assert html.count(morceau) == 1
    assert html.count('type="submit"') == 1
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)


@pytest.mark.parametrize("adresse", [*PAGES, "/version", "/api/regates", "/nulle-part", "/static/regates/api.js"])
def test_en_tetes(client, adresse):
    entetes = client.get(adresse).headers
    assert "default-src 'none'" in entetes["Content-Security-Policy"]
    assert "unsafe" not in entetes["Content-Security-Policy"]
    assert entetes["X-Content-Type-Options"] == "nosniff"
    assert entetes["Referrer-Policy"] == "no-referrer"
    if not adresse.startswith("/static/"):
        assert entetes["Cache-Control"] == "no-store"
        assert entetes["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("page", PAGES)
def test_ce_que_la_page_charge_existe(client, page):
    html = client.get(page).content.decode()
    charges = set(re.findall(r'(?:src|href)="(/[^"]+)"', html))
    assert len(charges) >= 3
    for adresse in charges:
        assert client.get(adresse).status_code == 200, adresse


def test_les_modules_javascript_ont_le_bon_type(client):
    assert client.get("/static/regates/api.js").headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize("chemin", ["../../capvoile_regates/settings.py", "..%2f..%2fmanage.py", "regates/"])
def test_rien_d_autre_n_est_servi(client, chemin):
    assert client.get(f"/static/{chemin}").status_code == 404


def test_la_page_mobile_s_installe(client):
    assert 'rel="manifest"' in client.get("/mobile/").content.decode()
    manifeste = client.get("/mobile/manifest.webmanifest")
    assert manifeste.headers["Content-Type"] == "application/manifest+json"
    contenu = manifeste.json()
    assert contenu["display"] == "standalone"
    assert contenu["start_url"].startswith(contenu["scope"])
    assert {"192x192", "512x512"} <= {icone["sizes"] for icone in contenu["icons"]}
    for icone in contenu["icons"]:
        assert client.get(icone["src"]).headers["Content-Type"] == icone["type"]


def test_le_service_worker_garde_la_page_et_pas_les_donnees(client):
    reponse = client.get("/mobile/service-worker.js")
    assert reponse.headers["Content-Type"].startswith("text/javascript")
    code = reponse.content.decode()
    assert "c" * 40 in code
    garde = re.findall(r'"(/[^"]+)"', re.search(r"COQUILLE = \[(.*?)\]", code).group(1))
    # escapejs écrit certains caractères \u002D
    garde = [adresse.encode().decode("unicode_escape") for adresse in garde]
    assert "/mobile/" in garde
    assert not [adresse for adresse in garde if adresse.startswith("/api")]
    for adresse in garde:
        assert client.get(adresse).status_code == 200, adresse


def test_une_erreur_de_l_application_ne_dit_rien_de_l_interieur(monkeypatch, utilisateur):
    def rater(*_):
        raise RuntimeError("détail interne")

    monkeypatch.setattr(vues_api.distant.REGATES, "lister", rater)
    client = Client(
        raise_request_exception=False, headers={"Authorization": utilisateur.defaults["HTTP_AUTHORIZATION"]}
    )
    reponse = client.get("/api/regates")
    assert reponse.status_code == 500
    assert reponse.json() == {"erreur": "Erreur de l'application."}


def test_adresse_inconnue(client):
    assert client.get("/nulle-part").status_code == 404


def test_un_autre_nom_de_machine_est_refuse(client):
    assert client.get("/", headers={"Host": "ailleurs.test"}).status_code == 400
