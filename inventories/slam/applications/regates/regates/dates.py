"""Dates pour l'utilisateur. Le composant commun les écrit ; il est installé au déploiement (requirements.lock)."""

from datetime import date

try:
    from capvoile_commun.dates import en_toutes_lettres
except ImportError:  # un clone n'a pas le composant : il fait sans

    def en_toutes_lettres(jour):
        """Rendre une date en chiffres."""
        return f"{jour:%d/%m/%Y}"


def lisible(texte):
    """Rendre une date AAAA-MM-JJ telle qu'on la lit ; ce qui n'en est pas une reste tel quel."""
    try:
        return en_toutes_lettres(date.fromisoformat(texte))
    except (TypeError, ValueError):
        return str(texte)
