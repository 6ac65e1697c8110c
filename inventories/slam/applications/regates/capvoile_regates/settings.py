"""Réglages : tout ce qui dépend du lieu de déploiement vient de variables d'environnement (voir README.md).

Aucune n'est définie sur le poste de développement : l'application y démarre et ses essais y passent, mais elle
n'y joint ni annuaire ni données.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Ce que le déploiement fournit ------------------------------------------------------------------------------

APP_NAME = os.environ.get("APP_NAME", "regates")
APP_URL = os.environ.get("APP_URL", "http://localhost:8000")
APP_TAG = os.environ.get("APP_TAG", "")
APP_COMMIT = os.environ.get("APP_COMMIT", "")
CA_FILE = os.environ.get("CA_FILE", "/etc/ssl/certs/ca-certificates.crt")
DIRECTORY_URL = os.environ.get("DIRECTORY_URL", "")
DIRECTORY_BASE_DN = os.environ.get("DIRECTORY_BASE_DN", "")
DATA_URL = os.environ.get("DATA_URL", "")
DATA_TOKEN = os.environ.get("DATA_TOKEN", "")
PARTNER_DATA_URL = os.environ.get("PARTNER_DATA_URL", "")
PARTNER_TOKEN = os.environ.get("PARTNER_TOKEN", "")
SERVICE_TOKEN = os.environ.get("SERVICE_TOKEN", "")

# Sans secret fourni, un secret au hasard : aucun jeton ne survit à l'arrêt du serveur, et aucun n'est devinable.
SECRET_KEY = os.environ.get("APP_SECRET") or get_random_secret_key()
STATE_DIRECTORY = Path(os.environ.get("STATE_DIRECTORY") or BASE_DIR / "etat")

sys.path.append(str(STATE_DIRECTORY / "composants"))  # ce que deploiement/installer.sh y a installé

# --- L'application ----------------------------------------------------------------------------------------------

GROUPE_AUTORISE = "internes"  # groupe de l'annuaire dont les membres peuvent se connecter
DUREE_JETON = 3600  # secondes
DELAI = 3  # secondes, pour joindre un autre service comme pour attendre sa réponse
DUREE_JOURNAL = 90  # jours

# --- Django -----------------------------------------------------------------------------------------------------

DEBUG = False
_adresse = urlsplit(APP_URL)
ALLOWED_HOSTS = [_adresse.hostname or "localhost", "localhost", "127.0.0.1"]
ROOT_URLCONF = "capvoile_regates.urls"
WSGI_APPLICATION = "capvoile_regates.wsgi.application"
INSTALLED_APPS = ["django.contrib.staticfiles", "regates"]
# Ni session ni cookie : chaque requête de l'API porte son jeton. Sans cookie, il n'y a rien qu'un autre site
# puisse faire envoyer au navigateur (CSRF).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "regates.entetes.EntetesDeSecurite",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

# Seul ce qui est propre à l'application est local. Régates et inscriptions sont sur le site distant.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE_DIRECTORY / "regates.sqlite3",
        "OPTIONS": {"timeout": 3},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # sert les fichiers là où ils sont dans les sources : rien à copier au déploiement
WHITENOISE_AUTOREFRESH = False

# Apache est devant, termine TLS et pose cet en-tête lui-même.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if _adresse.scheme == "https" else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "no-referrer"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 65_536  # octets d'une requête
APPEND_SLASH = False
# Voulus ainsi : pas de cookie à protéger (W003), et c'est Apache qui renvoie de http vers https (W008).
SILENCED_SYSTEM_CHECKS = ["security.W003", "security.W005", "security.W008", "security.W021"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"simple": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "simple"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "regates": {"level": "INFO"},
        # Comme les autres : sur la console, et non par courriel aux administrateurs.
        "django": {"handlers": [], "level": "WARNING"},
        # Un 401 ou un 404 n'est pas un incident.
        "django.request": {"level": "ERROR"},
    },
}
