"""Jetons : celui d'un utilisateur, signé et daté ; celui des applications qui appellent celle-ci, convenu."""

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare

SEL = "regates.jeton"  # un jeton signé pour un autre usage n'est pas un jeton de connexion


def creer(compte):
    """Rendre un jeton pour ce compte. Il n'est gardé nulle part : sa signature suffit à le reconnaître."""
    return signing.dumps({"compte": compte}, salt=SEL)


def compte_de(jeton):
    """Rendre le compte que désigne le jeton ; None s'il est faux ou trop vieux."""
    try:
        return signing.loads(jeton, salt=SEL, max_age=settings.DUREE_JETON)["compte"]
    except signing.BadSignature:
        return None


def est_service(jeton):
    """Dire si le jeton est celui des applications. La durée de la comparaison ne renseigne pas sur lui."""
    return bool(settings.SERVICE_TOKEN) and constant_time_compare(jeton, settings.SERVICE_TOKEN)
