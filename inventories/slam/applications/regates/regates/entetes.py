"""En-têtes de sécurité de toutes les réponses."""

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class EntetesDeSecurite:
    """Pose la politique de contenu (aucun script dans la page) et interdit de garder une copie des réponses.

    Les fichiers statiques ont déjà leur Cache-Control : il leur est laissé.
    """

    def __init__(self, suivant):
        self.suivant = suivant

    def __call__(self, requete):
        reponse = self.suivant(requete)
        reponse.headers["Content-Security-Policy"] = CSP
        reponse.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        reponse.headers.setdefault("Cache-Control", "no-store")
        return reponse
