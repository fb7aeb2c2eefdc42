"""A stateful GitHub over real HTTP on loopback, as strict as the real one where it matters to us.

`github = FakeGitHub()`; then tell it what exists (`repo`, `run`, `upload`), point a server at `github.url`, and
let it send webhooks (`deliver`). Everything we asked is in `requests`; what GitHub would have refused is in
`violations`.
"""

import hashlib
import hmac
import io
import itertools
import json
import re
import threading
import time
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fakes.github_schema import complaint

SECRET = "it-is-our-secret"
APP_ID = 4242


@cache
def app_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def app_pem():
    return (
        app_key()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        .decode()
    )


def iso(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def zipped(files):
    """An artifact as upload-artifact makes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict
    body: bytes
    at: float

    @property
    def json(self):
        return json.loads(self.body) if self.body else None


@dataclass
class Fault:
    """What goes wrong with requests that match, the next `times` times."""

    match: str
    times: int = 1
    status: int = 500
    headers: dict = field(default_factory=dict)
    body: dict = field(default_factory=lambda: {"message": "Server Error"})
    drop: bool = False
    """The connection breaks instead of an answer."""
    after: bool = False
    """The effect happens first; only the answer is spoiled."""
    delay: float = 0.0


class FakeGitHub:
    """One GitHub with one App of ours."""

    def __init__(self, *, now=lambda: datetime.now(UTC)):  # noqa: TID251 - a server has its own clock
        self.now = now
        self.lock = threading.RLock()
        self.ids = itertools.count(1_000_000)
        self.installations, self.repos, self.runs, self.artifacts = {}, {}, {}, {}
        self.checks, self.pulls, self.permissions, self.comments, self.merge_bases = {}, [], {}, {}, {}
        self.tokens, self.deliveries, self.requests, self.violations, self.faults = {}, [], [], [], []
        self.token_hours = 1.0
        self.blob_seconds = 60.0
        self.blob_host = ""
        self.remaining = 5000
        self.blobs = {}
        self.target = ""
        self.secret = SECRET
        self.lost = lambda _guid: False
        self.api, self.blob = _serve(self, _Api), _serve(self, _Blob)
        self.url = f"http://127.0.0.1:{self.api.server_address[1]}"
        self.blob_url = f"http://127.0.0.1:{self.blob.server_address[1]}"
        self.client = httpx.Client(timeout=15, trust_env=False)

    def close(self):
        for server in (self.api, self.blob):
            server.shutdown()
            server.server_close()
        self.client.close()

    def settings(self, **more):
        """Environment of a server that belongs to this GitHub."""
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_APP_ID": str(APP_ID),
            "GITHUB_APP_PRIVATE_KEY": app_pem(),
            "GITHUB_WEBHOOK_SECRET": self.secret,
            **more,
        }

    # What exists

    def install(self, login="acme", *, account_id=None, installation_id=None):
        account = {"id": account_id or next(self.ids), "login": login, "type": "Organization"}
        installation = {
            "id": installation_id or next(self.ids),
            "account": account,
            "app_id": APP_ID,
            "permissions": {
                "checks": "write",
                "actions": "write",
                "metadata": "read",
                "pull_requests": "write",
            },
            "suspended_at": None,
        }
        self.installations[installation["id"]] = installation
        return installation

    def repo(self, full_name, *, installation=None, repo_id=None, default_branch="main", fork=False):
        owner, _, name = full_name.partition("/")
        installation = installation or next(
            (one for one in self.installations.values() if one["account"]["login"] == owner), None
        )
        if installation is None and not fork:
            installation = self.install(owner)
        repo = {
            "id": repo_id or next(self.ids),
            "name": name,
            "full_name": full_name,
            "private": False,
            "fork": fork,
            "default_branch": default_branch,
            "archived": False,
            "owner": installation["account"]
            if installation
            else {"id": next(self.ids), "login": owner, "type": "User"},
        }
        self.repos[repo["id"]] = repo
        if installation:
            repo["_installation"] = installation["id"]
        return repo

    def run(self, repo, **facts):
        """A workflow run, completed; `attempt=2` of an id adds an attempt."""
        now = self.now()
        run_id = facts.pop("id", None) or next(self.ids)
        attempts = self.runs.setdefault(run_id, [])
        head_repo = facts.pop("head_repo", repo)
        started = facts.pop("started", now - timedelta(minutes=5))
        run = {
            "id": run_id,
            "run_attempt": facts.pop("attempt", len(attempts) + 1),
            "run_number": 7,
            "name": facts.pop("workflow", "CI"),
            "path": ".github/workflows/ci.yml",
            "workflow_id": 77,
            "event": facts.pop("event", "push"),
            "status": facts.pop("status", "completed"),
            "conclusion": facts.pop("conclusion", "failure"),
            "head_sha": facts.pop("sha", hashlib.sha1(str(run_id).encode()).hexdigest()),
            "head_branch": facts.pop("branch", repo["default_branch"]),
            "head_repository": head_repo and public(head_repo),
            "repository": public(repo),
            "pull_requests": facts.pop("pulls", []),
            "created_at": iso(facts.pop("created", attempts[0]["_started"] if attempts else started)),
            "run_started_at": iso(started),
            "updated_at": iso(facts.pop("ended", now)),
            "html_url": f"https://github.test/{repo['full_name']}/actions/runs/{run_id}",
            "check_suite_id": 99,
            "display_title": "A change",
            "_started": started,
        }
        assert not facts, facts
        attempts.append(run)
        return run

    def upload(self, run, name, content, *, at=None, digest=True, expired=False, lies=False):
        """An artifact of a run; `content` is bytes, or files to be zipped."""
        data = content if isinstance(content, bytes) else zipped(content)
        artifact = {
            "id": next(self.ids),
            "name": name,
            "size_in_bytes": len(data),
            "expired": expired,
            "created_at": iso(at or run["_started"] + timedelta(seconds=30)),
            "workflow_run": {"id": run["id"], "head_sha": run["head_sha"]},
            "_data": data,
        }
        if digest:
            told = hashlib.sha256(b"other" if lies else data).hexdigest()
            artifact["digest"] = f"sha256:{told}"
        self.artifacts.setdefault(run["id"], []).append(artifact)
        return artifact

    def fault(self, match, **how):
        self.faults.append(Fault(match, **how))

    def asked(self, match):
        """Requests whose `METHOD path` matches."""
        return [one for one in self.requests if re.search(match, f"{one.method} {one.path}")]

    def checks_of(self, sha):
        return [check for check in self.checks.values() if check["head_sha"] == sha]

    # Webhooks

    def deliver(self, event, payload, *, guid=None, secret=None, body=None):
        """Send a webhook (or lose it) and remember it in the log of deliveries."""
        guid = guid or str(uuid4())
        body = body or json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        status = 502 if self.lost(guid) else self.send(event, body, guid=guid, secret=secret).status_code
        with self.lock:
            self.deliveries.append(
                {
                    "id": next(self.ids),
                    "guid": guid,
                    "delivered_at": iso(self.now()),
                    "redelivery": False,
                    "duration": 0.1,
                    "status": "OK" if status < 400 else "failed",
                    "status_code": status,
                    "event": event,
                    "action": payload.get("action"),
                    "installation_id": payload.get("installation", {}).get("id"),
                    "repository_id": payload.get("repository", {}).get("id"),
                    "_payload": payload,
                }
            )
        return status

    def send(self, event, body, *, guid, secret=None, **headers):
        """One webhook request, exactly as given."""
        signature = "sha256=" + hmac.new((secret or self.secret).encode(), body, hashlib.sha256).hexdigest()
        sent = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/abc",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid,
            "X-GitHub-Hook-Installation-Target-ID": str(APP_ID),
            "X-Hub-Signature-256": signature,
            **headers,
        }
        return self.client.post(f"{self.target}/github/webhooks", content=body, headers=sent)

    def completed(self, run, **how):
        """Tell that a run attempt has ended."""
        return self.deliver("workflow_run", workflow_run_payload(self, run), **how)


def public(data):
    return {key: value for key, value in data.items() if not key.startswith("_")}


def workflow_run_payload(github, run):
    repo = github.repos[run["repository"]["id"]]
    return {
        "action": "completed",
        "workflow_run": public(run),
        "workflow": {"id": 77, "name": run["name"]},
        "repository": public(repo),
        "installation": {"id": repo["_installation"], "node_id": "x"},
        "sender": {"login": "octocat", "id": 1, "type": "User"},
    }


def check_payload(github, repo, check, action, *, identifier=None, login="octocat", app_id=APP_ID):
    """A click on one of our check run's buttons."""
    payload = {
        "action": action,
        "check_run": {**check, "app": {"id": app_id}},
        "repository": public(repo),
        "installation": {"id": repo["_installation"]},
        "sender": {"login": login, "id": 2, "type": "User"},
    }
    return payload | ({"requested_action": {"identifier": identifier}} if identifier else {})


def installation_payload(github, installation, action, repos=()):
    short = ("id", "name", "full_name", "private")
    return {
        "action": action,
        "installation": public(installation),
        "repositories": [{key: repo[key] for key in short} for repo in repos],
        "sender": {"login": "octocat", "id": 1, "type": "User"},
    }


def merged_payload(github, repo, *, branch, head, into, number=5, base="main"):
    return {
        "action": "closed",
        "number": number,
        "pull_request": {
            "number": number,
            "merged": True,
            "merged_at": iso(github.now()),
            "merge_commit_sha": into,
            "head": {"ref": branch, "sha": head, "repo": public(repo), "user": repo["owner"]},
            "base": {"ref": base, "sha": "0" * 40, "repo": public(repo)},
        },
        "repository": public(repo),
        "installation": {"id": repo["_installation"]},
        "sender": {"login": "octocat", "id": 1, "type": "User"},
    }


def _serve(github, handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"github": github}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    github: FakeGitHub

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        self.connection.setsockopt(6, 1, 1)  # TCP_NODELAY

    def read(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status, data=None, headers=None, *, raw=None):
        body = raw if raw is not None else (b"" if data is None else json.dumps(data).encode())
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status not in {204, 304}:
            self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        self.connection.shutdown(2)


class _Blob(_Handler):
    """Where artifacts lie: signed addresses, good for a moment, and no business of our token."""

    def do_GET(self):
        key = urlsplit(self.path).path.rpartition("/")[2]
        if self.headers.get("authorization"):
            self.github.violations.append("the token was sent to the blob store")
        data, until = self.github.blobs.get(key, (b"", 0.0))
        if time.monotonic() > until:
            self.answer(403, raw=b"<Error><Code>AuthenticationFailed</Code></Error>")
            return
        self.answer(200, raw=data, headers={"Content-Type": "application/zip"})


class _Api(_Handler):
    """The REST API."""

    def handle_one(self):
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, query, headers, self.read(), time.monotonic())
        with self.github.lock:
            self.github.requests.append(request)
            wrong = complaint(self.command, self.path, headers, request.body)
            fault = self.take_fault(request)
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and not fault.after:
            self.spoil(fault)
            return
        if wrong:
            self.github.violations.append(wrong)
            self.answer(422, {"message": wrong})
            return
        with self.github.lock:
            answer = self.route(request)
        if fault:
            self.spoil(fault)
        else:
            self.reply(request, *answer)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one  # noqa: N815 - http.server calls them so

    def take_fault(self, request):
        for fault in self.github.faults:
            if fault.times > 0 and re.search(fault.match, f"{request.method} {request.path}"):
                fault.times -= 1
                return fault
        return None

    def spoil(self, fault):
        if fault.drop:
            self.hang_up()
        else:
            self.answer(fault.status, fault.body, fault.headers)

    def reply(self, request, status, data=None, headers=None):
        self.github.remaining -= status != 304
        limits = {"x-ratelimit-remaining": str(self.github.remaining), "x-github-request-id": uuid4().hex}
        if request.method == "GET" and status == 200:
            etag = '"' + hashlib.sha256(json.dumps([data, request.query]).encode()).hexdigest()[:24] + '"'
            limits["ETag"] = etag
            if request.headers.get("if-none-match") == etag:
                self.github.remaining += 1
                self.answer(304, headers=limits)
                return
        self.answer(status, data, {**limits, **(headers or {})})

    def route(self, request):
        for match, method, handler in ROUTES:
            found = re.fullmatch(match, request.path)
            if found and request.method == method:
                if (refused := self.authorize(request)) is not None:
                    return refused
                return handler(self.github, request, *found.groups())
        return 404, {"message": "Not Found"}

    def authorize(self, request):
        kind, _, value = request.headers["authorization"].partition(" ")
        if kind.lower() not in {"bearer", "token"}:
            return 401, {"message": "Bad credentials"}
        if request.path.startswith("/app"):
            return self.check_jwt(value)
        token = self.github.tokens.get(value)
        if token is None or token["ends"] <= self.github.now():
            return 401, {"message": "Bad credentials"}
        if self.github.installations[token["installation"]]["suspended_at"]:
            return 403, {"message": "This installation has been suspended"}
        return None

    def check_jwt(self, value):
        try:
            claims = jwt.decode(
                value, app_key().public_key(), algorithms=["RS256"], options={"verify_iat": False}
            )
        except jwt.PyJWTError as error:
            return 401, {"message": f"A JSON web token could not be decoded: {error}"}
        now = self.github.now().timestamp()
        if not isinstance(claims.get("iss"), str) or claims["iss"] != str(APP_ID):
            return 401, {"message": "'Issuer' claim ('iss') must be the App's id"}
        if claims["iat"] > now:
            return 401, {"message": "'Issued at' claim ('iat') must be in the past"}
        if claims["exp"] - claims["iat"] > 600 or claims["exp"] > now + 600:
            return 401, {"message": "'Expiration time' claim ('exp') is too far in the future"}
        return None


