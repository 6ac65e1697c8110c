"""Adresses de l'application. Celles de l'API se lisent aussi dans openapi.yml."""

from django.urls import path, re_path

from regates import vues_api, vues_pages

urlpatterns = [
    path("", vues_pages.accueil),
    path("mobile/", vues_pages.mobile),
    path("mobile/manifest.webmanifest", vues_pages.manifeste),
    path("mobile/service-worker.js", vues_pages.service_worker),
    path("version", vues_api.version),
    path("api/connexion", vues_api.connexion),
    path("api/connexions", vues_api.Connexions.as_view()),
    path("api/regates", vues_api.Regates.as_view()),
    re_path(r"^api/regates/(?P<numero>[0-9]{1,18})$", vues_api.UneRegate.as_view()),
    path("api/inscriptions", vues_api.Inscriptions.as_view()),
    re_path(r"^api/inscriptions/(?P<numero>[0-9]{1,18})$", vues_api.UneInscription.as_view()),
    path("api/licences", vues_api.Licences.as_view()),
    re_path(r"^api(/.*)?$", vues_api.Inconnue.as_view()),
]

handler400 = "regates.vues_pages.erreur_400"
handler404 = "regates.vues_pages.erreur_404"
handler500 = "regates.vues_pages.erreur_500"
