"""Noms de personnes."""

import re


def normaliser(nom):
    """Rend le nom avec une majuscule à chaque mot et sans espace de trop.

    « LE  goff anne-marie » devient « Le Goff Anne-Marie ».
    """
    propre = " ".join(nom.split())
    return re.sub(r"[^\W\d_]+", lambda mot: mot[0][0].upper() + mot[0][1:].lower(), propre)