# The endpoints; each answers (status, data[, headers])


def get_app(github, request):
    return 200, {"id": APP_ID, "slug": "flakeguard", "name": "FlakeGuard"}


def make_token(github, request, installation_id):
    installation = github.installations.get(int(installation_id))
    if installation is None:
        return 404, {"message": "Not Found"}
    if installation["suspended_at"]:
        return 403, {"message": "This installation has been suspended"}
    # Long, of variable length, with dots and underscores, as GitHub makes them since 2026.
    token = f"ghs_{APP_ID}_{uuid4().hex * 12}.{uuid4().hex * 3}_{len(github.tokens)}"
    ends = github.now() + timedelta(hours=github.token_hours)
    github.tokens[token] = {"installation": installation["id"], "ends": ends}
    return 201, {"token": token, "expires_at": iso(ends), "permissions": installation["permissions"]}


def list_installations(github, request):
    return paged(github, request, [public(one) for one in github.installations.values()])


def list_deliveries(github, request):
    newest = list(reversed(github.deliveries))
    if request.query.get("status") == "failure":
        newest = [one for one in newest if one["status_code"] >= 400]
    size, start = int(request.query.get("per_page", 30)), int(request.query.get("cursor", 0))
    headers = {}
    if start + size < len(newest):
        following = f"{github.url}/app/hook/deliveries?per_page={size}&cursor={start + size}"
        headers["Link"] = f'<{following}>; rel="next"'
    return 200, [public(one) for one in newest[start : start + size]], headers


