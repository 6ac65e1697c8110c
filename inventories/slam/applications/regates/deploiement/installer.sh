#!/bin/sh
# Prépare la version déployée : composant commun, base locale, migrations. Peut être relancé sans rien changer.
set -eu
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
umask 077 # ce que l'application garde n'est lu que par son compte
etat="${STATE_DIRECTORY:-etat}"
mkdir -p "$etat"

# Le composant, à la version et au contenu figés. Sans lui (dépôt absent, autre contenu), l'application fait sans.
if [ -n "${CA_FILE:-}" ] && ! cmp -s requirements.lock "$etat/composants/requirements.lock"; then
  rm -rf "$etat/composants" "$etat/composants.neuf"
  if python3 -m pip --isolated install --quiet --no-cache-dir --no-input --disable-pip-version-check --timeout 5 \
    --cert "$CA_FILE" --no-deps --require-hashes --target "$etat/composants.neuf" -r requirements.lock; then
    cp requirements.lock "$etat/composants.neuf/"
    mv "$etat/composants.neuf" "$etat/composants"
  else
    echo "Composant commun non installé : les dates seront en chiffres." >&2
  fi
fi

# Elle se charge en entier : un paquet qui manque se voit ici, et non une fois servie.
python3 -c "import capvoile_regates.wsgi"
python3 manage.py check --fail-level ERROR
python3 manage.py migrate --no-input
