"""Première page du projet."""

from django.http import JsonResponse


def bonjour(_demande, prenom):
    """Salue la personne que nomme l'adresse."""
    return JsonResponse({"message": f"Bonjour {prenom}"})