def get_delivery(github, request, delivery_id):
    found = next((one for one in github.deliveries if one["id"] == int(delivery_id)), None)
    if found is None:
        return 404, {"message": "Not Found"}
    return 200, {**public(found), "request": {"headers": {}, "payload": found["_payload"]}, "response": {}}


def list_repositories(github, request):
    installation = github.tokens[request.headers["authorization"].partition(" ")[2]]["installation"]
    repos = [public(one) for one in github.repos.values() if one.get("_installation") == installation]
    return paged(github, request, repos, key="repositories")


def find_repo(github, owner, name):
    return next(
        (one for one in github.repos.values() if one["full_name"].lower() == f"{owner}/{name}".lower()), None
    )


def get_repo(github, request, owner, name):
    repo = find_repo(github, owner, name)
    return (200, public(repo)) if repo else (404, {"message": "Not Found"})


def list_runs(github, request, owner, name):
    repo = find_repo(github, owner, name)
    since, _, until = request.query.get("created", "0000..9999").partition("..")
    found = [
        public(attempts[-1])
        for attempts in github.runs.values()
        if attempts[-1]["repository"]["id"] == repo["id"]
        and attempts[-1]["status"] == request.query.get("status", attempts[-1]["status"])
        and since <= attempts[-1]["created_at"] <= until
    ]
    found.sort(key=lambda run: run["created_at"], reverse=True)
    return paged(github, request, found, key="workflow_runs")


