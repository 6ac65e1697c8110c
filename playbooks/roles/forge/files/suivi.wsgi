"""The issue tracker, for Apache's mod_wsgi."""

import os

os.environ["TRAC_ENV"] = "/srv/trac/suivi"

from trac.web.main import dispatch_request as application  # noqa: F401 - the name that mod_wsgi looks for
