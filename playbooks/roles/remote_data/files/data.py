"""The remote site's programming interface: documents of applications, in collections.

``GET /api/<application>/<collection>`` is a JSON list, of those that hold ``?cherche=<word>`` if it is asked;
``POST`` adds a JSON object of strings and returns it with its ``id``; ``DELETE …/<id>`` removes one. A token
(RFC 6750) opens what is below its own application and nothing else.
"""

import hashlib
import hmac
import json
import re
import threading
from pathlib import Path
from urllib.parse import parse_qs

import psycopg2
from psycopg2.extras import Json

SETTINGS = json.loads(Path("/etc/sio-lab/data.json").read_text(encoding="utf-8"))
PATH = re.compile(r"/([a-z][a-z0-9-]{0,20})/([a-z][a-z0-9_-]{0,40})(?:/([0-9]{1,18}))?", re.ASCII)
LONGEST = 65536  # bytes of an entry
CONNECTION = threading.local()  # a connection a thread, kept from one request to the next

LIST = """
SELECT id, content FROM documents WHERE application = %s AND collection = %s
AND (%s = '' OR EXISTS (
    SELECT FROM jsonb_each_text(content) AS field WHERE strpos(lower(field.value), lower(%s)) > 0))
ORDER BY id
"""
ADD = "INSERT INTO documents (application, collection, content) VALUES (%s, %s, %s) RETURNING id, content"
REMOVE = "DELETE FROM documents WHERE application = %s AND collection = %s AND id = %s RETURNING id, content"


class Refused(Exception):
    """A request that cannot be granted; its argument is the HTTP status line."""


def application(environ, start_response):
    """Answer one request (PEP 3333)."""
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    try:
        status, answer = respond(environ)
    except Refused as refused:
        status, answer = str(refused), {"erreur": str(refused)}
        if status.startswith("401"):
            headers.append(("WWW-Authenticate", "Bearer"))
    except psycopg2.DataError:  # characters that the database does not keep
        status, answer = "400 Bad Request", {"erreur": "400 Bad Request"}
    except psycopg2.Error as error:
        print(f"database: {error}", file=environ["wsgi.errors"])
        status, answer = "503 Service Unavailable", {"erreur": "base de données indisponible"}
    content = b"" if answer is None else json.dumps(answer, ensure_ascii=False).encode()
    start_response(status, [*headers, ("Content-Length", str(len(content)))])
    return [content]


def respond(environ):
    """Return status line and answer."""
    owner = owner_of(environ.get("HTTP_AUTHORIZATION", ""))
    found = PATH.fullmatch(environ.get("PATH_INFO", ""))
    if not found:
        raise Refused("404 Not Found")
    name, collection, number = found.groups()
    if name != owner:
        raise Refused("403 Forbidden")
    match environ["REQUEST_METHOD"], number is None:
        case "GET", True:
            word = parse_qs(environ.get("QUERY_STRING", "")).get("cherche", [""])[0].replace("\0", "")
            return "200 OK", [entry(row) for row in ask(LIST, name, collection, word, word)]
        case "POST", True:
            (row,) = ask(ADD, name, collection, Json(content_of(environ)))
            return "201 Created", entry(row)
        case "DELETE", False:
            if not ask(REMOVE, name, collection, number):
                raise Refused("404 Not Found")
            return "204 No Content", None
    raise Refused("405 Method Not Allowed")


def owner_of(authorization):
    """Return the application whose token was sent."""
    scheme, _, token = authorization.partition(" ")
    sent = hashlib.sha256(token.strip().encode("latin-1")).hexdigest()
    for name, known in SETTINGS["tokens"].items():
        if scheme.lower() == "bearer" and hmac.compare_digest(sent, known):
            return name
    raise Refused("401 Unauthorized")


def content_of(environ):
    """Return the entry that was sent: an object of strings, without an ``id`` of its own."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Refused("400 Bad Request") from None
    if length > LONGEST:
        raise Refused("413 Content Too Large")
    try:
        content = json.loads(environ["wsgi.input"].read(length))
    except (ValueError, RecursionError):
        raise Refused("400 Bad Request") from None
    if not isinstance(content, dict) or not content or "id" in content:
        raise Refused("400 Bad Request")
    if not all(isinstance(value, str) for value in content.values()):
        raise Refused("400 Bad Request")
    return content


def entry(row):
    """Return a row as it is shown."""
    number, content = row
    return {"id": number, **content}


def ask(statement, *values):
    """Run one statement in a transaction of its own; return its rows."""
    database = connection()
    try:
        with database, database.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()
    except BaseException:
        database.close()
        raise


def connection():
    """Return a connection that works: the one that this thread kept, or a new one where the server restarted."""
    kept = getattr(CONNECTION, "kept", None)
    if kept is not None and not kept.closed:
        try:
            with kept, kept.cursor() as cursor:
                cursor.execute("SELECT 1")
        except psycopg2.Error:
            kept.close()
        else:
            return kept
    CONNECTION.kept = psycopg2.connect(**SETTINGS["database"])
    return CONNECTION.kept
