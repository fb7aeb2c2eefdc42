"""What went wrong with a call to Slack, in the words a job understands."""

import http.client
import json

from slack_sdk.errors import SlackApiError, SlackClientError

from core.errors import ChatError
from jobs.chat import BrokenRouteError, GoneError, SlowDownError, UnknownOutcomeError

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
UNSURE = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "unknown_error",
    }
)
"""Slack says itself that the effect may have happened, or to try again."""
REFUSED_BLOCKS = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "invalid_arguments", "msg_blocks_too_long"}
)
TROUBLE = (OSError, http.client.HTTPException, json.JSONDecodeError, SlackClientError)
"""Everything the synchronous client raises: time-outs, resets, cut replies, replies that are not JSON."""
DEFAULT_WAIT, MAX_WAIT = 30.0, 3600.0
TOO_MANY, SERVER_FAULT = 429, 500


def code_of(error: SlackApiError) -> str:
    """Slack's own word for it; empty when the reply had none."""
    try:
        word = error.response.get("error")
    except (AttributeError, TypeError, ValueError):
        return ""
    return word if isinstance(word, str) else ""


def status_of(error: SlackApiError) -> int:
    """The HTTP status; 0 when unknown."""
    status = getattr(error.response, "status_code", 0)
    return status if isinstance(status, int) else 0


def translated(error: Exception) -> ChatError:
    """The job's error for a client's error."""
    if not isinstance(error, SlackApiError):
        return UnknownOutcomeError(f"Slack did not answer ({type(error).__name__}).")
    code, status = code_of(error), status_of(error)
    if status == TOO_MANY or code in {"ratelimited", "rate_limited"}:
        return SlowDownError("Slack asks to wait.", retry_after=retry_after(error))
    if status >= SERVER_FAULT or code in UNSURE or not code:
        return UnknownOutcomeError(f"Slack answered {code or status}.")
    if code in GONE:
        return GoneError(f"The message is gone ({code}).")
    return BrokenRouteError(f"Slack refuses: {code}.", code=code)


def retry_after(error: SlackApiError) -> float:
    """Seconds to wait; never less than Slack said, a careful guess when it did not say."""
    headers = getattr(error.response, "headers", None) or {}
    value = next((headers[name] for name in headers if str(name).lower() == "retry-after"), None)
    text = value[0] if isinstance(value, list) and value else value
    try:
        return min(max(float(str(text)), 1.0), MAX_WAIT)
    except ValueError:
        return DEFAULT_WAIT
