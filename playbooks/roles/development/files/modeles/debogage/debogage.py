"""Programme à suivre au débogueur : il dit la longueur d'un mot, et garde le mot pour lui."""

import sys


def longueur(temoin):
    """Compte les lettres."""
    return len(temoin)  # point d'arrêt


print(longueur(sys.argv[1]))
