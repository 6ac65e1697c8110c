"""A forge on loopback: git's own HTTP server behind passwords, and an issue tracker that answers as documented.

The trackers speak as these documents say: Redmine's wiki (Rest_api, Rest_Issues), Gitea's swagger (v1), GitLab's
documentation (api/issues, api/notes, api/oauth2). Trac's pages and exports are as recorded from Trac 1.6.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from loopback import running

NAME = "forge.example.test"
PASSWORDS = {"chloe": "chloe-secret", "alice": "alice-secret"}
_TRAC_FORM = """<form method="post"><input type="hidden" name="__FORM_TOKEN" value="{token}" />
<select id="field-type" name="field_type"><option selected="selected" value="defect">defect</option>
<option value="task">task</option></select>
<input type="hidden" name="start_time"
                 value="1795842863318787" /><input type="hidden" name="view_time"
                 value="1795842863318787" /></form>"""


@dataclass
class Forge:
    """What the forge holds, and what is wrong with it.

    Attributes:
        repository: the bare repository.
        members: who may clone and push, open and see issues.
        issues: title, text and commits of each, by number.
        links: whether commits are linked to the issues that they name.
        deletes: whether members may delete issues.
        any_password: whether passwords are not looked at.
        open_git: whether anybody may clone and push.
        open_tracker: whether anybody may see and open issues.
        out_of_order: whether it answers errors.
        tokens: whether it gives tokens for passwords.
    """

    repository: Path
    members: set[str] = field(default_factory=lambda: {"chloe"})
    issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: bool = True
    deletes: bool = True
    any_password: bool = False
    open_git: bool = False
    open_tracker: bool = False
    out_of_order: bool = False
    tokens: bool = True
    count: int = 0

    def add(self, title: str, text: str) -> str:
        self.count += 1
        self.issues[str(self.count)] = {"title": title, "text": text, "closed": False}
        return str(self.count)

    def commits(self, number: str) -> list[str]:
        """Return the commits of any branch whose message names the issue."""
        if not self.links:
            return []
        command = ["git", "-C", self.repository, "log", "--all", "--format=%H", f"--grep=#{number}\\b", "-P"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    def branches(self) -> list[str]:
        command = ["git", "-C", self.repository, "for-each-ref", "--format=%(refname:short)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    forge: Forge

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Say nothing."""

    def reply(self, status: int, body: object = "", kind: str = "application/json", **headers: str) -> None:
        content = (
            body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        )
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def who(self) -> str:
        """Return who asks, empty for a visitor, ``?`` where the password is wrong."""
        kind, _, said = (self.headers.get("Authorization") or "").partition(" ")
        if kind == "Bearer":
            return said.removeprefix("token-of-a-certain-length-")
        login, _, password = base64.b64decode(said).decode().partition(":") if said else ("", "", "")
        right = not login or self.forge.any_password or PASSWORDS.get(login) == password
        return login if right else "?"

    def everything(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            self.content = b"".join(iter(self.chunk, b""))
        else:
            self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if self.forge.out_of_order:
            self.reply(503)
        elif path.startswith("/git/"):
            self.git()
        elif path == "/oauth/token":
            self.gitlab_token()
        elif not self.may_track():
            status = 401 if self.who() == "?" else 403 if self.who() else 401
            self.reply(status, {"message": "no"}, WWW_Authenticate='Basic realm="forge"')
        elif path.startswith("/suivi"):
            self.trac(path.removeprefix("/suivi"))
        elif path.startswith("/redmine/"):
            self.redmine(path.removeprefix("/redmine/"))
        elif path.startswith("/gitea/api/v1/repos/equipe/essai/issues"):
            self.gitea(path.removeprefix("/gitea/api/v1/repos/equipe/essai/issues").strip("/"))
        elif self.path.startswith("/api/v4/projects/equipe%2Fessai/issues"):
            self.gitlab(unquote(path).removeprefix("/api/v4/projects/equipe/essai/issues").strip("/"))
        else:
            self.reply(404)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = everything  # noqa: N815  # the base class calls them so

    def chunk(self) -> bytes:
        content = self.rfile.read(int(self.rfile.readline(), 16))
        self.rfile.readline()
        return content

    def may_track(self) -> bool:
        return self.who() in self.forge.members or (self.forge.open_tracker and self.who() != "?")

    # git: gitprotocol-http(5), by git-http-backend(1).

    def git(self) -> None:
        who = self.who()
        if not self.forge.open_git and who in {"", "?"}:
            self.reply(401, WWW_Authenticate='Basic realm="forge"')
        elif not self.forge.open_git and who not in self.forge.members:
            self.reply(403)
        else:
            self.backend(who)

    def backend(self, who: str) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": str(self.forge.repository),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": who or "anybody",
            "PATH_INFO": path.removeprefix("/git/essai"),
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(self.content)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        ran = subprocess.run(
            ["git", "http-backend"], input=self.content, capture_output=True, env=environment, check=False
        )
        head, _, body = ran.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(headers.pop("Status", "200").split()[0])
        kind = headers.pop("Content-Type", "text/plain")
        self.reply(status, body, kind, **{name.replace("-", "_"): value for name, value in headers.items()})

    # Trac 1.6.

    def trac(self, path: str) -> None:
        number = path.removeprefix("/ticket/")
        known = self.forge.issues.get(number)
        query = {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
        form = {key: value[0] for key, value in parse_qs(self.content.decode()).items()}
        if self.command == "POST" and form.get("__FORM_TOKEN") != "0123abcd":
            self.reply(400)
        elif path == "/login":
            self.reply(302, Location=f"https://{NAME}/suivi")
        elif path == "/newticket" and self.command == "POST":
            number = self.forge.add(form["field_summary"], form["field_description"])
            self.reply(303, Location=f"https://{NAME}/suivi/ticket/{number}")
        elif path == "/query":
            rows = [f"{n},{i['title']},new" for n, i in self.forge.issues.items() if not i["closed"]]
            self.reply(200, "\ufeff" + "\r\n".join(["id,Résumé,État", *rows]), "text/csv;charset=utf-8")
        elif path == "/newticket":
            self.reply(200, _TRAC_FORM.format(token="0123abcd"), "text/html")
        elif known is None:
            self.reply(404)
        elif self.command == "POST":
            self.trac_change(number, form)
        elif query.get("format") == "csv":
            row = [number, known["title"], "closed" if known["closed"] else "new"]
            self.reply(200, "\ufeffid,summary,status\r\n" + ",".join(row), "text/csv;charset=utf-8")
        elif query.get("format") == "rss":
            items = "".join(
                f'<item>&lt;a class="changeset" href="https://{NAME}/suivi/changeset/{c}/essai"&gt;</item>'
                for c in self.forge.commits(number)
            )
            self.reply(200, f"<rss>{items}</rss>", "application/rss+xml")
        else:
            self.reply(200, _TRAC_FORM.format(token="0123abcd"), "text/html")

    def trac_change(self, number: str, form: dict[str, str]) -> None:
        if form["action"] == "delete":
            if not self.forge.deletes:
                return self.reply(403)
            del self.forge.issues[number]
        elif form["view_time"] == form["start_time"] == "1795842863318787":
            self.forge.issues[number]["closed"] = form["action_resolve_resolve_resolution"] == "fixed"
        else:
            return self.reply(200, "warning", "text/html")
        return self.reply(303, Location=f"https://{NAME}/suivi/query")

    # The three others take and give JSON.

    def said(self) -> dict[str, Any]:
        return dict(json.loads(self.content))

    def redmine(self, path: str) -> None:
        number = path.removeprefix("issues/").removesuffix(".json")
        if path == "issue_statuses.json":
            statuses = [
                {"id": 1, "name": "New", "is_closed": False},
                {"id": 5, "name": "Closed", "is_closed": True},
            ]
            self.reply(200, {"issue_statuses": statuses})
        elif path == "issues.json" and self.command == "POST":
            said = self.said()["issue"]
            if said["project_id"] != "essai":
                return self.reply(404)
            number = self.forge.add(said["subject"], said["description"])
            self.reply(201, {"issue": self.redmine_issue(number)})
        elif path == "projects/essai/issues.json":
            found = [self.redmine_issue(n) for n, issue in self.forge.issues.items() if not issue["closed"]]
            self.reply(200, {"issues": found, "total_count": len(found), "offset": 0, "limit": 100})
        elif number not in self.forge.issues:
            self.reply(404)
        elif self.command == "PUT":
            self.forge.issues[number]["closed"] = self.said()["issue"]["status_id"] == 5
            self.reply(204)
        elif self.command == "DELETE":
            self.delete(number)
        else:
            self.reply(200, {"issue": self.redmine_issue(number)})
        return None

    def redmine_issue(self, number: str) -> dict[str, object]:
        issue = self.forge.issues[number]
        commits = self.forge.commits(number) if "include=changesets" in self.path else []
        return {
            "id": int(number),
            "subject": issue["title"],
            "description": issue["text"],
            "status": {"id": 5 if issue["closed"] else 1, "name": "?", "is_closed": issue["closed"]},
            "closed_on": "2026-11-28T05:00:00Z" if issue["closed"] else None,
            "changesets": [{"revision": c, "comments": "…", "committed_on": "…"} for c in commits],
        }

    def gitea(self, path: str) -> None:
        number, _, what = path.partition("/")
        if not number and self.command == "POST":
            number = self.forge.add(self.said()["title"], self.said()["body"])
            self.reply(201, self.gitea_issue(number))
        elif not number:
            self.reply(200, [self.gitea_issue(n) for n, i in self.forge.issues.items() if not i["closed"]])
        elif number not in self.forge.issues:
            self.reply(404, {"message": "issue does not exist"})
        elif what == "timeline":
            found = [{"type": "commit_ref", "ref_commit_sha": c} for c in self.forge.commits(number)]
            self.reply(200, [{"type": "label", "ref_commit_sha": ""}, *found])
        elif self.command == "PATCH":
            self.forge.issues[number]["closed"] = self.said()["state"] == "closed"
            self.reply(201, self.gitea_issue(number))
        elif self.command == "DELETE":
            self.delete(number)
        else:
            self.reply(200, self.gitea_issue(number))

    def gitea_issue(self, number: str) -> dict[str, object]:
        issue = self.forge.issues[number]
        state = "closed" if issue["closed"] else "open"
        return {"id": 100 + int(number), "number": int(number), "title": issue["title"], "state": state}

    def gitlab_token(self) -> None:
        form = {key: value[0] for key, value in parse_qs(self.content.decode()).items()}
        right = self.forge.any_password or PASSWORDS.get(form["username"]) == form["password"]
        if not self.forge.tokens:
            self.reply(401, {"error": "invalid_client", "error_description": "…"})
        elif right and form["grant_type"] == "password":
            token = f"token-of-a-certain-length-{form['username']}"
            self.reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 7200})
        else:
            self.reply(400, {"error": "invalid_grant", "error_description": "…"})

    def gitlab(self, path: str) -> None:
        number, _, what = path.partition("/")
        if not number and self.command == "POST":
            number = self.forge.add(self.said()["title"], self.said()["description"])
            self.reply(201, self.gitlab_issue(number))
        elif not number:
            self.reply(200, [self.gitlab_issue(n) for n, i in self.forge.issues.items() if not i["closed"]])
        elif number not in self.forge.issues:
            self.reply(404, {"message": "404 Not found"})
        elif what == "notes":
            notes = [{"system": True, "body": f"mentioned in commit {c}"} for c in self.forge.commits(number)]
            self.reply(200, [{"system": False, "body": "hello"}, *notes])
        elif self.command == "PUT":
            self.forge.issues[number]["closed"] = self.said()["state_event"] == "close"
            self.reply(200, self.gitlab_issue(number))
        elif self.command == "DELETE":
            self.delete(number)
        else:
            self.reply(200, self.gitlab_issue(number))

    def gitlab_issue(self, number: str) -> dict[str, object]:
        issue = self.forge.issues[number]
        state = "closed" if issue["closed"] else "opened"
        return {"id": 100 + int(number), "iid": int(number), "title": issue["title"], "state": state}

    def delete(self, number: str) -> None:
        if self.forge.deletes:
            del self.forge.issues[number]
        self.reply(204 if self.forge.deletes else 403)


def repository(folder: Path) -> Path:
    """Make a bare repository with one commit on its branch ``main``; return its place."""
    place, work = folder / "essai.git", folder / "work"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", place], check=True)
    script = (
        'git init -q -b main "$1" && cd "$1" && echo essai >LISEZMOI && git add LISEZMOI && '
        'git -c user.name=x -c user.email=x@example.test commit -q -m Essai && git push -q "$2" main'
    )
    subprocess.run(["sh", "-c", script, "sh", work, place], check=True)
    return place


@contextmanager
def serving(forge: Forge, pem: Path) -> Iterator[int]:
    """Serve ``forge`` over TLS with the certificate of ``pem``; yield the port."""
    handler = type("Bound", (Request,), {"forge": forge})

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: clients that do not trust the certificate hang up."""

    with running(Server(("127.0.0.1", 0), handler), pem) as port:
        yield port
