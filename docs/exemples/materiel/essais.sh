#!/bin/sh
# Passe les essais d'un clone : ni réseau, ni secret, et rien ne reste dans le clone.
set -eu
cd "$(dirname "$0")"
export PYTHONDONTWRITEBYTECODE=1
# Ce qu'un déploiement fixerait n'a pas à changer les essais.
unset APP_NAME APP_TAG APP_COMMIT APP_SECRET CA_FILE DIRECTORY_URL DIRECTORY_BASE_DN \
  DATA_URL DATA_TOKEN PARTNER_DATA_URL PARTNER_TOKEN SERVICE_TOKEN
exec python3 -m pytest -q -p no:cacheprovider
