"""How each issue tracker is spoken to: Trac, Redmine, Gitea (and Forgejo), GitLab."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from urllib.parse import quote

from sio_lab.errors import ProtocolError
from sio_lab.probes import web
from sio_lab.probes.tracker import PREFIX, IssueObservation, Tracker, issue, made
from sio_lab.text import Text

_TOKENS = r"\b[0-9a-f]{24}\b"  # by which Trac's forms show that they come from its pages


class Trac(Tracker):
    """Trac: forms of its pages, exports of its own (CSV, RSS).

    Where the web server asks for a password on the login page alone, the session is that of a cookie.
    """

    _logged_in = False

    def open(self, title: str, text: str) -> IssueObservation:
        """Fill in the form of a new ticket."""
        form = self._form("open", "/newticket")
        if not form.granted:
            return issue(form)
        fields = {
            **_token(form.body),
            "field_summary": title,
            "field_description": text,
            "field_type": _selected(form.body, "field_type"),
            "submit": "submit",
        }
        seen = self._ask("open", "POST", f"{self._path}/newticket", form=fields)
        found = re.search(r"/ticket/(\d+)", seen.headers.get("location", ""))
        return made(seen, found.group(1) if found else "")

    def read(self, number: str) -> IssueObservation:
        """Read a ticket's fields."""
        seen = self._form("read", f"/ticket/{number}?format=csv")
        row = next(iter(_rows(seen)), {})
        return replace(
            issue(seen, number=number, title=row.get("summary", "")), closed=row.get("status") == "closed"
        )

    def link(self, number: str, commit: str) -> IssueObservation:
        """Read a ticket's changes: a commit that names it is one, with a link to the changeset."""
        seen = self._form("link", f"/ticket/{number}?format=rss")
        linked = re.search(rf"/changeset/{commit[:7]}(?:{commit[7:]})?\b", seen.body) is not None
        return replace(issue(seen, number=number), linked=seen.granted and linked)

    def leftovers(self) -> list[str]:
        """Query the open tickets by the beginning of their summary."""
        seen = self._form(
            "leftovers", f"/query?summary=^{PREFIX}&status=!closed&format=csv&col=id&col=summary&col=status"
        )
        # The names of columns are in the language of the page.
        rows = [list(row.values()) for row in _rows(seen)]
        return [row[0] for row in rows if len(row) > 1 and str(row[1]).startswith(PREFIX)]

    def _delete(self, number: str) -> IssueObservation:
        form = self._form("remove", f"/ticket/{number}?action=delete")
        fields = {**_token(form.body), "action": "delete"}
        return self._sent("remove", f"/ticket/{number}", fields)

    def _close(self, number: str) -> IssueObservation:
        form = self._form("close", f"/ticket/{number}")
        seen_at = re.search(r'name="view_time"\s+value="(\d+)"', form.body)
        fields = {
            **_token(form.body),
            "action": "resolve",
            "action_resolve_resolve_resolution": "fixed",
            "view_time": seen_at.group(1) if seen_at else "",
            "start_time": seen_at.group(1) if seen_at else "",
            "submit": "submit",
        }
        return self._sent("close", f"/ticket/{number}", fields)

    def _sent(self, what: str, path: str, fields: dict[str, str]) -> IssueObservation:
        """Send a form: Trac answers with another page (303) where it has done what was asked."""
        seen = self._ask(what, "POST", self._path + path, form=fields)
        done = seen.status in {302, 303}
        return replace(issue(seen), answer="granted" if done else "refused")

    def _form(self, what: str, path: str) -> web.WebObservation:
        if not self._logged_in and self._auth:
            login = self._ask("login", "GET", f"{self._path}/login")
            if login.status == 401 or login.answer == "unavailable":
                return login
            self._logged_in = True
        return self._ask(what, "GET", self._path + path, hidden=_TOKENS)


