"""Le client lourd, sans sa fenêtre."""

import io
import json
import ssl
import urllib.error

import pytest

import regates_bureau as bureau


@pytest.fixture
def client(monkeypatch):
    """Rendre un client dont l'autorité est celle du système, et dont le réseau est faux."""
    monkeypatch.setattr(
        bureau.ssl, "create_default_context", lambda cafile: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    fait = bureau.Client("https://regates.test/")
    fait.appels = []

    def ouvrir(requete, timeout):
        fait.appels.append(requete)
        reponse = fait.reponses.pop(0)
        if isinstance(reponse, Exception):
            raise reponse
        return io.BytesIO(reponse if isinstance(reponse, bytes) else json.dumps(reponse).encode())

    fait.ouvreur.open = ouvrir
    return fait


def http(statut, corps):
    return urllib.error.HTTPError("https://regates.test", statut, "", {}, io.BytesIO(corps))


def test_le_jeton_recu_est_presente(client):
    client.reponses = [{"jeton": "abc"}, [{"nom": "B", "jour": "2026-08-01"}, {"nom": "A", "jour": "2026-07-01"}]]
    client.connecter("chloe", "mot & passe")
    assert [regate["nom"] for regate in client.regates()] == ["A", "B"]
    connexion, liste = client.appels
    assert connexion.data == b"identifiant=chloe&mot_de_passe=mot+%26+passe"
    assert connexion.get_header("Authorization") is None
    assert liste.full_url == "https://regates.test/api/regates"
    assert liste.get_header("Authorization") == "Bearer abc"


def test_ajouter(client):
    client.reponses = [{"id": 1}]
    client.ajouter("Coupe", "Brest", "2026-07-14")
    assert json.loads(client.appels[0].data) == {"nom": "Coupe", "lieu": "Brest", "jour": "2026-07-14"}


@pytest.mark.parametrize(
    ("panne", "texte"),
    [
        (http(401, b'{"erreur": "Compte ou mot de passe incorrect."}'), "mot de passe incorrect"),
        (http(400, b'{"erreur": "x", "champs": {"nom": ["Champ obligatoire."]}}'), "Champ obligatoire."),
        (http(503, '{"erreur": "Données indisponibles."}'.encode()), "Données indisponibles"),
        (http(502, b"<html>"), "502"),
        (http(302, b"[]"), "302"),
        (urllib.error.URLError(ConnectionRefusedError()), "injoignable"),
        (urllib.error.URLError(ssl.SSLCertVerificationError()), "certificat"),
        (TimeoutError(), "pas comme prévu"),
        (b"<html>", "pas comme prévu"),
    ],
)
def test_les_pannes_sont_dites_en_francais(client, panne, texte):
    client.reponses = [panne]
    with pytest.raises(bureau.ErreurBureau, match=texte):
        client.regates()


def test_ni_http_ni_autorite_absente():
    with pytest.raises(bureau.ErreurBureau, match="https"):
        bureau.Client("http://regates.test")
    with pytest.raises(bureau.ErreurBureau, match="Autorité"):
        bureau.Client("https://regates.test", "/nulle/part.crt")


def test_texte_des_lignes():
    regate = {"id": 1, "nom": "Coupe\nd'été", "jour": "2026-07-14"}
    assert bureau.cellules(regate) == ["Coupe d'été", "", "14/07/2026"]
    assert bureau.cellules({"jour": "bientôt"}) == ["", "", "bientôt"]


def test_dates():
    assert bureau.jour_iso(" 14/7/2026 ") == "2026-07-14"
    for texte in ("2026-07-14", "31/02/2026", "", "hier"):
        with pytest.raises(bureau.ErreurBureau):
            bureau.jour_iso(texte)


def test_sans_ecran_le_programme_se_relance_sous_un_ecran_virtuel(monkeypatch, capsys):
    lances = []
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(bureau.sys, "argv", ["regates_bureau.py", "--bref", "chloe"])

    def remplacer(programme, arguments):
        lances.append(arguments)
        raise OSError

    monkeypatch.setattr(bureau.os, "execvp", remplacer)
    assert bureau.main() == 1
    assert lances[0][:2] == ["xvfb-run", "-a"]
    assert lances[0][-2:] == ["--bref", "chloe"]
    assert "xvfb-run" in capsys.readouterr().err
