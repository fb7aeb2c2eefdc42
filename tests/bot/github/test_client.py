import time

import pytest

from bot.github.client import next_link
from bot.github.config import GitHubConfig
from bot.github.limits import Holds, wait_of
from core.errors import ForgeError
from core.github.fields import PayloadError
from jobs.forge import DeniedError, MissingError, SuspendedError, UnknownOutcomeError, WaitError


@pytest.fixture
def repo(world):
    return world.github.repo("acme/web")


@pytest.fixture
def look(world, repo):
    """Ask for something harmless in the installation."""
    return lambda: world.forge.repository(world.ref(repo))


REPO = "GET /repos/acme/web$"


def test_every_request_says_who_we_are_and_which_version_we_speak(world, look):
    look()
    for request in world.github.requests:
        assert request.headers["user-agent"] == "FlakeGuard"
        assert request.headers["accept"] == "application/vnd.github+json"
        assert request.headers["x-github-api-version"] == "2026-03-10"


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (403, {"retry-after": "7"}, "", 7),
        (429, {"retry-after": "7"}, "", 7),
        (429, {}, "", 60),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "SOON"}, "", 31),
        (403, {"x-ratelimit-remaining": "17"}, "You have exceeded a secondary rate limit", 60),
        (403, {"x-ratelimit-remaining": "17"}, "Resource not accessible by integration", None),
        (403, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "no", None),
        (404, {"retry-after": "7"}, "", None),
        (403, {"retry-after": "999999"}, "", 3600),
    ],
)
def test_what_an_answer_says_about_limits(world, status, headers, message, seconds):
    now = world.now()
    soon = {name: value.replace("SOON", str(int(now.timestamp()) + 30)) for name, value in headers.items()}
    assert wait_of(status, soon, message, now, again=0) == pytest.approx(seconds, abs=1)


def test_waits_without_advice_double(world):
    assert [wait_of(429, {}, "", world.now(), again=n) for n in range(3)] == [60, 120, 240]


def test_a_short_wait_is_waited_here(world, look):
    world.github.fault(REPO, status=429, headers={"Retry-After": "2"})
    with pytest.raises(WaitError):
        look()
    look()
    assert world.naps
    assert world.naps[-1] == pytest.approx(2, abs=0.5)


def test_a_long_wait_frees_the_thread_and_sends_nothing(world, look):
    look()
    world.github.fault(REPO, status=403, headers={"Retry-After": "60"})
    with pytest.raises(WaitError):
        look()
    before = len(world.github.requests)
    for _ in range(50):
        with pytest.raises(WaitError) as waiting:
            look()
    assert len(world.github.requests) == before
    assert waiting.value.retry_after == pytest.approx(60, abs=2)
    world.now.skip(seconds=61)
    assert look().full_name == "acme/web"


def test_one_installations_limit_does_not_stop_another(world, look):
    other = world.github.repo("other/web")
    world.github.fault(REPO, status=403, headers={"Retry-After": "60"})
    with pytest.raises(WaitError):
        look()
    assert world.forge.repository(world.ref(other)).full_name == "other/web"


def test_content_is_created_at_githubs_pace(world):
    holds = Holds(now=world.now)
    for _ in range(80):
        holds.count_write("x")
    with pytest.raises(WaitError) as waiting:
        holds.count_write("x")
    assert 50 < waiting.value.retry_after <= 61
    world.now.skip(seconds=61)
    holds.count_write("x")


@pytest.mark.parametrize("how", [{"status": 500}, {"status": 502}, {"drop": True}])
def test_a_read_is_tried_again(world, look, how):
    look()
    world.github.fault(REPO, times=2, **how)
    assert look().full_name == "acme/web"


def test_a_read_is_not_tried_for_ever(world, look):
    world.github.fault(REPO, times=99, status=503)
    with pytest.raises(ForgeError):
        look()
    assert len(world.github.asked(REPO)) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 403, "body": {"message": "Resource not accessible by integration"}}, DeniedError),
        ({"status": 403, "body": {"message": "This installation has been suspended"}}, SuspendedError),
        ({"status": 404, "body": {"message": "Not Found"}}, MissingError),
        ({"status": 422, "body": {"message": "No commit found"}}, ForgeError),
        ({"status": 200, "body": "not an object"}, PayloadError),
    ],
)
def test_refusals_are_told_apart_and_not_repeated(world, look, fault, error):
    world.github.fault(REPO, times=99, **fault)
    with pytest.raises(error):
        look()
    assert len(world.github.asked(REPO)) == 1


def test_a_missing_permission_is_named(world, look):
    headers = {"x-accepted-github-permissions": "checks=write"}
    world.github.fault(REPO, status=403, headers=headers, body={"message": "Resource not accessible"})
    with pytest.raises(DeniedError, match="checks=write"):
        look()