class Redmine(Tracker):
    """Redmine: its REST interface (JSON), which an administrator must have opened."""

    def __init__(self, browser: web.Client, path: str, auth: tuple[str, str] | None) -> None:
        super().__init__(browser, path, auth)
        self._path = self._path.removesuffix("/issues")
        self._root, _, self._project = self._path.partition("/projects/")

    def open(self, title: str, text: str) -> IssueObservation:
        """Make an issue of the project's first tracker."""
        body = {"issue": {"project_id": self._project, "subject": title, "description": text}}
        seen = self._ask("open", "POST", f"{self._root}/issues.json", json=body)
        return made(seen, _text(_part(seen, "issue"), "id"))

    def read(self, number: str) -> IssueObservation:
        """Read an issue."""
        seen = self._ask("read", "GET", f"{self._root}/issues/{number}.json")
        said = _part(seen, "issue")
        # Since 4.2 (is_closed of a status); before, an issue that is closed has a date.
        closed = _object(said.get("status")).get("is_closed") is True or bool(said.get("closed_on"))
        return replace(issue(seen, number=number, title=_text(said, "subject")), closed=closed)

    def link(self, number: str, commit: str) -> IssueObservation:
        """Read the changesets that Redmine associates with an issue."""
        seen = self._ask("link", "GET", f"{self._root}/issues/{number}.json?include=changesets")
        changesets = _objects(_part(seen, "issue").get("changesets"))
        linked = any(_text(changeset, "revision") == commit for changeset in changesets)
        return replace(issue(seen, number=number), linked=linked)

    def leftovers(self) -> list[str]:
        """Search the open issues by their subject."""
        query = f"status_id=open&subject=~{PREFIX}&limit=100"
        seen = self._ask("leftovers", "GET", f"{self._path}/issues.json?{query}")
        found = _objects(_object(seen.json()).get("issues"))
        return [_text(each, "id") for each in found if _text(each, "subject").startswith(PREFIX)]

    def _delete(self, number: str) -> IssueObservation:
        return issue(self._ask("remove", "DELETE", f"{self._root}/issues/{number}.json"))

    def _close(self, number: str) -> IssueObservation:
        statuses = self._ask("close", "GET", f"{self._root}/issue_statuses.json")
        known = _objects(_object(statuses.json()).get("issue_statuses"))
        closed = next((status.get("id") for status in known if status.get("is_closed")), None)
        body = {"issue": {"status_id": closed}}
        return issue(self._ask("close", "PUT", f"{self._root}/issues/{number}.json", json=body))


class Gitea(Tracker):
    """Gitea and Forgejo: version 1 of their interface."""

    def __init__(self, browser: web.Client, path: str, auth: tuple[str, str] | None) -> None:
        super().__init__(browser, path, auth)
        root, owner, name = self._path.removesuffix("/issues").rsplit("/", 2)
        self._issues = f"{root}/api/v1/repos/{owner}/{name}/issues"

    def open(self, title: str, text: str) -> IssueObservation:
        """Make an issue of the repository."""
        seen = self._ask("open", "POST", self._issues, json={"title": title, "body": text})
        return made(seen, _text(_object(seen.json()), "number"))

    def read(self, number: str) -> IssueObservation:
        """Read an issue."""
        return self._issue(self._ask("read", "GET", f"{self._issues}/{number}"), number)

    def link(self, number: str, commit: str) -> IssueObservation:
        """Read an issue's timeline: a commit that names it stands there."""
        seen = self._ask("link", "GET", f"{self._issues}/{number}/timeline")
        events = _objects(seen.json())
        linked = any(_text(event, "ref_commit_sha") == commit for event in events)
        return replace(issue(seen, number=number), linked=linked)

    def leftovers(self) -> list[str]:
        """Search the open issues by their title."""
        seen = self._ask("leftovers", "GET", f"{self._issues}?state=open&type=issues&q={PREFIX}")
        found = _objects(seen.json())
        return [_text(each, "number") for each in found if _text(each, "title").startswith(PREFIX)]

    def _delete(self, number: str) -> IssueObservation:
        return issue(self._ask("remove", "DELETE", f"{self._issues}/{number}"))

    def _close(self, number: str) -> IssueObservation:
        return issue(self._ask("close", "PATCH", f"{self._issues}/{number}", json={"state": "closed"}))

    @staticmethod
    def _issue(seen: web.WebObservation, number: str) -> IssueObservation:
        said = _object(seen.json())
        return replace(
            issue(seen, number=number, title=_text(said, "title")), closed=said.get("state") == "closed"
        )


