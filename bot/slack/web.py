"""Slack's Web API as we call it: the configured address, short time-outs, no hidden retries."""

from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings

TIMEOUT = 10
"""Seconds; the outbox's lease is longer."""


def base_url(settings: Settings) -> str:
    """The SDK joins method names to this, so it has to end in a slash."""
    return settings.slack_api_url.rstrip("/") + "/"


def posting_client(settings: Settings, token: str) -> WebClient:
    """For effects: the SDK's own retry would post twice when an answer is lost."""
    return WebClient(token=token, base_url=base_url(settings), timeout=TIMEOUT, retry_handlers=[])


def async_client(settings: Settings, token: str | None = None) -> AsyncWebClient:
    """For dialogs and tabs."""
    return AsyncWebClient(token=token, base_url=base_url(settings), timeout=TIMEOUT, retry_handlers=[])


def may_answer_at(settings: Settings, url: str) -> bool:
    """A response_url is only followed to Slack itself, or to the host of SLACK_API_URL."""
    try:
        parts, own = urlsplit(url), urlsplit(settings.slack_api_url)
        slack = (parts.scheme, parts.hostname, parts.port or 443) == ("https", "hooks.slack.com", 443)
    except ValueError:
        return False
    named = bool(parts.username or parts.password)
    return not named and (slack or (parts.scheme, parts.netloc) == (own.scheme, own.netloc))