@pytest.mark.parametrize(
    "how", [{"drop": True, "after": True}, {"status": 502, "after": True}, {"drop": True}]
)
def test_a_lost_answer_to_a_post_is_an_unknown_outcome_and_sent_once(world, repo, how):
    world.github.fault("POST .*/rerun-failed-jobs", **how)
    run = world.github.run(repo)
    with pytest.raises(UnknownOutcomeError):
        world.forge.rerun_failed(world.ref(repo), run["id"])
    assert len(world.github.asked("POST .*/rerun-failed-jobs")) == 1


def test_an_unchanged_answer_costs_nothing(world, look):
    look()
    left = world.github.remaining
    assert look().full_name == "acme/web"
    assert world.github.remaining == left


def test_pages_are_followed_to_their_end(world, repo):
    run = world.github.run(repo)
    for number in range(250):
        world.github.upload(run, f"junit-{number}", b"<testsuites/>")
    assert len(world.forge.artifacts(world.ref(repo), run["id"])) == 250
    assert len(world.github.asked("GET .*/artifacts")) == 3


def test_a_next_page_on_another_host_is_not_followed(world, repo):
    run = world.github.run(repo)
    link = {"Link": '<http://evil.example/steal>; rel="next"'}
    world.github.fault("GET .*/artifacts", status=200, headers=link, body={"artifacts": []})
    with pytest.raises(ForgeError, match="another host"):
        world.forge.artifacts(world.ref(repo), run["id"])


def test_a_renamed_repository_is_followed_on_our_own_host(world, look):
    world.github.fault(REPO, status=301, headers={"Location": f"{world.github.url}/repos/acme/moved"})
    world.github.repo("acme/moved")
    assert look().full_name == "acme/moved"


def test_a_redirect_elsewhere_never_sees_our_token(world, look):
    world.github.fault(REPO, status=301, headers={"Location": f"{world.github.blob_url}/x"})
    with pytest.raises(ForgeError):
        look()


def test_a_server_that_does_not_know_our_version_is_spoken_to_in_an_older_one(world, look):
    world.github.fault(
        "POST .*/access_tokens", status=400, body={"message": "2026-03-10 is not a supported version"}
    )
    assert look().full_name == "acme/web"
    assert world.github.requests[-1].headers["x-github-api-version"] == "2022-11-28"


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ('<http://x/a?page=2>; rel="next", <http://x/a?page=9>; rel="last"', "http://x/a?page=2"),
        ('<http://x/a?page=1>; rel="prev"', None),
        ("", None),
    ],
)
def test_only_the_next_link_is_read(header, address):
    assert next_link(header) == address


@pytest.mark.parametrize(
    ("api", "url", "allowed"),
    [
        ("https://api.github.com", "https://productionresultssa1.blob.core.windows.net/x?sig=1", True),
        ("https://api.github.com", "https://pipelines.actions.githubusercontent.com/x", True),
        ("https://api.github.com", "http://productionresultssa1.blob.core.windows.net/x", False),
        ("https://api.github.com", "https://evil.example/x", False),
        ("https://api.github.com", "https://blob.core.windows.net.evil.example/x", False),
        ("https://api.github.com", "https://169.254.169.254/latest", False),
        ("https://api.github.com", "https://127.0.0.1/x", False),
        ("https://api.github.com", "https://user:pw@x.blob.core.windows.net/x", False),
        ("https://api.github.com", "file:///etc/passwd", False),
        ("https://ghes.corp/api/v3", "https://ghes.corp/_artifacts/x", True),
        ("https://ghes.corp/api/v3", "https://other.corp/x", False),
        ("http://127.0.0.1:1", "http://localhost:2/x", True),
        ("http://127.0.0.1:1", "http://169.254.169.254/x", False),
    ],
)
def test_artifacts_come_from_githubs_hosts_only(api, url, allowed):
    assert GitHubConfig(api_url=api).blob_allowed(url) is allowed


@pytest.mark.parametrize(
    ("api", "issuer"),
    [
        ("https://api.github.com", "https://token.actions.githubusercontent.com"),
        ("https://ghes.corp/api/v3", "https://ghes.corp/_services/token"),
    ],
)
def test_each_github_signs_its_own_identity_tokens(api, issuer):
    assert GitHubConfig(api_url=api).oidc_issuer == issuer


def test_an_answer_that_hangs_is_given_up(world, look):
    world.forge.transport.http.timeout = 0.2
    world.github.fault(REPO, times=3, delay=1.0)
    begun = time.monotonic()
    with pytest.raises(ForgeError):
        look()
    assert time.monotonic() - begun < 5
