"""Adresses du projet."""

from django.urls import path

from . import vues

urlpatterns = [path("bonjour/<prenom>", vues.bonjour)]
