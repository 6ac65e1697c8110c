#!/bin/sh
# Construit un clone et passe ses essais : 0 si tout est juste. Rien ne reste dans le clone.
set -eu
cd "$(dirname "$0")/.."

# Ce qu'un déploiement fixerait n'a pas à changer les essais.
unset APP_ENV APP_NAME APP_URL APP_TAG APP_COMMIT APP_SECRET CA_FILE DIRECTORY_URL DIRECTORY_BASE_DN \
  DATA_URL DATA_TOKEN PARTNER_DATA_URL PARTNER_TOKEN SERVICE_TOKEN

# Aucun fichier ne doit avoir d'erreur de syntaxe.
find autoload.php bin public src tests -name '*.php' -exec php -d display_errors=stderr -l {} + >/dev/null

exec phpunit
