# ruff: noqa: S101
"""Essais de la bibliothèque Python : ``python3 -m pytest`` dans le dossier python/."""

from datetime import date

import pytest
from capvoile_commun import dates, noms, voiles


def test_noms():
    """Chaque mot a sa majuscule, et une seule."""
    assert noms.normaliser("  LE  goff anne-marie ") == "Le Goff Anne-Marie"
    assert noms.normaliser("éric o'brien") == "Éric O'Brien"
    assert noms.normaliser("") == ""


def test_dates():
    """Le premier du mois s'écrit autrement."""
    assert dates.en_toutes_lettres(date(2026, 7, 14)) == "mardi 14 juillet 2026"
    assert dates.en_toutes_lettres(date(2026, 8, 1)) == "samedi 1er août 2026"


def test_numeros_de_voile():
    """Un numéro est remis en forme, ou refusé."""
    assert voiles.numero("fra-1234") == "FRA 1234"
    for faux in ("", "FRA", "1234", "FRANCE 1", "FRA 1234567", "FRA 12a"):
        with pytest.raises(ValueError, match="incompris"):
            voiles.numero(faux)
