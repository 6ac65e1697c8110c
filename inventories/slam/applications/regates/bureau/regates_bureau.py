#!/usr/bin/env python3
"""Régates, le client lourd : une fenêtre de connexion, un tableau des régates, et de quoi en ajouter une.

Bibliothèque standard seule. Les données viennent de l'API, en HTTPS ; le programme n'en garde rien.

    python3 regates_bureau.py                    ouvre la fenêtre
    python3 regates_bureau.py --bref COMPTE      lit le mot de passe sur l'entrée standard, ouvre la fenêtre,
                                                 écrit les lignes de son tableau, et se termine
"""

import argparse
import contextlib
import json
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from datetime import date

ADRESSE = "https://regates.capvoile.test"
AUTORITE = "/etc/sio-lab/tls/ca.crt"
PATIENCE = 8  # secondes
COLONNES = {"nom": "Régate", "lieu": "Lieu", "jour": "Jour"}
LARGEURS = {"nom": 320, "lieu": 160, "jour": 110}


class ErreurBureau(Exception):
    """Ce qui n'a pas marché, dit pour l'utilisateur."""


class SansRedirection(urllib.request.HTTPRedirectHandler):
    """L'API ne renvoie jamais ailleurs : le jeton n'est pas envoyé à une autre adresse."""

    def redirect_request(self, *_args, **_kwargs):
        """Ne pas suivre."""


class Client:
    """L'API des régates."""

    def __init__(self, adresse=ADRESSE, autorite=AUTORITE):
        if not adresse.startswith("https://"):
            raise ErreurBureau("L'adresse de l'application doit commencer par https://")
        try:
            contexte = ssl.create_default_context(cafile=autorite)
        except (OSError, ssl.SSLError) as erreur:
            raise ErreurBureau(f"Autorité de certification illisible : {autorite}") from erreur
        self.adresse = adresse.rstrip("/")
        self.jeton = ""
        self.ouvreur = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=contexte), SansRedirection
        )

    def connecter(self, compte, mot_de_passe):
        """Échanger compte et mot de passe contre un jeton."""
        champs = {"identifiant": compte, "mot_de_passe": mot_de_passe}
        reponse = self._demander("POST", "/api/connexion", urllib.parse.urlencode(champs).encode())
        self.jeton = reponse["jeton"]

    def regates(self):
        """Rendre les régates, de la plus proche à la plus lointaine."""
        return sorted(self._demander("GET", "/api/regates"), key=lambda regate: str(regate.get("jour")))

    def ajouter(self, nom, lieu, jour):
        """Ajouter une régate."""
        corps = json.dumps({"nom": nom, "lieu": lieu, "jour": jour}).encode()
        return self._demander("POST", "/api/regates", corps, "application/json")

    def _demander(self, methode, chemin, corps=None, genre="application/x-www-form-urlencoded"):
        entetes = {"Accept": "application/json"}
        if corps is not None:
            entetes["Content-Type"] = genre
        if self.jeton:
            entetes["Authorization"] = f"Bearer {self.jeton}"
        requete = urllib.request.Request(self.adresse + chemin, corps, entetes, method=methode)  # noqa: S310
        try:
            with self.ouvreur.open(requete, timeout=PATIENCE) as reponse:
                return json.load(reponse)
        except urllib.error.HTTPError as erreur:
            with erreur:
                raise ErreurBureau(texte_de(erreur)) from erreur
        except urllib.error.URLError as erreur:
            if isinstance(erreur.reason, ssl.SSLCertVerificationError):
                raise ErreurBureau("Le certificat de l'application n'est pas celui attendu.") from erreur
            raise ErreurBureau("L'application est injoignable.") from erreur
        except (OSError, ValueError) as erreur:
            raise ErreurBureau("L'application ne répond pas comme prévu.") from erreur