def get_run(github, request, owner, name, run_id, attempt=None):  # noqa: PLR0917 - a route and its parts
    attempts = [one for one in github.runs.get(int(run_id), []) if attempt in {None, str(one["run_attempt"])}]
    if not attempts:
        return 404, {"message": "Not Found"}
    return 200, public(max(attempts, key=lambda one: one["run_attempt"]))


def list_artifacts(github, request, owner, name, run_id):
    return paged(
        github, request, [public(one) for one in github.artifacts.get(int(run_id), [])], key="artifacts"
    )


def download(github, request, owner, name, artifact_id):
    every = [one for found in github.artifacts.values() for one in found]
    artifact = next((one for one in every if one["id"] == int(artifact_id)), None)
    if artifact is None:
        return 404, {"message": "Not Found"}
    if artifact.get("_gone"):
        return 410, {"message": "Artifact has expired"}
    key = uuid4().hex
    github.blobs[key] = (artifact["_data"], time.monotonic() + github.blob_seconds)
    return 302, None, {"Location": f"{github.blob_host or github.blob_url}/blob/{key}?sig=abc"}


def create_check(github, request, owner, name):
    check = new_check(github, request.json)
    suite = [one for one in github.checks.values() if one["head_sha"] == check["head_sha"]]
    check["check_suite"] = suite[0]["check_suite"] if suite else {"id": next(github.ids)}
    github.checks[check["id"]] = check
    return 201, check


