"""L'API : du JSON, et un jeton (RFC 6750) pour tout sauf la connexion et la version."""

import json
import logging

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse, JsonResponse
from django.views import View
from django.views.decorators.http import require_GET, require_POST

from regates import annuaire, distant, jetons
from regates.dates import lisible
from regates.forms import (
    FormulaireConnexion,
    FormulaireInscription,
    FormulaireRecherche,
    FormulaireRegate,
)
from regates.models import Connexion

journal = logging.getLogger(__name__)


class Invalide(Exception):
    """Ce qui est reçu n'est pas acceptable ; l'argument dit pourquoi, par champ."""


def rendre(contenu, statut=200):
    """Rendre du JSON ; les accents y restent lisibles."""
    return JsonResponse(contenu, status=statut, safe=False, json_dumps_params={"ensure_ascii": False})


def erreur(statut, texte, **suite):
    """Rendre une erreur, toujours de la même forme."""
    return rendre({"erreur": texte, **suite}, statut)


@require_GET
def version(_requete):
    """Dire quelle version est déployée."""
    return rendre({"application": settings.APP_NAME, "tag": settings.APP_TAG, "commit": settings.APP_COMMIT})


@require_POST
def connexion(requete):
    """Échanger un compte et son mot de passe contre un jeton."""
    requete.encoding = "utf-8"  # quoi que dise la requête
    formulaire = FormulaireConnexion(requete.POST)
    if not formulaire.is_valid():  # aucun compte de l'annuaire n'a cette forme
        return erreur(401, "Compte ou mot de passe incorrect.")
    compte = formulaire.cleaned_data["identifiant"]
    try:
        reponse = annuaire.verifier(compte, formulaire.cleaned_data["mot_de_passe"])
    except annuaire.AnnuaireIndisponible as panne:
        journal.warning("annuaire indisponible : %s", panne)
        return erreur(503, "L'annuaire ne répond pas : connexion impossible pour le moment.")
    acceptee = reponse is annuaire.Reponse.ACCEPTE
    journal.info("connexion de %s : %s", compte, reponse.value)
    try:
        Connexion.noter(compte, acceptee)
    except DatabaseError:  # un journal en panne n'empêche pas de travailler
        journal.exception("journal des connexions")
    if reponse is annuaire.Reponse.INCONNU:
        return erreur(401, "Compte ou mot de passe incorrect.")
    if not acceptee:
        return erreur(403, "Ce compte n'a pas accès à l'application.")
    return rendre({"jeton": jetons.creer(compte)})


class Vue(View):
    """Une adresse de l'API : le jeton est vérifié avant toute autre chose."""

    ouverte_aux_applications = False  # si oui, leur jeton permet d'y lire, et rien de plus

    def dispatch(self, requete, *args, **kwargs):
        """Vérifier le jeton, puis répondre ; les erreurs deviennent des réponses."""
        genre, _, jeton = requete.headers.get("Authorization", "").partition(" ")
        jeton = jeton.strip() if genre.lower() == "bearer" else ""
        self.compte = jetons.compte_de(jeton)
        if self.compte is None:
            if not jetons.est_service(jeton):
                refus = erreur(401, "Connexion nécessaire.")
                refus.headers["WWW-Authenticate"] = "Bearer"
                return refus
            if not (self.ouverte_aux_applications and requete.method == "GET"):
                return erreur(403, "Une application ne peut que lire les régates et les inscriptions.")
        try:
            return super().dispatch(requete, *args, **kwargs)
        except Invalide as refus:
            return erreur(400, "Ces données ne sont pas valides.", champs=refus.args[0])
        except distant.Refus:
            return erreur(400, "Le site distant refuse ces données.")
        except distant.Indisponible as panne:
            cause = f" : {type(panne.__cause__).__name__}" if panne.__cause__ else ""
            journal.warning("%s%s", panne, cause)
            return erreur(503, f"Données indisponibles. {panne}.")

    def http_method_not_allowed(self, *_args, **_kwargs):
        """Dire en JSON ce que Django dirait en HTML."""
        reponse = erreur(405, "Méthode non prévue à cette adresse.")
        reponse.headers["Allow"] = ", ".join(self._allowed_methods())
        return reponse