class GitLab(Tracker):
    """GitLab: version 4 of its interface, with a token that it gives for a password (OAuth 2.0, RFC 6749 §4.3)."""

    def __init__(self, browser: web.Client, path: str, auth: tuple[str, str] | None) -> None:
        super().__init__(browser, path, None)  # the interface takes no password
        self._login = auth
        project = self._path.partition("/-/")[0].strip("/")
        self._issues = f"/api/v4/projects/{quote(project, safe='')}/issues"
        self._token = ""

    def open(self, title: str, text: str) -> IssueObservation:
        """Make an issue of the project."""
        seen = self._call("open", "POST", json={"title": title, "description": text})
        return made(seen, _text(_object(seen.json()), "iid"))

    def read(self, number: str) -> IssueObservation:
        """Read an issue."""
        seen = self._call("read", "GET", f"/{number}")
        said = _object(seen.json())
        return replace(
            issue(seen, number=number, title=_text(said, "title")), closed=said.get("state") == "closed"
        )

    def link(self, number: str, commit: str) -> IssueObservation:
        """Read an issue's notes: GitLab writes one that names the commit."""
        seen = self._call("link", "GET", f"/{number}/notes?per_page=100")
        notes = [note for note in _objects(seen.json()) if note.get("system")]
        linked = any(re.search(rf"\bcommit {commit}", _text(note, "body")) for note in notes)
        return replace(issue(seen, number=number), linked=linked)

    def leftovers(self) -> list[str]:
        """Search the open issues by their title."""
        found = _objects(self._call("leftovers", "GET", f"?state=opened&in=title&search={PREFIX}").json())
        return [_text(each, "iid") for each in found if _text(each, "title").startswith(PREFIX)]

    def _delete(self, number: str) -> IssueObservation:
        return issue(self._call("remove", "DELETE", f"/{number}"))

    def _close(self, number: str) -> IssueObservation:
        return issue(self._call("close", "PUT", f"/{number}", json={"state_event": "close"}))

    def _call(self, what: str, method: str, path: str = "", *, json: object = None) -> web.WebObservation:
        if self._login and not self._token:
            account, password = self._login
            form = {"grant_type": "password", "username": account, "password": password}
            seen = self._ask("login", "POST", "/oauth/token", form=form, hidden=r"[0-9A-Za-z_-]{20,}")
            said = _object(seen.json())
            self._token = _text(said, "access_token")
            if not self._token:
                return self._no_token(seen, _text(said, "error"))
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else None
        return self._ask(what, method, self._issues + path, headers=headers, json=json)

    @staticmethod
    def _no_token(seen: web.WebObservation, error: str) -> web.WebObservation:
        """Tell a wrong password (``invalid_grant``, RFC 6749 §5.2) from a server that gives no token at all."""
        if error == "invalid_grant":
            return replace(seen, status=401, detail=error)
        if seen.answer == "unavailable":
            return seen
        raise ProtocolError(
            Text(
                f"ce serveur ne donne pas de jeton contre un mot de passe ({error or seen.detail})",
                f"this server gives no token for a password ({error or seen.detail})",
            ),
            where=seen.evidence.target,
            todo=Text("joignez une attestation pour 3.1.d", "add an attestation for 3.1.d"),
        )


PRODUCTS: dict[str, type[Tracker]] = {"trac": Trac, "redmine": Redmine, "gitea": Gitea, "gitlab": GitLab}
"""How each tracker is spoken to, by its name in the lab file."""


def _token(page: str) -> dict[str, str]:
    """Return the field of a page's forms that shows that they come from it."""
    found = re.search(r'name="__FORM_TOKEN"\s+value="([^"]*)"', page)
    return {"__FORM_TOKEN": found.group(1)} if found else {}


def _selected(page: str, field: str) -> str:
    """Return what a list of a page's form proposes."""
    options = re.search(rf'<select[^>]*name="{field}".*?</select>', page, re.DOTALL)
    found = re.search(
        r'<option selected="selected"[^>]*?(?: value="([^"]*)")?[^>]*>([^<]*)', options.group() if options else ""
    )
    return (found.group(1) or found.group(2)).strip() if found else ""


def _rows(seen: web.WebObservation) -> list[dict[str, str]]:
    """Return the rows of a CSV answer, which begins with a mark of its encoding."""
    if not seen.granted or not seen.headers.get("content-type", "").startswith("text/csv"):
        return []
    return list(csv.DictReader(seen.body.lstrip("\ufeff").splitlines()))


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _part(seen: web.WebObservation, key: str) -> dict[str, object]:
    return _object(_object(seen.json()).get(key))


def _text(said: dict[str, object], key: str) -> str:
    value = said.get(key)
    return "" if value is None or isinstance(value, dict | list) else str(value)
