"""A browser before the real application, and a repository with a past to look at."""

from datetime import timedelta

from http_server import START, serving, settings_for
from reports import junit
from starlette.testclient import TestClient

from bot.web import web_pages
from bot.web.links import signin_link

OURS = "https://flakeguard.example"
HOSTILE = "test_<script>alert(1)</script>\u202egnp.\u200b\x7f" + "x" * 5000


class Browser:
    """Somebody with a browser; forms are sent as browsers send them."""

    def __init__(self, server):
        self.server = server
        self.http = TestClient(
            server.http.app,
            base_url=OURS,
            raise_server_exceptions=False,
            follow_redirects=False,
            client=("203.0.113.9", 4711),
        )

    def opens(self, path, **query):
        return self.http.get(path, params=query or None)

    def sends(self, path, origin=OURS, headers=None, **fields):
        told = {"Origin": origin} if origin else {}
        return self.http.post(path, data=fields, headers={**told, **(headers or {})})

    def link(self, team="T1", user="U1", settings=None, **more):
        return signin_link(settings or self.server.settings, self.server.desk, team=team, user=user, **more)

    def enters(self, link):
        return self.sends("/web/enter", t=link.partition("?t=")[2])

    def signs_in(self, token):
        return self.sends("/web/signin", token=token)


def opened(url, tokens=None, **more):
    settings = settings_for(url, **{"SLACK_BOT_TOKEN": "xoxb-1", **more})
    server = serving(settings, tokens, pages=web_pages)
    server.settings = settings
    return server


def lives(server):
    """Three weeks: b fails and passes on the same commit, time and again."""
    for number in range(9):
        at = (START - timedelta(days=18 - 2 * number)).isoformat()
        query = {"run_id": str(number), "commit": f"c{number}", "started_at": at}
        query["url"] = f"https://ci.example/{number}"
        bad = ["b", (HOSTILE, "<img src=x onerror=alert(2)>\u202e")]
        assert server.uploads(junit("a", failed=bad), attempt="1", **query).status_code == 201
        assert server.uploads(junit("a", "b", HOSTILE), attempt="2", **query).status_code == 201
    tests = {item["name"][:6]: item["test_id"] for item in server.get("/tests").json()["items"]}
    for user in ("U1", "U2"):
        server.post("/approvers", {"user": user})
    return tests
