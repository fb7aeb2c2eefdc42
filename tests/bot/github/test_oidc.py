import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fakes.github import app_key
from reports import junit
from starlette.testclient import TestClient

from bot.github.config import GitHubConfig
from bot.github.oidc import OidcVerifier, exchange
from bot.http import http_app
from bot.settings import Settings
from core.errors import AuthenticationError, FlakeGuardError, ForgeError, NotFoundError
from core.github.repository import Account, Installation, Repository
from core.token import token_hash
from jobs.enlist import enlist
from storage.oidc import fields_bound_to
from storage.result import get_runs
from storage.token import find_token

AUDIENCE = "https://flakeguard.test"


class Issuer:
    """GitHub's key server, on loopback."""

    def __init__(self):
        self.asked = 0
        self.keys = {"k1": app_key()}
        self.broken = False
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                issuer.asked += 1
                body = json.dumps({"keys": [issuer.jwk(kid) for kid in issuer.keys]}).encode()
                self.send_response(500 if issuer.broken else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.issuer = f"{self.url}/_services/token"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def jwk(self, kid):
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[kid].public_key()))
        return {**public, "kid": kid, "alg": "RS256", "use": "sig"}


@pytest.fixture
def issuer():
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.fixture
def verifier(world, issuer):
    return OidcVerifier(GitHubConfig(api_url=f"{issuer.url}/api/v3", base_url=AUDIENCE), now=world.now)


@pytest.fixture
def project(world):
    owner = Account(5, "acme")
    with world.database.begin() as tx:
        repository = Repository(10, "acme/web", "main", owner=owner)
        return enlist(tx, repository, Installation(1, account=owner), now=world.now())


@pytest.fixture
def token(world, issuer):
    def make(*, kid="k1", algorithm="RS256", key=None, **claims):
        now = world.now()
        data = {
            "iss": issuer.issuer,
            "aud": AUDIENCE,
            "sub": "repo:acme-5/web-10:ref:refs/heads/main",
            "iat": now,
            "exp": now + timedelta(minutes=5),
            "jti": "one",
            "repository": "acme/web",
            "repository_id": "10",
            "repository_owner_id": "5",
            "ref": "refs/heads/main",
            "event_name": "push",
            "run_id": "77",
            "run_attempt": "2",
            "sha": "a" * 40,
            **claims,
        }
        data = {name: value for name, value in data.items() if value is not None}
        return jwt.encode(
            data, key or issuer.keys.get(kid, app_key()), algorithm=algorithm, headers={"kid": kid}
        )

    return make


@pytest.mark.parametrize(
    ("claims", "scope"),
    [
        ({}, "ingest:trunk"),
        ({"event_name": "merge_group", "ref": "refs/heads/gh-readonly-queue/main/pr-1-x"}, "ingest:trunk"),
        ({"ref": "refs/heads/fix"}, "ingest:pr"),
        ({"ref": "refs/pull/7/merge", "event_name": "pull_request"}, "ingest:pr"),
        ({"ref": "refs/heads/main", "event_name": "pull_request"}, "ingest:pr"),
        ({"ref": "refs/tags/main"}, "ingest:pr"),
    ],
)
def test_a_workflow_run_gets_a_token_for_what_it_is(world, verifier, project, token, *, claims, scope):
    answer = exchange(world.desk, verifier, token(**claims))
    assert (answer["scope"], answer["project_id"], answer["expires_in"]) == (scope, project.id, 900)
    stored = world.read(find_token, token_hash(answer["token"]))
    assert stored.live(world.now())
    assert not stored.live(world.now() + timedelta(minutes=16))


@pytest.mark.parametrize(
    ("claims", "more"),
    [
        ({}, {"branch": "main", "pr": ""}),
        ({"ref": "refs/heads/fix/it"}, {"branch": "fix/it", "pr": ""}),
        (
            {"ref": "refs/pull/7/merge", "head_ref": "fix/it", "event_name": "pull_request"},
            {"branch": "fix/it", "pr": "7", "event": "pull_request"},
        ),
    ],
)
def test_the_token_is_bound_to_the_run_that_asked(world, verifier, project, token, *, claims, more):
    answer = exchange(world.desk, verifier, token(**claims))
    bound = world.read(fields_bound_to, answer["token_id"])
    assert bound == {"run_id": "77", "attempt": "2", "commit": "a" * 40, "event": "push", **more}


