#!/bin/sh
# Prépare la version déployée : base locale et migrations. Peut être relancé sans rien changer.
set -eu
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
umask 077 # la base locale n'est lue que par le compte de l'application

mkdir -p "${STATE_DIRECTORY:-etat}"
python3 manage.py check --fail-level ERROR
python3 manage.py migrate --no-input
