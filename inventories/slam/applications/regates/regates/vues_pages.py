"""Les pages. Elles ne contiennent aucune donnée : leur code, dans le navigateur, la demande à l'API."""

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from regates.vues_api import erreur

# Ce que le terminal mobile garde : la page, jamais les données.
COQUILLE = ["style.css", "api.js", "regates.js", "mobile.js", "icone.svg", "icone-192.png"]


@require_safe
def accueil(requete):
    """La page pour un poste fixe."""
    return render(requete, "regates/accueil.html")


@require_safe
def mobile(requete):
    """La page installable sur un terminal mobile."""
    return render(requete, "regates/mobile.html")


@require_safe
def manifeste(_requete):
    """Ce que le terminal doit savoir de la page pour l'installer."""
    icones = [("icone.svg", "any", "image/svg+xml", "any")]
    icones += [(f"icone-{cote}.png", f"{cote}x{cote}", "image/png", "any") for cote in (192, 512)]
    icones += [("icone-pleine-512.png", "512x512", "image/png", "maskable")]
    contenu = {
        "id": "/mobile/",
        "name": "Cap Voile – Régates",
        "short_name": "Régates",
        "description": "Les régates de la fédération et leurs inscrits.",
        "lang": "fr",
        "start_url": "/mobile/",
        "scope": "/mobile/",
        "display": "standalone",
        "theme_color": "#0b2f4e",
        "background_color": "#0b2f4e",
        "icons": [
            {"src": fichier(nom), "sizes": taille, "type": genre, "purpose": usage}
            for nom, taille, genre, usage in icones
        ],
    }
    return JsonResponse(contenu, content_type="application/manifest+json")


@require_safe
def service_worker(requete):
    """Le programme qui garde la page. Il change avec la version : le terminal renouvelle alors ce qu'il garde."""
    contexte = {
        "version": settings.APP_COMMIT or "developpement",
        "coquille": ["/mobile/", "/mobile/manifest.webmanifest", *map(fichier, COQUILLE)],
    }
    return render(requete, "regates/service-worker.js", contexte, content_type="text/javascript")


def fichier(nom):
    """Rendre l'adresse d'un fichier statique de l'application."""
    return static(f"regates/{nom}")


def _erreur(requete, statut, texte):
    if requete.path.startswith("/api"):
        return erreur(statut, texte)
    return HttpResponse(f"{texte}\n", status=statut, content_type="text/plain; charset=utf-8")


def erreur_400(requete, exception=None):  # noqa: ARG001 (Django donne l'exception)
    """Une requête mal formée."""
    return _erreur(requete, 400, "Requête mal formée.")


def erreur_404(requete, exception=None):  # noqa: ARG001
    """Une adresse inconnue."""
    return _erreur(requete, 404, "Adresse inconnue.")


def erreur_500(requete):
    """Une erreur de l'application : le détail est dans le journal du serveur, pas dans la réponse."""
    return _erreur(requete, 500, "Erreur de l'application.")