def texte_de(erreur):
    """Rendre ce que l'API dit d'une erreur."""
    try:
        contenu = json.load(erreur)
        champs = [texte for textes in contenu.get("champs", {}).values() for texte in textes]
        return " ".join(champs) or contenu["erreur"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"L'application ne répond pas comme prévu ({erreur.code})."


def cellules(regate):
    """Rendre les textes d'une ligne du tableau."""
    textes = {colonne: " ".join(str(regate.get(colonne, "")).split()) for colonne in COLONNES}
    with contextlib.suppress(ValueError):  # ce qui n'est pas une date est montré tel quel
        textes["jour"] = date.fromisoformat(textes["jour"]).strftime("%d/%m/%Y")
    return list(textes.values())


def jour_iso(texte):
    """Lire une date écrite JJ/MM/AAAA ; la rendre comme l'API la veut, AAAA-MM-JJ."""
    try:
        jour, mois, annee = (int(morceau) for morceau in texte.strip().split("/"))
        return date(annee, mois, jour).isoformat()
    except ValueError:
        raise ErreurBureau("La date s'écrit JJ/MM/AAAA.") from None


class Fenetre:
    """La fenêtre : d'abord la connexion, puis le tableau."""

    def __init__(self, client):
        import tkinter
        from tkinter import messagebox, ttk

        self.client, self.ttk, self.messagebox = client, ttk, messagebox
        self.racine = tkinter.Tk()
        self.racine.title("Cap Voile – Régates")
        self.racine.geometry("720x480")
        self.racine.minsize(520, 320)
        style = ttk.Style(self.racine)
        style.theme_use("clam")
        style.configure("Treeview", rowheight=28)
        style.configure("Titre.TLabel", font=("TkDefaultFont", 16, "bold"), foreground="#0b2f4e")
        self.cadre = self.tableau = None
        self.texte = tkinter.StringVar  # chaque champ de saisie a le sien
        self.montrer_connexion()

    def montrer_connexion(self):
        """Demander compte et mot de passe."""
        cadre = self._nouveau_cadre("Connexion")
        self.compte = self._champ(cadre, "Compte", 1)
        self.mot_de_passe = self._champ(cadre, "Mot de passe", 2, show="•")
        bouton = self.ttk.Button(cadre, text="Se connecter", command=lambda: self.essayer(self.connecter))
        bouton.grid(row=3, column=1, sticky="e", pady=12)
        self.racine.bind("<Return>", lambda _evenement: bouton.invoke())

    def connecter(self):
        """Se connecter avec ce qui est saisi, puis montrer les régates."""
        self.client.connecter(self.compte.get().strip(), self.mot_de_passe.get())
        self.montrer_regates()
        self.charger()

    def montrer_regates(self):
        """Montrer le tableau, encore vide, et de quoi ajouter une régate."""
        cadre = self._nouveau_cadre("Régates")
        self.tableau = self.ttk.Treeview(cadre, columns=list(COLONNES), show="headings", height=8)
        for colonne, titre in COLONNES.items():
            self.tableau.heading(colonne, text=titre, anchor="w")
            self.tableau.column(colonne, width=LARGEURS[colonne], anchor="w")
        ascenseur = self.ttk.Scrollbar(cadre, command=self.tableau.yview)
        self.tableau.configure(yscrollcommand=ascenseur.set)
        self.tableau.grid(row=1, column=0, columnspan=2, sticky="nsew")
        ascenseur.grid(row=1, column=2, sticky="ns")
        cadre.rowconfigure(1, weight=1)
        self.nom = self._champ(cadre, "Nom", 2)
        self.lieu = self._champ(cadre, "Lieu", 3)
        self.jour = self._champ(cadre, "Jour (JJ/MM/AAAA)", 4)
        boutons = self.ttk.Frame(cadre)
        boutons.grid(row=5, column=0, columnspan=2, sticky="e", pady=12)
        for texte, action in (("Actualiser", self.charger), ("Ajouter la régate", self.ajouter)):
            bouton = self.ttk.Button(boutons, text=texte, command=lambda action=action: self.essayer(action))
            bouton.pack(side="left", padx=(8, 0))
        self.racine.unbind("<Return>")

    def charger(self):
        """Demander les régates ; le tableau est vidé d'abord, pour ne rien montrer d'ancien."""
        self.tableau.delete(*self.tableau.get_children())
        for regate in self.client.regates():
            self.tableau.insert("", "end", values=cellules(regate))

    def ajouter(self):
        """Ajouter la régate saisie."""
        self.client.ajouter(self.nom.get().strip(), self.lieu.get().strip(), jour_iso(self.jour.get()))
        for champ in (self.nom, self.lieu, self.jour):
            champ.set("")
        self.charger()

    def lignes(self):
        """Rendre le texte des lignes que montre le tableau."""
        self.racine.update()
        return [
            "\t".join(str(self.tableau.set(ligne, colonne)) for colonne in COLONNES)
            for ligne in self.tableau.get_children()
        ]

    def essayer(self, action):
        """Faire une action de l'utilisateur ; lui dire ce qui ne va pas."""
        self.racine.configure(cursor="watch")
        self.racine.update_idletasks()
        try:
            action()
        except ErreurBureau as erreur:
            self.messagebox.showerror("Régates", str(erreur), parent=self.racine)
        finally:
            self.racine.configure(cursor="")

    def _nouveau_cadre(self, titre):
        if self.cadre is not None:
            self.cadre.destroy()
        self.cadre = self.ttk.Frame(self.racine, padding=16)
        self.cadre.pack(fill="both", expand=True)
        self.cadre.columnconfigure(1, weight=1)
        self.ttk.Label(self.cadre, text=titre, style="Titre.TLabel").grid(
            row=0, column=0, columnspan=2, sticky="w", pady=(0, 12)
        )
        return self.cadre

    def _champ(self, cadre, texte, rang, **options):
        variable = self.texte(self.racine)
        self.ttk.Label(cadre, text=texte).grid(row=rang, column=0, sticky="w", padx=(0, 12), pady=4)
        saisie = self.ttk.Entry(cadre, textvariable=variable, **options)
        saisie.grid(row=rang, column=1, sticky="ew", pady=4)
        if rang == 1:
            saisie.focus_set()
        return variable


def en_bref(client, compte, mot_de_passe):
    """Ouvrir la fenêtre, s'y connecter, et rendre les lignes que montre son tableau."""
    fenetre = Fenetre(client)
    try:
        fenetre.compte.set(compte)
        fenetre.mot_de_passe.set(mot_de_passe)
        fenetre.racine.update()
        fenetre.connecter()
        return fenetre.lignes()
    finally:
        fenetre.racine.destroy()


def sous_ecran_virtuel():
    """Recommencer le programme sous un écran virtuel, qui disparaît avec lui."""
    try:
        os.execvp("xvfb-run", ["xvfb-run", "-a", sys.executable, *sys.argv])  # noqa: S606, S607
    except OSError as erreur:
        raise ErreurBureau("Aucun écran, et xvfb-run n'est pas installé.") from erreur


def options(arguments=None):
    """Lire la ligne de commande."""
    lecteur = argparse.ArgumentParser(description="Les régates de la fédération.")
    lecteur.add_argument("--adresse", default=ADRESSE, help="adresse de l'application (%(default)s)")
    lecteur.add_argument("--autorite", default=AUTORITE, help="certificat de l'autorité (%(default)s)")
    lecteur.add_argument(
        "--bref",
        metavar="COMPTE",
        help="lire le mot de passe sur l'entrée standard, écrire les lignes du tableau et terminer",
    )
    return lecteur.parse_args(arguments)


def main():
    """Lancer le programme ; rendre son code de fin."""
    choix = options()
    try:
        if choix.bref and not os.environ.get("DISPLAY"):
            sous_ecran_virtuel()
        from tkinter import TclError

        client = Client(choix.adresse, choix.autorite)
        try:
            if not choix.bref:
                Fenetre(client).racine.mainloop()
                return 0
            for ligne in en_bref(client, choix.bref, sys.stdin.readline().rstrip("\r\n")):
                print(ligne)
        except TclError as erreur:
            raise ErreurBureau(f"L'écran ne peut pas être ouvert ({erreur}).") from erreur
    except ErreurBureau as erreur:
        print(f"regates-bureau : {erreur}", file=sys.stderr)
        return 1
    except ImportError:
        print("regates-bureau : tkinter n'est pas installé (paquet python3-tk).", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
