"""Dates, avec et sans le composant commun."""

import importlib
import sys
from types import SimpleNamespace

import pytest

from regates import dates


@pytest.fixture
def relu(monkeypatch):
    """Relire le module comme si le composant était là, ou n'y était pas."""

    def relire(composant):
        monkeypatch.setitem(sys.modules, "capvoile_commun", composant)
        monkeypatch.setitem(sys.modules, "capvoile_commun.dates", composant)
        return importlib.reload(dates)

    yield relire
    monkeypatch.undo()
    importlib.reload(dates)


def test_avec_le_composant(relu):
    composant = SimpleNamespace(en_toutes_lettres=lambda jour: f"le {jour.day} du mois")
    assert relu(composant).lisible("2026-07-14") == "le 14 du mois"


def test_sans_le_composant(relu):
    assert relu(None).lisible("2026-07-14") == "14/07/2026"


@pytest.mark.parametrize("texte", ["", "bientôt", "2026-02-30", None, 7])
def test_ce_qui_n_est_pas_une_date(texte):
    assert dates.lisible(texte) == str(texte)
