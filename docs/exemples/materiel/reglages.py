"""Ce que le déploiement dit à l'application, par des variables d'environnement ; un clone n'en a aucune."""

from os import environ
from secrets import token_hex

APP_NAME = environ.get("APP_NAME", "materiel")
APP_TAG = environ.get("APP_TAG", "")
APP_COMMIT = environ.get("APP_COMMIT", "")
# Sans secret donné, un secret au hasard : personne ne peut le deviner.
APP_SECRET = environ.get("APP_SECRET") or token_hex(32)
# Jamais vide : requests ne vérifierait plus aucun certificat.
CA_FILE = environ.get("CA_FILE") or "/etc/ssl/certs/ca-certificates.crt"
DIRECTORY_URL = environ.get("DIRECTORY_URL", "")
DIRECTORY_BASE_DN = environ.get("DIRECTORY_BASE_DN", "")
DATA_URL = environ.get("DATA_URL", "")
DATA_TOKEN = environ.get("DATA_TOKEN", "")
PARTNER_DATA_URL = environ.get("PARTNER_DATA_URL", "")
PARTNER_TOKEN = environ.get("PARTNER_TOKEN", "")
SERVICE_TOKEN = environ.get("SERVICE_TOKEN", "")

GROUPE = "internes"  # groupe de l'annuaire dont les membres ont accès
DUREE_JETON = 3600  # secondes
# Secondes pour se connecter, puis pour attendre une réponse : ensemble, moins que les cinq qui nous sont données.
CONNEXION, REPONSE = 1.5, 3
