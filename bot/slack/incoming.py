"""What Slack sent, read strictly into one noun before Bolt or a listener sees it.

A body may be signed and still be odd (`payload=[]`, `{`, not UTF-8): then nothing may happen, and it is
answered 400. What passes here has the ids and strings the listeners rely on.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from core.errors import UnsupportedMediaError, ValidationError

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
INTERACTIONS = frozenset(
    {"block_actions", "view_submission", "view_closed", "shortcut", "message_action", "block_suggestion"}
)
EVENTS = frozenset({"event_callback", "url_verification", "app_rate_limited"})
MAX_FIELDS = 100


@dataclass(frozen=True, slots=True)
class Incoming:
    """One delivery: its kind, its payload, and the key under which it takes effect once."""

    kind: str
    """command, event, or the interaction's own type."""
    payload: Mapping[str, Any]
    key: str
    """Empty when repeating it is harmless (url_verification)."""


def read_http(body: bytes, content_type: str) -> Incoming:
    """Read an HTTP body; ValidationError or UnsupportedMediaError when it is odd."""
    media = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValidationError("The body is not UTF-8.") from error
    if media == JSON:
        return read_payload(_object(text))
    if media != FORM:
        raise UnsupportedMediaError("Slack sends forms or JSON.")
    return read_payload(_form(text))


def _form(text: str) -> Mapping[str, Any]:
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise ValidationError("The body is not a form.") from error
    form = dict(pairs)
    if len(form) < len(pairs):
        raise ValidationError("A field is given twice.")
    return _object(form["payload"]) if "payload" in form else form


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValidationError("The payload is not JSON.") from error
    if not isinstance(value, dict):
        raise ValidationError("The payload is not an object.")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def read_payload(payload: Mapping[str, Any]) -> Incoming:
    """Tell what it is and check the fields that everything after relies on (Socket Mode begins here)."""
    if "command" in payload and "type" not in payload:
        return _command(payload)
    kind = payload.get("type")
    if isinstance(kind, str) and kind in EVENTS:
        return _event(payload)
    if not isinstance(kind, str) or kind not in INTERACTIONS:
        raise ValidationError("This is none of the things Slack sends.")
    return _interaction(payload)


def _command(payload: Mapping[str, Any]) -> Incoming:
    _strings(payload, "command", "team_id", "user_id")
    _optional_strings(payload, "text", "channel_id", "response_url", "trigger_id", "enterprise_id")
    if not payload["command"].startswith("/"):
        raise ValidationError("A command begins with a slash.")
    parts = (payload.get("trigger_id"), payload["user_id"], payload["command"], payload.get("text"))
    return Incoming("command", payload, _key("command", payload, *parts))


def _event(payload: Mapping[str, Any]) -> Incoming:
    if payload["type"] == "url_verification":
        _strings(payload, "challenge")
        return Incoming("url_verification", payload, "")
    if payload["type"] == "app_rate_limited":
        return Incoming("app_rate_limited", payload, "")
    _strings(payload, "team_id", "event_id")
    event = payload.get("event")
    if not isinstance(event, dict):
        raise ValidationError("An event without an event.")
    _strings(event, "type")
    return Incoming("event", payload, f"event:{payload['event_id']}"[:200])


def _interaction(payload: Mapping[str, Any]) -> Incoming:
    user = _child(payload, "user")
    _strings(user, "id")
    _optional_strings(user, "team_id")
    _team(payload)
    _optional_strings(payload, "trigger_id", "response_url", "callback_id")
    for name in ("channel", "view", "container", "message", "enterprise"):
        if payload.get(name) is not None:
            _child(payload, name)
    what = _what(payload)
    return Incoming(
        str(payload["type"]), payload, _key("act", payload, payload.get("trigger_id"), user["id"], *what)
    )


def _team(payload: Mapping[str, Any]) -> None:
    if payload.get("team") is None:
        enterprise = _child(payload, "enterprise")
        _strings(enterprise, "id")
        return
    _strings(_child(payload, "team"), "id")


def _what(payload: Mapping[str, Any]) -> tuple[Any, ...]:
    """What was done, apart from who and when: part of the key under which it takes effect once."""
    match payload["type"]:
        case "block_actions" | "block_suggestion":
            return _actions(payload)
        case "view_submission" | "view_closed":
            view = _child(payload, "view")
            _strings(view, "id", "callback_id")
            _optional_strings(view, "hash", "private_metadata")
            state = view.get("state")
            if state is not None and not isinstance(state, dict):
                raise ValidationError("A view's state is an object.")
            return payload["type"], view["id"], view.get("hash")
        case _:
            _strings(payload, "callback_id")
            return payload["type"], payload["callback_id"], payload.get("action_ts")


def _actions(payload: Mapping[str, Any]) -> tuple[Any, ...]:
    if payload["type"] == "block_suggestion":
        return (payload.get("action_id"), payload.get("value"))
    acts = payload.get("actions")
    if not isinstance(acts, list) or not acts:
        raise ValidationError("A click without an action.")
    for action in acts:
        if not isinstance(action, dict):
            raise ValidationError("An action is an object.")
        _strings(action, "action_id")
        _optional_strings(action, "type", "value", "block_id", "action_ts")
        if action.get("selected_option") is not None:
            _optional_strings(_child(action, "selected_option"), "value")
    first = acts[0]
    return first["action_id"], first.get("value"), json.dumps(first.get("selected_option"), sort_keys=True)


def _key(kind: str, payload: Mapping[str, Any], trigger: object, *rest: object) -> str:
    """By trigger_id; without one, by the whole content."""
    basis = [trigger, *rest] if trigger else [json.dumps(payload, sort_keys=True)]
    digest = hashlib.sha256(json.dumps(basis).encode()).hexdigest()
    return f"{kind}:{digest}"


def _child(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    if not isinstance(value, dict):
        raise ValidationError(f"{name} is not an object.")
    return value


def _strings(payload: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if not isinstance(payload.get(name), str) or not payload[name]:
            raise ValidationError(f"{name} is missing.")


def _optional_strings(payload: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if payload.get(name) is not None and not isinstance(payload[name], str):
            raise ValidationError(f"{name} is not text.")
