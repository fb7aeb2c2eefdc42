"""The courier: opens the sealed secrets, signs, posts, and puts whatever happens into words."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore

from bot.settings import Settings
from bot.vault import Vault
from bot.version import version
from bot.web.links import page_of_test
from bot.webhooks.exchange import SECONDS, LookupFailedError, Reply, post
from bot.webhooks.reach import reach
from core.errors import FlakeGuardError, ProcessingError
from core.patience import GONE, Answer
from core.signature import headers
from core.webhook import envelope
from storage.endpoint import Endpoint
from storage.webhook import Message

EXCERPT = 200
"""Characters kept of a receiver's own words."""
_REDIRECTS = range(300, 400)


class UnreadableSecretError(ProcessingError):
    """The secret cannot be read: FLAKEGUARD_SECRET_KEY is another one now. Rotate the secret."""


class WebhookCourier:
    """Carries one message at a time; used by several threads."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], datetime],
        *,
        count: Callable[[str], None] = lambda _: None,
        seconds: float = SECONDS,
    ) -> None:
        """`count` hears how each attempt ended; `seconds` is all the time one gets."""
        self._settings, self._now, self._count, self._seconds = settings, now, count, seconds
        self._vault, self._reach = Vault(settings), reach(settings)

    def carry(self, endpoint: Endpoint, message: Message) -> Answer:
        """One attempt."""
        answer = self._attempt(endpoint, message)
        self._count("delivered" if answer.ok else "refused" if answer.status else "unreachable")
        return answer

    def _attempt(self, endpoint: Endpoint, message: Message) -> Answer:
        now = self._now()
        body = envelope(message.type, message.at, self._data(message.data))
        try:
            secrets = self._secrets(endpoint, now)
            signed = headers(secrets, key=message.key, at=now, body=body)
            reply = post(endpoint.url, body, {**_USUAL, **signed}, reach=self._reach, seconds=self._seconds)
        except FlakeGuardError as error:
            return Answer(error=error.message)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Answer(error=_lost(error, self._seconds))
        except (httpcore.UnsupportedProtocol, ValueError) as error:
            return Answer(error=f"The URL cannot be used ({type(error).__name__}).")
        return _answer(reply, now)

    def _secrets(self, endpoint: Endpoint, now: datetime) -> list[str]:
        opened = [self._vault.open(one) for one in endpoint.secrets(now)]
        if opened[0] is None:
            raise UnreadableSecretError
        return [one for one in opened if one is not None]

    def _data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """With the page of the test it is about, where there are pages."""
        if "test" not in data:
            return dict(data)
        page = page_of_test(self._settings, data["project"]["repo"], data["test"]["test_id"])
        return {**data, "url": page or None}


_USUAL = {
    "content-type": "application/json",
    "user-agent": f"FlakeGuard/{version()}",
    "accept-encoding": "identity",
    "connection": "close",
}


def _answer(reply: Reply, now: datetime) -> Answer:
    answer = Answer(reply.status, retry_after=_retry_after(reply.headers.get("retry-after", ""), now))
    if answer.ok:
        return answer
    return Answer(reply.status, _words(reply), answer.retry_after)


def _words(reply: Reply) -> str:
    if reply.status in _REDIRECTS:
        return f"It answered {reply.status}; redirects are not followed. Give the new address."
    if reply.status == GONE:
        return "It answered 410 Gone: it wants nothing any more, so it is disabled."
    text = reply.beginning.decode("utf-8", "replace")
    said = " ".join("".join(char if char.isprintable() else " " for char in text).split())[:EXCERPT]
    return f"It answered {reply.status}: {said}" if said else f"It answered {reply.status}."


def _lost(error: Exception, seconds: float) -> str:
    match error:
        case LookupFailedError():
            return f"There is no host of the name {error}."
        case httpcore.TimeoutException():
            return f"It did not answer within {seconds:g} seconds."
        case httpcore.ConnectError():
            return f"No connection could be made ({str(error)[:EXCERPT]})."
        case _:
            return "The connection broke off before the answer."


def _retry_after(text: str, now: datetime) -> timedelta | None:
    """Seconds or a date; anything else is no wish."""
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 9:  # noqa: PLR2004 - nobody asks for thirty years
        return timedelta(seconds=int(text))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(until - now, timedelta())
