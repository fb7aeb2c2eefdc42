import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from fakes.github import APP_ID, app_key, app_pem
from pydantic import SecretStr

from bot.github.auth import AppIdentity
from bot.settings import Settings
from core.errors import ValidationError


def test_the_apps_token_is_what_github_wants(world):
    token = AppIdentity(str(APP_ID), app_pem().encode(), now=world.now).token()
    claims = jwt.decode(token, app_key().public_key(), algorithms=["RS256"])
    assert claims["iss"] == str(APP_ID)
    assert claims["iat"] <= world.now().timestamp() - 30
    assert claims["exp"] - claims["iat"] <= 600


@pytest.mark.parametrize(
    "write",
    [
        lambda _path: app_pem(),
        lambda _path: app_pem().replace("\n", "\\n"),
        lambda _path: base64.b64encode(app_pem().encode()).decode(),
        lambda path: (path.write_text(app_pem()), str(path))[1],
    ],
    ids=["pem", "escaped", "base64", "path"],
)
def test_the_key_may_be_given_in_every_usual_way(tmp_path, world, write):
    settings = Settings(_env_file=None, GITHUB_APP_PRIVATE_KEY=SecretStr(write(tmp_path / "key.pem")))
    assert AppIdentity("1", settings.private_key_pem(), now=world.now).token()


@pytest.mark.parametrize(
    "pem", [b"", b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_a_key_that_is_none_is_named(world, pem):
    with pytest.raises(ValidationError, match="GITHUB_APP_PRIVATE_KEY"):
        AppIdentity("1", pem, now=world.now)


def test_a_hundred_jobs_of_one_installation_ask_for_one_token(world):
    installation = world.github.install()
    with ThreadPoolExecutor(100) as pool:
        tokens = set(pool.map(lambda _: world.forge.client.tokens.get(installation["id"]), range(100)))
    assert len(tokens) == 1
    assert len(world.github.asked("POST .*/access_tokens")) == 1


def test_a_token_is_renewed_before_it_ends(world):
    installation = world.github.install()
    first = world.forge.client.tokens.get(installation["id"])
    world.now.skip(minutes=54)
    assert world.forge.client.tokens.get(installation["id"]) == first
    world.now.skip(minutes=2)
    assert world.forge.client.tokens.get(installation["id"]) != first


def test_a_token_refused_before_its_time_is_replaced_once(world):
    repo = world.github.repo("acme/web")
    run = world.github.run(repo)
    ref = world.ref(repo)
    world.forge.artifacts(ref, run["id"])
    world.github.tokens.clear()
    assert world.forge.artifacts(ref, run["id"]) == []
    assert len(world.github.asked("POST .*/access_tokens")) == 2


def test_tokens_are_long_and_opaque(world):
    installation = world.github.install()
    assert len(world.forge.client.tokens.get(installation["id"])) > 400


def test_a_token_shows_in_no_repr(world):
    installation = world.github.install()
    value = world.forge.client.tokens.get(installation["id"])
    assert value not in repr(vars(world.forge.client.tokens))


def test_a_wrong_clock_is_said(world, caplog):
    world.now.skip(minutes=30)
    world.github.now = lambda: world.now() - timedelta(minutes=30)
    with pytest.raises(Exception, match=r"clock is \+180\d s off"):
        world.forge.ping()
