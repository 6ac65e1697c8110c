"""Connexion et jetons."""

import pytest
from django.core import signing
from django.utils import timezone
from ldap3.core.exceptions import LDAPSocketOpenError

from regates import annuaire, jetons
from regates.models import Connexion

pytestmark = pytest.mark.django_db


def connecter(client, compte, mot_de_passe):
    return client.post("/api/connexion", {"identifiant": compte, "mot_de_passe": mot_de_passe})


def test_un_membre_recoit_un_jeton_qui_ouvre_l_api(client, faux_annuaire):
    reponse = connecter(client, "chloe", "secret-chloe")
    assert reponse.status_code == 200
    jeton = reponse.json()["jeton"]
    assert client.get("/api/regates", headers={"Authorization": f"Bearer {jeton}"}).status_code == 200


@pytest.mark.parametrize(
    ("compte", "mot_de_passe"),
    [
        ("chloe", "faux"),
        ("chloe", ""),
        ("personne", "secret"),
        ("", ""),
        ("chloe,ou=people", "secret-chloe"),
        ("*", "secret-chloe"),
        ("chloe\0", "secret-chloe"),
    ],
)
def test_un_inconnu_est_refuse(client, faux_annuaire, compte, mot_de_passe):
    reponse = connecter(client, compte, mot_de_passe)
    assert reponse.status_code == 401
    assert "jeton" not in reponse.json()


def test_le_codage_annonce_par_la_requete_ne_compte_pas(client, faux_annuaire):
    corps = b"identifiant=chloe&mot_de_passe=secret-chloe"
    genre = "application/x-www-form-urlencoded; charset=zip"
    reponse = client.generic("POST", "/api/connexion", corps, content_type=genre)
    assert reponse.status_code == 200


def test_un_mot_de_passe_que_l_annuaire_ne_peut_pas_contenir(client, faux_annuaire):
    assert connecter(client, "chloe", "a\ufffdb").status_code == 401


def test_un_compte_hors_du_groupe_est_interdit(client, faux_annuaire):
    assert connecter(client, "denis", "secret-denis").status_code == 403


def test_annuaire_absent(client, monkeypatch):
    def absent(*_):
        raise LDAPSocketOpenError

    monkeypatch.setattr(annuaire, "ouvrir", absent)
    reponse = connecter(client, "chloe", "secret-chloe")
    assert reponse.status_code == 503
    assert "annuaire" in reponse.json()["erreur"]


def test_l_annuaire_n_est_joint_qu_en_ldaps(settings):
    settings.DIRECTORY_URL = "ldap://annuaire.test"
    with pytest.raises(annuaire.AnnuaireIndisponible, match="ldaps://"):
        annuaire.verifier("chloe", "secret-chloe")


def test_la_connexion_se_demande_en_post(client):
    assert client.get("/api/connexion").status_code == 405


def test_un_vieux_jeton_ne_vaut_plus_rien(settings, monkeypatch):
    jeton = jetons.creer("chloe")
    assert jetons.compte_de(jeton) == "chloe"
    maintenant = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: maintenant + settings.DUREE_JETON + 1)
    assert jetons.compte_de(jeton) is None


def test_un_jeton_signe_ailleurs_ne_vaut_rien(settings):
    jeton = jetons.creer("chloe")
    assert jetons.compte_de(jeton[:-1] + ("A" if jeton[-1] != "A" else "B")) is None
    assert jetons.compte_de(signing.dumps({"compte": "chloe"}, salt="autre usage")) is None
    settings.SECRET_KEY = "autre secret"
    assert jetons.compte_de(jeton) is None


def test_sans_jeton_de_service_convenu_aucun_n_est_accepte(settings, client):
    settings.SERVICE_TOKEN = ""
    assert not jetons.est_service("")
    assert client.get("/api/regates", headers={"Authorization": "Bearer "}).status_code == 401


def test_le_journal_ne_montre_que_ses_propres_connexions(client, faux_annuaire):
    connecter(client, "denis", "faux")
    connecter(client, "Chloe", "faux")
    jeton = connecter(client, "chloe", "secret-chloe").json()["jeton"]
    lignes = client.get("/api/connexions", headers={"Authorization": f"Bearer {jeton}"}).json()
    assert [ligne["acceptee"] for ligne in lignes] == [True, False]


def test_le_journal_oublie(settings):
    ancien = timezone.now() - timezone.timedelta(days=settings.DUREE_JOURNAL + 1)
    Connexion.objects.create(compte="chloe", instant=ancien, acceptee=True)
    Connexion.noter("bruno", False)
    assert [str(c)[-14:] for c in Connexion.objects.all()] == [" bruno refusée"]
