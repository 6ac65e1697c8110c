#!/bin/sh
# Prépare la version déployée : composant commun, base locale, migrations. Peut être relancé sans rien changer.
set -eu
cd "$(dirname "$0")/.."
umask 077 # ce que l'application garde n'est lu que par son compte
etat="${STATE_DIRECTORY:-$PWD/var}"
mkdir -p "$etat"
export STATE_DIRECTORY="$etat"

# Le composant, à la version et au contenu figés. Sans lui (dépôt absent, autre contenu), l'application fait sans.
# Composer n'écrit rien hors de $etat : le clone et le dossier personnel peuvent être en lecture seule.
if [ -n "${CA_FILE:-}" ] && ! cmp -s composer.lock "$etat/composants/composer.lock"; then
  rm -rf "$etat/composants" "$etat/composants.neuf"
  if SSL_CERT_FILE="$CA_FILE" COMPOSER_HOME="$etat/composants.neuf/.composer" COMPOSER_CACHE_DIR=/dev/null \
    COMPOSER_VENDOR_DIR="$etat/composants.neuf" COMPOSER_ROOT_VERSION=dev-main \
    timeout 30 composer install --quiet --no-interaction --no-dev --no-plugins --no-scripts --no-autoloader; then
    rm -rf "$etat/composants.neuf/.composer"
    cp composer.lock "$etat/composants.neuf/"
    mv "$etat/composants.neuf" "$etat/composants"
  else
    rm -rf "$etat/composants.neuf"
    echo "Composant commun non installé : les dates seront en chiffres." >&2
  fi
fi

# Elle se charge en entier : un paquet qui manque se voit ici, et non une fois servie.
php -r 'foreach (json_decode(file_get_contents("composer.json"))->require as $nom => $version) {
  if (str_starts_with($nom, "ext-") && !extension_loaded(substr($nom, 4))) {
    fwrite(STDERR, "Extension de PHP absente : $nom\n");
    exit(1);
  }
}'
php bin/console lint:container --quiet
php bin/console app:migrer
