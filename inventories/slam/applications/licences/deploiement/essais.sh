#!/bin/sh
# Construit un clone et passe ses tests : 0 si tout est juste.
set -eu
cd "$(dirname "$0")/.."

# Aucun fichier ne doit avoir d'erreur de syntaxe.
find autoload.php bin public src tests -name '*.php' -exec php -d display_errors=stderr -l {} + >/dev/null

exec phpunit
