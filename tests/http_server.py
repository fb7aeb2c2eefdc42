"""The real application on a real database, spoken to over HTTP; only the clock is ours."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from fakes.clock import Clock
from starlette.testclient import TestClient

from bot.http import http_app
from bot.settings import Settings
from core.tenancy import Person, Scope, Via
from jobs.desk import Desk
from jobs.enroll import enroll_project, issue_token
from storage.database import Database

ADMIN = "the-servers-own-admin-token"
REPO = "acme/shop"


@dataclass
class Server:
    """What a test does over HTTP."""

    http: TestClient
    desk: Desk
    clock: Clock
    tokens: dict[str, str] = field(default_factory=dict)

    def auth(self, scope):
        token = ADMIN if scope == "server" else self.tokens.get(scope, scope)
        return {"Authorization": f"Bearer {token}"}

    def get(self, path, scope="read", headers=None, **query):
        return self.http.get(f"/api/v1{path}", params=query, headers={**self.auth(scope), **(headers or {})})

    def post(self, path, json=None, scope="admin"):
        return self.http.post(f"/api/v1{path}", json=json, headers=self.auth(scope))

    def uploads(self, body, scope="ingest:trunk", headers=None, files=None, **query):
        fields = {"run_id": "1", "commit": "c1", "branch": "main", **query}
        return self.http.post(
            "/api/v1/ingestion/junit",
            params={name: value for name, value in fields.items() if value is not None},
            content=body,
            files=files,
            headers={**self.auth(scope), **(headers or {})},
        )

    def makes_token(self, scope, repo=REPO, **more):
        answer = self.post("/tokens", {"project": repo, "scope": scope, **more}, scope="server")
        assert answer.status_code == 201, answer.text
        return answer.json()

    def makes_project(self, repo, **more):
        answer = self.post("/projects", {"repo": repo, **more}, scope="server")
        assert answer.status_code == 201, answer.text
        return answer.json()

    def quarantines(self, test_id, by="U1", approver="U2"):
        for user in (by, approver):
            self.post("/approvers", {"user": user})
        proposal = self.post("/proposals", {"test_id": test_id, "by": by}).json()["proposal_id"]
        answer = self.post(f"/proposals/{proposal}/approve", {"by": approver})
        assert answer.status_code == 200, answer.text
        return proposal


OPERATOR = Person(user="operator", via=Via.CLI)
START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def settings_for(url, **more):
    usual = {"FLAKEGUARD_ADMIN_TOKEN": ADMIN, "FLAKEGUARD_BASE_URL": "https://flakeguard.example"}
    return Settings(_env_file=None, FLAKEGUARD_DATABASE_URL=url, **{**usual, **more})


def serving(settings, tokens=None, **more):
    clock = Clock(START)
    desk = Desk(database=Database.open(settings.database_url), now=clock)
    app = http_app(desk, settings, **more)
    http = TestClient(app, raise_server_exceptions=False, client=("203.0.113.9", 4711))
    return Server(http, desk, clock, dict(tokens or {}))


def furnish(url):
    """One project with a token of each scope; the raw tokens by scope."""
    desk = Desk(database=Database.open(url), now=Clock(START))
    project = enroll_project(desk, REPO, by=OPERATOR, organization="acme")
    tokens = {
        scope.value: issue_token(desk, project.id, scope, by=OPERATOR, randomness=bytes([number]) * 32).raw
        for number, scope in enumerate(Scope)
    }
    desk.database.close()
    return tokens
