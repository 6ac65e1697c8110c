"""Ce que l'application garde chez elle : qui s'est connecté. Les données métier sont sur le site distant."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


class Connexion(models.Model):
    """Une tentative de connexion, acceptée ou refusée."""

    compte = models.CharField(max_length=64, db_index=True)
    instant = models.DateTimeField(default=timezone.now, db_index=True)
    acceptee = models.BooleanField("acceptée")

    class Meta:
        """Les plus récentes d'abord."""

        ordering = ["-instant", "-id"]
        verbose_name = "connexion"

    def __str__(self):
        """Rendre une ligne de journal."""
        return f"{self.instant:%d/%m/%Y %H:%M} {self.compte} {'acceptée' if self.acceptee else 'refusée'}"

    @classmethod
    def noter(cls, compte, acceptee):
        """Ajouter une ligne au journal, et en ôter les plus anciennes : il ne grandit pas sans fin."""
        limite = timezone.now() - timedelta(days=settings.DUREE_JOURNAL)
        cls.objects.filter(instant__lt=limite).delete()
        cls.objects.create(compte=compte, acceptee=acceptee)
