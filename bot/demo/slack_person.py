"""A person in the demo's Slack: types commands and clicks buttons, signed as Slack signs them."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.demo.room import CHANNEL, TEAM


@dataclass(frozen=True, slots=True)
class SlackPerson:
    """Somebody with an account in the demo's workspace."""

    user: str
    name: str
    url: str
    signing: str

    def types(self, text: str) -> httpx.Response:
        """`/flakeguard TEXT` in the demo's channel."""
        return self._send(
            {
                "command": "/flakeguard",
                "text": text,
                "team_id": TEAM,
                "channel_id": CHANNEL,
                "channel_name": "ci",
                "user_id": self.user,
                "user_name": self.name,
                "response_url": f"{self.url}/nowhere",
                "trigger_id": secrets.token_hex(8),
            }
        )

    def clicks(self, message: Mapping[str, Any], action_id: str) -> httpx.Response:
        """A button of a message."""
        button = button_of(message, action_id)
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM, "domain": "demo"},
            "user": {"id": self.user, "username": self.name, "team_id": TEAM},
            "api_app_id": "A0DEMO",
            "channel": {"id": CHANNEL, "name": "ci"},
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": CHANNEL},
            "message": {"ts": message["ts"], "blocks": message["blocks"]},
            "trigger_id": secrets.token_hex(8),
            "response_url": f"{self.url}/nowhere",
            "actions": [{**button, "block_id": button.get("block_id", "b1"), "action_ts": str(time.time())}],  # noqa: TID251
        }
        return self._send({"payload": json.dumps(payload)})

    def _send(self, form: Mapping[str, str]) -> httpx.Response:
        body = urlencode(form).encode()
        stamp = str(int(time.time()))  # noqa: TID251 - Slack signs with the time of day
        text = b"v0:" + stamp.encode() + b":" + body
        mark = "v0=" + hmac.new(self.signing.encode(), text, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": mark,
        }
        return httpx.post(f"{self.url}/slack/events", content=body, headers=headers, timeout=10)


def button_of(message: Mapping[str, Any], action_id: str) -> dict[str, Any]:
    """The button of this action in a message; KeyError when the message has none."""
    for block in message.get("blocks", []):
        for element in block.get("elements", []):
            if element.get("action_id") == action_id:
                return {"type": "button", "action_id": action_id, "value": element["value"]}
    raise KeyError(action_id)
