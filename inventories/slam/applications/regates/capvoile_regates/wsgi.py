"""Point d'entrée du serveur d'applications : gunicorn capvoile_regates.wsgi."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "capvoile_regates.settings")

application = get_wsgi_application()