def new_check(github, data):
    check = {
        "id": next(github.ids),
        "app": {"id": APP_ID, "slug": "flakeguard"},
        "annotations": [],
        "pull_requests": [],
    }
    return update(check, data)


def update(check, data):
    annotations = data.get("output", {}).pop("annotations", [])
    check.update(data)
    check["annotations"] = check["annotations"] + annotations
    check["output"] = {**check.get("output", {}), "annotations_count": len(check["annotations"])}
    return check


def update_check(github, request, owner, name, check_id):
    check = github.checks.get(int(check_id))
    return (200, update(check, request.json)) if check else (404, {"message": "Not Found"})


def list_checks(github, request, owner, name, ref):
    found = [
        one
        for one in github.checks.values()
        if one["head_sha"] == ref
        and request.query.get("check_name") in {None, one["name"]}
        and request.query.get("app_id") in {None, str(one["app"]["id"])}
    ]
    return paged(github, request, found, key="check_runs")


def list_pulls(github, request, owner, name, sha):
    return paged(
        github, request, [one for one in github.pulls if sha in one.get("_commits", [one["head"]["sha"]])]
    )


def rerun_failed(github, request, owner, name, run_id):
    attempts = github.runs.get(int(run_id))
    if not attempts:
        return 404, {"message": "Not Found"}
    if attempts[-1]["status"] != "completed":
        return 403, {"message": "The workflow run containing this job is already running"}
    last = attempts[-1]
    attempts.append({**last, "run_attempt": last["run_attempt"] + 1, "status": "queued", "conclusion": None})
    return 201, {}


