"""L'application Django."""

from django.apps import AppConfig


class RegatesConfig(AppConfig):
    """Régates et inscriptions de la fédération."""

    name = "regates"
    verbose_name = "Régates"
