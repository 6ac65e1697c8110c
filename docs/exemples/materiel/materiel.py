"""Prêts du matériel de la fédération : l'API, et la page qui s'en sert."""

from hmac import compare_digest

from flask import Flask, abort, jsonify, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.exceptions import HTTPException

import annuaire
import distant
import reglages

application = Flask(__name__)
application.config["MAX_CONTENT_LENGTH"] = 65536  # octets d'une requête
application.json.ensure_ascii = False
# Un jeton est signé et daté : l'application n'a pas à garder ceux qu'elle donne.
jetons = URLSafeTimedSerializer(reglages.APP_SECRET, salt="connexion")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


@application.before_request
def verifier_le_jeton():
    """Refuser, avant toute autre chose, une requête de l'API sans jeton valable."""
    if not request.path.startswith("/api/") or (request.method, request.path) == ("POST", "/api/connexion"):
        return
    genre, _, jeton = request.headers.get("Authorization", "").partition(" ")
    if genre.lower() != "bearer":
        abort(401, "Connexion nécessaire.")
    if reglages.SERVICE_TOKEN and compare_digest(jeton.encode(), reglages.SERVICE_TOKEN.encode()):
        # Une autre application : elle lit le matériel, et rien de plus.
        if (request.method, request.path) != ("GET", "/api/materiels"):
            abort(403, "Une application ne peut que lire le matériel.")
        return
    try:
        jetons.loads(jeton, max_age=reglages.DUREE_JETON)
    except BadSignature:
        abort(401, "Connexion nécessaire.")


@application.post("/api/connexion")
def connexion():
    """Échanger un compte et son mot de passe contre un jeton."""
    compte = request.form.get("identifiant", "").strip()
    statut = annuaire.verifier(compte, request.form.get("mot_de_passe", ""))
    if statut == 401:
        abort(401, "Compte ou mot de passe incorrect.")
    if statut == 403:
        abort(403, "Ce compte n'a pas accès à l'application.")
    return {"jeton": jetons.dumps(compte)}


@application.get("/api/materiels")
def lister():
    """Rendre le matériel, ou celui qui contient le mot cherché."""
    return jsonify(distant.lister(request.args.get("cherche", "")))


@application.post("/api/materiels")
def ajouter():
    """Ajouter un matériel : un nom, et le lieu où il est."""
    try:
        recu = request.get_json(silent=True)
    except RecursionError:  # des milliers de crochets
        recu = None
    champs = recu if isinstance(recu, dict) else {}
    entree = {"nom": champs.get("nom"), "lieu": champs.get("lieu")}
    for champ, texte in entree.items():
        if not isinstance(texte, str) or not texte.strip() or len(texte) > 80 or not texte.isprintable():
            abort(400, f"Le champ « {champ} » n'est pas valide.")
    creee = distant.ajouter(entree)
    if creee is None:
        abort(400, "Le site distant refuse ces données.")
    return creee, 201


@application.delete("/api/materiels/<int:numero>")
def supprimer(numero):
    """Supprimer un matériel."""
    if not distant.supprimer(numero):
        abort(404, "Ce matériel n'existe pas.")
    return "", 204


@application.get("/api/regates")
def regates():
    """Rendre les régates qui contiennent le mot : c'est leur application qui les connaît."""
    return jsonify(distant.regates(request.args.get("cherche", "")))


@application.get("/version")
def version():
    """Dire ce qui est déployé."""
    return {"application": reglages.APP_NAME, "tag": reglages.APP_TAG, "commit": reglages.APP_COMMIT}


@application.get("/")
def accueil():
    """Rendre la page : elle ne contient aucune donnée, son code les demande à l'API."""
    return render_template("accueil.html")


@application.errorhandler(HTTPException)
def erreur(refus):
    """Rendre en JSON ce que Flask dirait en HTML."""
    return {"erreur": refus.description}, refus.code


@application.errorhandler(distant.Indisponible)
def indisponible(panne):
    """Dire que les données manquent, plutôt que d'en montrer d'avant."""
    application.logger.warning("%s %r", panne, panne.__cause__)
    return {"erreur": str(panne)}, 503


@application.after_request
def proteger(reponse):
    """Ne laisser la page charger que nos fichiers, et personne garder les données."""
    reponse.headers["Content-Security-Policy"] = CSP
    reponse.headers["X-Content-Type-Options"] = "nosniff"
    reponse.headers.setdefault("Cache-Control", "no-store")
    return reponse
