"""People in the stand-in's workspace: they type, click, submit and look; over HTTP or over Socket Mode."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
from fakes.slack import TEAM, wall

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@dataclass
class Ack:
    """What Slack would see within its three seconds."""

    status: int
    said: dict | None
    milliseconds: float


class HttpWire:
    """Signed requests to a server."""

    def __init__(self, url, *, secret=SECRET, clock=wall):
        self.url, self.secret, self.clock = url, secret, clock
        self.http = httpx.Client(timeout=15, trust_env=False)

    def command(self, payload):
        return self.post(urlencode(payload).encode())

    def interaction(self, payload):
        return self.post(urlencode({"payload": json.dumps(payload)}).encode())

    def event(self, payload):
        return self.post(json.dumps(payload).encode(), content_type="application/json")

    def post(self, body, *, content_type="application/x-www-form-urlencoded", headers=None):
        begin = time.monotonic()
        signed = {"content-type": content_type, **self.signed(body), **(headers or {})}
        answer = self.http.post(f"{self.url}/slack/events", content=body, headers=signed)
        said = answer.json() if "json" in answer.headers.get("content-type", "") and answer.content else None
        return Ack(answer.status_code, said, 1000 * (time.monotonic() - begin))

    def signed(self, body):
        stamp = str(int(self.clock()))
        mark = hmac.new(self.secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mark}"}


class SocketWire:
    """The same over Socket Mode."""

    def __init__(self, slack):
        self.slack = slack

    def command(self, payload):
        return self._send("slash_commands", payload)

    def interaction(self, payload):
        return self._send("interactive", payload)

    def event(self, payload):
        return self._send("events_api", payload)

    def _send(self, kind, payload):
        milliseconds, said = self.slack.send(kind, payload)
        return Ack(200, said, milliseconds)


class Member:
    """One person with an account."""

    def __init__(self, slack, wire, user, *, team=TEAM, home_team=TEAM, channel="C01CI"):
        self.slack, self.wire, self.user = slack, wire, user
        self.team, self.home_team, self.channel = team, home_team, channel
        slack.users.setdefault(user, {})

    # -- what they do -----------------------------------------------------------------------------------

    def types(self, text, **more):
        payload = {
            "command": "/flakeguard", "text": text, "team_id": self.team, "team_domain": "acme",
            "channel_id": self.channel, "channel_name": "ci", "user_id": self.user, "user_name": self.user.lower(),
            "response_url": self.slack.response_url(), "trigger_id": self.slack.trigger(), "api_app_id": "A0",
            **more,
        }  # fmt: skip
        return self.wire.command(payload)

    def clicks(self, message, action_id, *, option=None, **more):
        return self.wire.interaction({**self.click(message, action_id, option=option), **more})

    def click(self, message, action_id, *, option=None):
        """The payload of a click on a button, menu or select of a message, dialog or tab."""
        block, element = find_element(message, action_id)
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block,
            "action_ts": str(wall()),
        }
        if element["type"] in {"overflow", "static_select"}:
            action["selected_option"] = next(
                one for one in element["options"] if one["value"].startswith(option or "")
            )
        else:
            action["value"] = element.get("value", "")
        payload = {"type": "block_actions", **self._who(), "actions": [action]}
        if "ts" in message:
            payload["channel"] = {"id": self.channel, "name": "ci"}
            payload["container"] = {"type": "message", "message_ts": message["ts"], "channel_id": self.channel,
                                    "is_ephemeral": False}  # fmt: skip
            payload["message"] = {"ts": message["ts"], "text": message["text"], "blocks": message["blocks"]}
            payload["response_url"] = self.slack.response_url()
        elif "response_type" in message:
            payload["channel"] = {"id": self.channel, "name": "ci"}
            payload["container"] = {
                "type": "message",
                "message_ts": "1.1",
                "channel_id": self.channel,
                "is_ephemeral": True,
            }
            payload["response_url"] = self.slack.response_url()
        else:
            payload["view"] = {"id": message.get("id", "VHOME"), "type": message["type"], "callback_id": "",
                               "hash": message.get("hash", ""), "private_metadata": message.get("private_metadata", ""),
                               "state": {"values": {}}}  # fmt: skip
            payload["container"] = {"type": "view", "view_id": message.get("id", "VHOME")}
        return payload

    def submits(self, view, **values):
        """Fill in a dialog and submit it; the stand-in then does what the ack says."""
        before = self.slack.views[view["id"]]["hash"]
        ack = self.wire.interaction(self.submission(view, **values))
        if ack.said and ack.said.get("response_action") == "update":
            self.slack.replace_view(view["id"], ack.said["view"], unless_changed=before)
        return ack

    def submission(self, view, **values):
        return {
            "type": "view_submission", **self._who(),
            "view": {"id": view["id"], "type": "modal", "callback_id": view["callback_id"], "hash": view["hash"],
                     "private_metadata": view.get("private_metadata", ""),
                     "state": {"values": {name: {"v": value} for name, value in values.items()}}},
            "response_urls": [],
        }  # fmt: skip

    def opens_home(self, **more):
        event = {"type": "app_home_opened", "user": self.user, "channel": "D1", "tab": "home", **more}
        return self.wire.event(self.envelope(event))

    def envelope(self, event, event_id=None):
        return {
            "type": "event_callback", "team_id": self.team, "api_app_id": "A0", "event": event,
            "event_id": event_id or f"Ev{time.time_ns()}", "event_time": int(wall()), "authorizations": [],
        }  # fmt: skip

    def uses_shortcut(self, callback_id, *, text=None):
        payload = {"type": "shortcut" if text is None else "message_action", **self._who(), "callback_id": callback_id,
                   "action_ts": str(wall())}  # fmt: skip
        if text is not None:
            payload |= {"message": {"type": "message", "text": text, "ts": "1.1"}, "channel": {"id": self.channel},
                        "response_url": self.slack.response_url()}  # fmt: skip
        return self.wire.interaction(payload)

    def _who(self):
        return {
            "team": {"id": self.team, "domain": "acme"},
            "user": {"id": self.user, "username": self.user.lower(), "team_id": self.home_team},
            "api_app_id": "A0", "token": "ignored", "trigger_id": self.slack.trigger(), "enterprise": None,
            "is_enterprise_install": False,
        }  # fmt: skip

    # -- what they see ------------------------------------------------------------------------------------

    def answer(self, text="", seconds=8.0):
        """The latest private answer that holds the text."""
        return self.slack.until(
            lambda: next(
                (
                    one
                    for one in reversed([*self.slack.ephemerals, *self.slack.answers])
                    if text in words_of(one)
                ),
                None,
            ),
            seconds,
        )

    def dialog(self, text="", seconds=8.0):
        """The dialog that shows the text."""
        return self.slack.until(
            lambda: next((one for one in reversed(self.slack.views.values()) if text in words_of(one)), None),
            seconds,
        )

    def home(self, text=""):
        """The Home tab, once it shows the text."""

        def look():
            view = self.slack.homes.get(self.user)
            return view if view and text in words_of(view) else None

        return self.slack.until(look)


def words_of(payload):
    """Every text a person can read in a payload."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            for name, inner in value.items():
                if name in {"text", "fallback"} and isinstance(inner, str):
                    found.append(inner)
                else:
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(payload)
    return "\n".join(found)


def find_element(payload, action_id):
    """(block id, element) of an action; the index that lists add may be left out."""
    for index, block in enumerate(payload["blocks"]):
        for element in [*block.get("elements", []), block.get("accessory", {})]:
            name = element.get("action_id", "") if isinstance(element, dict) else ""
            if name == action_id or (name.rpartition(".")[0] == action_id and name[-1].isdigit()):
                return block.get("block_id", f"b{index}"), element
    raise AssertionError(f"nothing here does {action_id}: {words_of(payload)[:200]}")


def has_action(payload, action_id):
    """True when the message offers this."""
    try:
        find_element(payload, action_id)
    except AssertionError:
        return False
    return True
