#!/bin/sh
# Construit un clone et passe ses essais. Ni réseau, ni secret, et rien ne reste dans le clone.
set -eu
cd "$(dirname "$0")/.."
etat=$(mktemp -d)
trap 'rm -rf "$etat"' EXIT
# Ce qu'un déploiement fixerait n'a pas à changer les essais.
unset APP_NAME APP_URL APP_TAG APP_COMMIT APP_SECRET CA_FILE DIRECTORY_URL DIRECTORY_BASE_DN \
  DATA_URL DATA_TOKEN PARTNER_DATA_URL PARTNER_TOKEN SERVICE_TOKEN
export STATE_DIRECTORY="$etat" PYTHONDONTWRITEBYTECODE=1

# Construire : tout se compile, les réglages sont sains, les migrations disent ce que disent les modèles.
python3 - capvoile_regates regates bureau essais <<'PYTHON'
import sys
from pathlib import Path

for source in sorted(fichier for dossier in sys.argv[1:] for fichier in Path(dossier).rglob("*.py")):
    compile(source.read_bytes(), source, "exec")
PYTHON
python3 manage.py makemigrations --check --dry-run
sh deploiement/installer.sh

# Essayer.
python3 -m pytest -q -p no:cacheprovider
