"""Website whose data is in the DBMS: which machine answers, and the races, which visitors list and add to.

``GET /`` is that page, ``GET /sante`` the health of this machine alone, ``GET <entries>`` a JSON list of ``id``,
``nom`` and ``jour``. ``POST <entries>`` (form: ``nom``, ``jour``) adds one and returns it with ``retrait``,
a path: ``DELETE`` of it removes the race, which nobody else can. Whoever got no answer sends it again: with the
same ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header) it is added once.
"""

import datetime
import hashlib
import hmac
import html
import json
import threading
from pathlib import Path
from urllib.parse import parse_qs

import psycopg2

SETTINGS = json.loads(Path("/etc/sio-lab/site.json").read_text(encoding="utf-8"))
ENTRIES = SETTINGS["entries"]
LONGEST = 4096  # bytes of a form, characters of a name
# Connections are kept, for logging in takes long on a machine that is busy; and no more than these, for a database
# that is lost must not keep all threads waiting.
KEPT = []
AT_ONCE = threading.BoundedSemaphore(6)
PATIENCE = 0.8  # seconds


class Refused(Exception):
    """A request that cannot be granted; its argument is the HTTP status line."""


def application(environ, start_response):
    """Answer one request (PEP 3333)."""
    try:
        status, kind, body = answer(environ)
    except Refused as refused:
        status, kind, body = str(refused), "text/plain; charset=utf-8", f"{refused}\n"
    except psycopg2.Error as error:
        print(f"database: {error}", file=environ["wsgi.errors"])
        status, kind, body = "503 Service Unavailable", "text/plain; charset=utf-8", "database\n"
    content = body.encode()
    headers = [("Content-Type", kind), ("Content-Length", str(len(content))), ("Cache-Control", "no-store")]
    start_response(status, headers)
    return [content]


def answer(environ):
    """Return status line, type and text of the answer."""
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
    if method in ("GET", "HEAD") and path == "/":
        return "200 OK", "text/html; charset=utf-8", page()
    if method in ("GET", "HEAD") and path == "/sante":
        return "200 OK", "text/plain; charset=utf-8", "ok\n"
    if method in ("GET", "HEAD") and path == ENTRIES:
        return "200 OK", "application/json", json.dumps(listed(), ensure_ascii=False)
    if method == "POST" and path == ENTRIES:
        return (
            "201 Created",
            "application/json",
            json.dumps(added(*form(environ), key(environ)), ensure_ascii=False),
        )
    if method == "DELETE" and path.startswith(f"{ENTRIES}/"):
        removed(path)
        return "204 No Content", "text/plain", ""
    raise Refused("404 Not Found")


def page():
    """Return the page that says which machine answers."""
    title, machine = html.escape(SETTINGS["title"]), html.escape(SETTINGS["machine"])
    return (
        f'<!DOCTYPE html>\n<html lang="fr"><meta charset="utf-8"><title>{title}</title>\n<h1>{title}</h1>\n'
        f'<p>Page servie par <b>{machine}</b>. <a href="{html.escape(ENTRIES)}">Les régates</a></p></html>\n'
    )


def form(environ):
    """Return name and day of the form that was sent."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        fields = parse_qs(environ["wsgi.input"].read(min(length, LONGEST)).decode())
        name, day = fields["nom"][0], datetime.date.fromisoformat(fields["jour"][0])
    except (ValueError, KeyError):
        raise Refused("400 Bad Request") from None
    return name, day


def key(environ):
    """Return what tells a request that is sent again from another one, if anything does."""
    return environ.get("HTTP_IDEMPOTENCY_KEY", "")[:LONGEST] or None


def ask(statement, *values):
    """Run one statement in a transaction of its own; return its rows."""
    if not AT_ONCE.acquire(timeout=PATIENCE):
        raise Refused("503 Service Unavailable")
    try:
        database = connection()
        try:
            with database, database.cursor() as cursor:
                cursor.execute(statement, values)
                rows = cursor.fetchall()
        except BaseException:
            database.close()
            raise
        KEPT.append(database)
        return rows
    finally:
        AT_ONCE.release()


def connection():
    """Return a connection that works: one that was kept, or a new one."""
    while KEPT:
        try:
            database = KEPT.pop()
            with database.cursor() as cursor:
                cursor.execute("SELECT 1")
        except IndexError:  # another thread took the last one
            break
        except psycopg2.Error:
            database.close()
        else:
            return database
    return psycopg2.connect(**SETTINGS["database"])


def listed():
    """Return the races."""
    return [entry(row) for row in ask("SELECT id, nom, jour FROM regates ORDER BY id")]


ADD = """
INSERT INTO regates (nom, jour, cle) VALUES (%s, %s, %s)
ON CONFLICT (cle) DO UPDATE SET cle = excluded.cle RETURNING id, nom, jour
"""


def added(name, day, again):
    """Add a race, unless that was done under the key ``again``; return it and the path that removes it."""
    ((number, *rest),) = ask(ADD, name, day, again)
    return {**entry((number, *rest)), "retrait": f"{ENTRIES}/{number}/{seal(number)}"}


def removed(path):
    """Remove the race that ``path`` names, where its seal is right."""
    number, _, sealed = path.removeprefix(f"{ENTRIES}/").partition("/")
    if not number.isdigit() or not hmac.compare_digest(sealed.encode(), seal(number).encode()):
        raise Refused("403 Forbidden")
    if not ask("DELETE FROM regates WHERE id = %s RETURNING id", number):
        raise Refused("404 Not Found")


def entry(row):
    """Return a row as it is shown."""
    number, name, day = row
    return {"id": number, "nom": name, "jour": day.isoformat()}


def seal(number):
    """Return what whoever added a race, and nobody else, knows of it; the same on every machine of the site."""
    key = SETTINGS["database"]["password"].encode()
    return hmac.new(key, str(number).encode(), hashlib.sha256).hexdigest()[:32]
