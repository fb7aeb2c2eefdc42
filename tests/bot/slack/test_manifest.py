"""SLACK.md §7 point 14: the manifest has the right shape and is equal to what the code registers and calls."""

import copy
import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from bot.slack import install
from bot.slack.listeners import events, home, shortcuts

ROOT = Path(__file__).parents[3]
CODE = "\n".join(path.read_text() for path in (ROOT / "bot" / "slack").rglob("*.py"))
MANIFEST = yaml.safe_load((ROOT / "manifest.yml").read_text())
HOST = "https://flakeguard.example.com"
SCOPES = {
    "chat_postMessage": "chat:write",
    "chat_update": "chat:write",
    "chat_postEphemeral": "chat:write",
    "conversations_history": "channels:history",
    "conversations_replies": "channels:history",
    "usergroups_users_list": "usergroups:read",
    "users_info": "users:read",
    "views_open": "",
    "views_push": "",
    "views_update": "",
    "views_publish": "",
    "auth_test": "",
    "oauth_v2_access": "",
}
"""Web API method -> the scope it needs, as Slack documents it."""


def bot_scopes():
    scopes = MANIFEST["oauth_config"]["scopes"]
    return set(scopes["bot"]) | set(scopes["bot_optional"])


def test_point_14_every_method_that_is_called_has_its_scope_and_no_scope_is_idle():
    called = set(re.findall(r"\.((?:chat|conversations|usergroups|users|views|auth|oauth)_\w+)\(", CODE))

    assert called == set(SCOPES)
    needed = {SCOPES[method] for method in called} - {""}
    assert needed | {"commands", "groups:history"} == bot_scopes()


def test_point_14_only_what_cannot_be_done_without_is_asked_for():
    assert MANIFEST["oauth_config"]["scopes"]["bot"] == ["commands", "chat:write"]


def test_point_14_installing_asks_for_the_same_scopes():
    scopes = MANIFEST["oauth_config"]["scopes"]

    assert list(install.SCOPES) == scopes["bot"]
    assert sorted(install.OPTIONAL) == sorted(scopes["bot_optional"])


def test_point_14_events_are_those_that_are_listened_to():
    source = "".join(Path(module.__file__).read_text() for module in (home, events))

    assert sorted(re.findall(r'app\.event\("(\w+)"\)', source)) == sorted(
        MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    )


def test_point_14_shortcuts_are_those_that_are_listened_to():
    listened = re.findall(r'app\.shortcut\("([\w.]+)"\)', Path(shortcuts.__file__).read_text())

    assert sorted(listened) == sorted(one["callback_id"] for one in MANIFEST["features"]["shortcuts"])


def test_point_14_there_is_one_command_and_it_sends_ids():
    (command,) = MANIFEST["features"]["slash_commands"]

    assert command["command"] == "/flakeguard"
    assert command["should_escape"] is True


def in_http_mode():
    """The three changes that the manifest's first lines and docs/slack.md ask for."""
    manifest = copy.deepcopy(MANIFEST)
    manifest["settings"]["socket_mode_enabled"] = False
    manifest["features"]["slash_commands"][0]["url"] = f"{HOST}/slack/events"
    manifest["settings"]["event_subscriptions"]["request_url"] = f"{HOST}/slack/events"
    manifest["settings"]["interactivity"]["request_url"] = f"{HOST}/slack/events"
    manifest["oauth_config"]["redirect_urls"] = [f"{HOST}/slack/oauth_redirect"]
    return manifest


@pytest.mark.parametrize("manifest", [MANIFEST, in_http_mode()], ids=["socket", "http"])
def test_point_14_the_manifest_fits_slacks_own_schema_in_both_modes(manifest):
    schema = json.loads((ROOT / "tests" / "samples" / "slack-manifest" / "2.0.0.json").read_text())

    assert list(jsonschema_rs.validator_for(schema).iter_errors(manifest)) == []