def valider(formulaire):
    """Rendre les données validées du formulaire."""
    if not formulaire.is_valid():
        raise Invalide({champ: [str(e) for e in erreurs] for champ, erreurs in formulaire.errors.items()})
    return formulaire.cleaned_data


def objet_json(requete):
    """Rendre l'objet JSON reçu : des textes, comme les champs d'un formulaire."""
    try:
        objet = json.loads(requete.body)
        if not isinstance(objet, dict) or not all(isinstance(valeur, str) for valeur in objet.values()):
            raise ValueError
    except (ValueError, RecursionError):
        raise Invalide({"": ["Un objet JSON dont les valeurs sont des textes est attendu."]}) from None
    return objet


def recherche(requete):
    """Rendre le mot cherché, vide s'il n'y en a pas."""
    return valider(FormulaireRecherche(requete.GET))["cherche"]


def presenter(regate):
    """Rendre une régate avec sa date telle qu'on la lit."""
    return {**regate, "date": lisible(regate.get("jour", ""))}


class Regates(Vue):
    """Les régates."""

    ouverte_aux_applications = True

    def get(self, requete):
        """Rendre celles du site distant."""
        return rendre([presenter(regate) for regate in distant.REGATES.lister(recherche(requete))])

    def post(self, requete):
        """En ajouter une."""
        regate = valider(FormulaireRegate(objet_json(requete)))
        return rendre(presenter(distant.REGATES.ajouter(regate)), 201)


class UneRegate(Vue):
    """Une régate."""

    def delete(self, _requete, numero):
        """La supprimer, si personne n'y est inscrit."""
        if inscrits(numero):
            return erreur(409, "Des licenciés sont inscrits à cette régate.")
        if not distant.REGATES.supprimer(numero):
            return erreur(404, "Cette régate n'existe pas.")
        return HttpResponse(status=204)


def inscrits(regate):
    """Rendre les inscriptions à cette régate."""
    return [i for i in distant.INSCRIPTIONS.lister() if i.get("regate") == str(regate)]


class Inscriptions(Vue):
    """Les inscriptions."""

    ouverte_aux_applications = True

    def get(self, requete):
        """Rendre celles du site distant."""
        return rendre(distant.INSCRIPTIONS.lister(recherche(requete)))

    def post(self, requete):
        """Inscrire un licencié : la licence est vérifiée auprès de l'application qui les gère."""
        inscription = valider(FormulaireInscription(objet_json(requete)))
        regate, licence, skipper = (inscription[champ] for champ in ("regate", "licence", "skipper"))
        if not any(str(r["id"]) == regate for r in distant.REGATES.lister()):
            raise Invalide({"regate": ["Cette régate n'existe pas."]})
        if not any(str(li["id"]) == licence and li.get("nom") == skipper for li in distant.licences(skipper)):
            raise Invalide({"licence": ["Cette licence n'existe pas, ou n'est pas celle de cette personne."]})
        if any(i.get("licence") == licence for i in inscrits(regate)):
            return erreur(409, "Cette personne est déjà inscrite à cette régate.")
        return rendre(distant.INSCRIPTIONS.ajouter(inscription), 201)


class UneInscription(Vue):
    """Une inscription."""

    def delete(self, _requete, numero):
        """L'annuler."""
        if not distant.INSCRIPTIONS.supprimer(numero):
            return erreur(404, "Cette inscription n'existe pas.")
        return HttpResponse(status=204)


class Licences(Vue):
    """Les licences, telles que l'application qui les gère les donne."""

    def get(self, requete):
        """Rendre celles qui contiennent le mot cherché."""
        return rendre(distant.licences(recherche(requete)))


class Connexions(Vue):
    """Le journal local des connexions."""

    def get(self, _requete):
        """Rendre les dernières du compte qui demande, et de lui seul."""
        dernieres = Connexion.objects.filter(compte=self.compte)[:10]
        return rendre([{"instant": c.instant, "acceptee": c.acceptee} for c in dernieres])


class Inconnue(Vue):
    """Toute autre adresse sous /api."""

    def dispatch(self, requete, *args, **kwargs):
        """Répondre 404 à qui a un jeton ; à un autre, 401 comme partout."""
        reponse = super().dispatch(requete, *args, **kwargs)
        return erreur(404, "Adresse inconnue.") if reponse.status_code == 405 else reponse
