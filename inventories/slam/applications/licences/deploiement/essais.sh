#!/bin/sh
# Construit un clone et passe ses essais : 0 si tout est juste. Rien ne reste dans le clone.
set -eu
cd "$(dirname "$0")/.."
etat=$(mktemp -d)
trap 'rm -rf "$etat"' EXIT

# Ce qu'un déploiement fixerait n'a pas à changer les essais.
unset APP_ENV APP_NAME APP_URL APP_TAG APP_COMMIT APP_SECRET CA_FILE DIRECTORY_URL DIRECTORY_BASE_DN \
  DATA_URL DATA_TOKEN PARTNER_DATA_URL PARTNER_TOKEN SERVICE_TOKEN
export STATE_DIRECTORY="$etat"

# Aucun fichier ne doit avoir d'erreur de syntaxe.
find autoload.php bin public src tests -name '*.php' -exec php -d display_errors=stderr -l {} + >/dev/null

# Le verrou est celui de composer.json : l'un n'a pas changé sans l'autre.
if command -v composer >/dev/null; then
  COMPOSER_HOME="$etat/composer" COMPOSER_CACHE_DIR=/dev/null COMPOSER_ROOT_VERSION=dev-main \
    composer validate --quiet --no-interaction --no-plugins --no-check-all --no-check-publish ||
    { echo "composer.json n'est pas valide, ou composer.lock n'est pas le sien." >&2; exit 1; }
fi

# Les migrations s'appliquent à une base vide, et l'installation se relance.
sh deploiement/installer.sh
sh deploiement/installer.sh

phpunit