def test_an_upload_speaks_only_for_the_run_that_got_the_token(world, verifier, project, token):
    http = TestClient(http_app(world.desk, Settings(_env_file=None)))
    answer = exchange(world.desk, verifier, token(ref="refs/heads/fix"))
    stored = http.post(
        "/api/v1/ingestion/junit",
        params={"run_id": "1", "commit": "b" * 40, "branch": "else", "job": "unit"},
        content=junit("t"),
        headers={"Authorization": f"Bearer {answer['token']}"},
    )
    assert stored.status_code == 201, stored.text
    [run], _ = world.read(get_runs, project.id, limit=5, offset=0)
    assert (run.run.run_id, run.run.attempt, run.run.commit, run.run.branch, run.run.job) == (
        "77",
        2,
        "a" * 40,
        "fix",
        "unit",
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://somebody.else"},
        {"aud": [AUDIENCE, "https://somebody.else"]},
        {"aud": None},
        {"iss": "https://token.actions.githubusercontent.com"},
        {"iss": None},
        {"exp": 1},
        {"jti": None},
        {"jti": ""},
        {"repository_id": None},
        {"repository_id": "x"},
        {"run_id": "1 OR 1"},
    ],
)
def test_a_token_not_for_us_or_incomplete_is_refused(world, verifier, project, token, claims):
    with pytest.raises(AuthenticationError):
        exchange(world.desk, verifier, token(**claims))


@pytest.mark.parametrize("claims", [{"repository_id": "11"}, {"repository_owner_id": "6"}])
def test_a_known_name_with_another_id_is_somebody_else(world, verifier, project, token, claims):
    with pytest.raises(NotFoundError):
        exchange(world.desk, verifier, token(**claims))


def test_pull_request_target_is_refused(world, verifier, project, token):
    with pytest.raises(FlakeGuardError, match="pull_request_target"):
        exchange(world.desk, verifier, token(event_name="pull_request_target"))


def test_a_token_is_good_for_one_exchange(world, verifier, project, token):
    exchange(world.desk, verifier, token())
    with pytest.raises(AuthenticationError, match="used before"):
        exchange(world.desk, verifier, token())


def test_a_token_signed_by_somebody_else_is_refused(world, verifier, project, token):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(AuthenticationError):
        exchange(world.desk, verifier, token(key=other))


@pytest.mark.parametrize(("algorithm", "key"), [("none", ""), ("HS256", "x" * 32)])
def test_no_other_algorithm_is_accepted(world, verifier, project, token, *, algorithm, key):
    forged = (
        token(algorithm=algorithm, key=key or None) if key else jwt.encode({"a": 1}, None, algorithm="none")
    )
    with pytest.raises(AuthenticationError):
        exchange(world.desk, verifier, forged)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "x" * 100_000])
def test_nonsense_is_refused_and_no_key_is_fetched(world, verifier, issuer, text):
    with pytest.raises(AuthenticationError):
        exchange(world.desk, verifier, text)


def test_a_thousand_unknown_keys_fetch_once(world, verifier, issuer, project, token):
    forged = token(kid="unknown", key=app_key())
    for _ in range(1000):
        with pytest.raises(AuthenticationError):
            verifier.verify(forged)
    assert issuer.asked == 1


def test_a_new_key_is_found_and_old_keys_survive_a_broken_issuer(world, verifier, issuer, project, token):
    exchange(world.desk, verifier, token())
    issuer.keys["k2"] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    world.now.skip(seconds=31)
    begun = world.now() - timedelta(minutes=2)  # PyJWT looks at the real clock
    exchange(world.desk, verifier, token(kid="k2", jti="two", iat=begun))
    issuer.broken = True
    world.now.skip(seconds=31)
    with pytest.raises(AuthenticationError):
        verifier.verify(token(kid="k3", key=app_key()))
    exchange(world.desk, verifier, token(jti="three", iat=begun))


def test_an_issuer_that_never_answered_is_githubs_fault(world, verifier, issuer, project, token):
    issuer.broken = True
    with pytest.raises(ForgeError):
        exchange(world.desk, verifier, token())