def permission(github, request, owner, name, login):
    level = github.permissions.get(login)
    return (200, {"permission": level, "role_name": level}) if level else (404, {"message": "Not Found"})


def list_comments(github, request, owner, name, pull):
    return paged(github, request, [one for one in github.comments.values() if one["_pull"] == int(pull)])


def create_comment(github, request, owner, name, pull):
    comment_id = next(github.ids)
    comment = github.comments[comment_id] = {
        "id": comment_id,
        "body": request.json["body"],
        "performed_via_github_app": {"id": APP_ID},
        "_pull": int(pull),
    }
    return 201, public(comment)


def update_comment(github, request, owner, name, comment_id):
    comment = github.comments.get(int(comment_id))
    if comment is None:
        return 404, {"message": "Not Found"}
    comment["body"] = request.json["body"]
    return 200, public(comment)


def compare(github, request, owner, name, basehead):
    found = github.merge_bases.get(basehead.partition("...")[2])
    return (200, {"merge_base_commit": {"sha": found}}) if found else (404, {"message": "Not Found"})


def get_rate_limit(github, request):
    return 200, {"resources": {"core": {"limit": 5000, "remaining": github.remaining, "reset": 0}}}


def paged(github, request, items, key=None):
    size, page = int(request.query.get("per_page", 30)), int(request.query.get("page", 1))
    assert size <= 100, "GitHub gives at most 100 a page"
    part = items[(page - 1) * size : page * size]
    headers = {}
    if page * size < len(items):
        query = "&".join(f"{k}={v}" for k, v in {**request.query, "per_page": size, "page": page + 1}.items())
        headers["Link"] = f'<{github.url}{request.path}?{query}>; rel="next"'
    return 200, ({"total_count": len(items), key: part} if key else [public(one) for one in part]), headers


_REPO = r"/repos/([^/]+)/([^/]+)"
ROUTES = [
    (r"/app", "GET", get_app),
    (r"/app/installations", "GET", list_installations),
    (r"/app/installations/(\d+)/access_tokens", "POST", make_token),
    (r"/app/hook/deliveries", "GET", list_deliveries),
    (r"/app/hook/deliveries/(\d+)", "GET", get_delivery),
    (r"/installation/repositories", "GET", list_repositories),
    (r"/rate_limit", "GET", get_rate_limit),
    (_REPO, "GET", get_repo),
    (rf"{_REPO}/actions/runs", "GET", list_runs),
    (rf"{_REPO}/actions/runs/(\d+)", "GET", get_run),
    (rf"{_REPO}/actions/runs/(\d+)/attempts/(\d+)", "GET", get_run),
    (rf"{_REPO}/actions/runs/(\d+)/artifacts", "GET", list_artifacts),
    (rf"{_REPO}/actions/artifacts/(\d+)/zip", "GET", download),
    (rf"{_REPO}/actions/runs/(\d+)/rerun-failed-jobs", "POST", rerun_failed),
    (rf"{_REPO}/check-runs", "POST", create_check),
    (rf"{_REPO}/check-runs/(\d+)", "PATCH", update_check),
    (rf"{_REPO}/commits/([^/]+)/check-runs", "GET", list_checks),
    (rf"{_REPO}/commits/([^/]+)/pulls", "GET", list_pulls),
    (rf"{_REPO}/collaborators/([^/]+)/permission", "GET", permission),
    (rf"{_REPO}/compare/([^/]+)", "GET", compare),
    (rf"{_REPO}/issues/(\d+)/comments", "GET", list_comments),
    (rf"{_REPO}/issues/(\d+)/comments", "POST", create_comment),
    (rf"{_REPO}/issues/comments/(\d+)", "PATCH", update_comment),
]
