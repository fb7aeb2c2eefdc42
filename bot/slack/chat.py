"""The Chat that jobs speak through, over Slack's Web API; every call is one attempt."""

from collections.abc import Callable, Iterator
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.settings import Settings
from bot.slack.blocks.pieces import Message
from bot.slack.blocks.saying import message, simpler
from bot.slack.failures import REFUSED_BLOCKS, TROUBLE, code_of, translated
from bot.slack.validate import problems
from bot.slack.web import posting_client
from bot.slack.workspaces import Workspaces
from core.errors import ChatError
from core.saying import Saying
from jobs.chat import BrokenRouteError, Place, UnknownOutcomeError
from storage.database import Database

log = structlog.get_logger(__name__)
T = TypeVar("T")

EVENT_TYPE = "flakeguard_publication"
MAX_PAGES = 5
GROUP_SECONDS = 600.0
CANNOT_READ = frozenset(
    {
        "missing_scope",
        "not_in_channel",
        "channel_not_found",
        "no_permission",
        "is_archived",
        "not_allowed_token_type",
    }
)


class SlackChat:
    """Posts, updates and looks for messages; renders sayings on the way."""

    def __init__(self, settings: Settings, database: Database) -> None:
        """Nothing is connected; clients are made as workspaces are spoken to."""
        self._settings = settings
        self._workspaces = Workspaces(settings, database)
        self._groups: dict[tuple[str, str], tuple[float, frozenset[str]]] = {}
        self._lock = Lock()

    def say(
        self, place: Place, saying: Saying, *, key: str, ts: str | None = None, thread: str | None = None
    ) -> str:
        """Post (`ts` None) or update; a workspace that refuses charts or tables gets a simpler form."""
        client = self._client(place.team)
        shown: Message | None = _checked(message(saying), key)
        while shown is not None:
            try:
                return self._send(client, place, shown, key=key, ts=ts, thread=thread)
            except SlackApiError as error:
                if code_of(error) not in REFUSED_BLOCKS:
                    raise translated(error) from error
                log.warning("slack.blocks_refused", key=key, code=code_of(error))
                shown = simpler(shown)
            except TROUBLE as error:
                raise translated(error) from error
        raise BrokenRouteError("Slack refuses even the plain text.", code="invalid_blocks")

    def _send(
        self, client: WebClient, place: Place, shown: Message, *, key: str, ts: str | None, thread: str | None
    ) -> str:
        content: dict[str, Any] = {
            "channel": place.channel,
            "text": shown.text,
            "blocks": list(shown.blocks),
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"publication": key}},
        }
        if ts:
            return _ts(client.chat_update(ts=ts, **content)) or ts
        # Without previews: they would repeat what the message says, and load what it links.
        quiet: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
        posted = _ts(client.chat_postMessage(thread_ts=thread, **quiet, **content))
        if not posted:
            raise UnknownOutcomeError("Slack's answer names no message.")
        return posted

    def find(self, place: Place, key: str, *, since: datetime, thread: str | None = None) -> str | None:
        """The message posted with this key; None when there is none or reading is not allowed."""
        client = self._client(place.team)
        try:
            for page in self._pages(client, place, since, thread):
                for found in page:
                    if _key_of(found) == key:
                        return str(found["ts"])
        except SlackApiError as error:
            if code_of(error) in CANNOT_READ:
                return None
            raise translated(error) from error
        except TROUBLE as error:
            raise translated(error) from error
        return None

    def _pages(
        self, client: WebClient, place: Place, since: datetime, thread: str | None
    ) -> Iterator[list[dict[str, Any]]]:
        cursor = ""
        for _ in range(MAX_PAGES):
            options: dict[str, Any] = {
                "channel": place.channel,
                "oldest": f"{since.timestamp():.6f}",
                "limit": 200,
                "include_all_metadata": True,
                **({"cursor": cursor} if cursor else {}),
            }
            answer = (
                client.conversations_replies(ts=thread, **options)
                if thread
                else client.conversations_history(**options)
            )
            yield [item for item in answer.get("messages") or [] if isinstance(item, dict)]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def may_decide_in_group(self, team: str, group: str, user: str) -> bool:
        """Is the user a member? Remembered for ten minutes; False when Slack does not say."""
        with self._lock:
            at, members = self._groups.get((team, group), (-GROUP_SECONDS, frozenset()))
        if monotonic() - at >= GROUP_SECONDS:
            try:
                members = self._members(team, group)
            except ChatError as error:
                log.warning("slack.group_unknown", group=group, error=error.message)
                return False
            with self._lock:
                self._groups[team, group] = (monotonic(), members)
        return user in members

    def _members(self, team: str, group: str) -> frozenset[str]:
        client = self._client(team)
        answer = _tried(lambda: client.usergroups_users_list(usergroup=group))
        return frozenset(user for user in answer.get("users") or [] if isinstance(user, str))

    def ping(self) -> str:
        """The workspace's name, when token and address are right. Raises ChatError."""
        if not self._workspaces.single:
            return "several workspaces"
        answer = _tried(self._client("").auth_test)
        return str(answer.get("team") or "")

    def _client(self, team: str) -> WebClient:
        token = self._workspaces.token(team)
        if not token:
            raise BrokenRouteError("The app is not installed in this workspace.", code="token_revoked")
        return posting_client(self._settings, token)


def _checked(shown: Message, key: str) -> Message:
    """What our own judge refuses is said in plain text instead: better than an error, and logged."""
    if found := problems({"text": shown.text, "blocks": shown.blocks}, "message"):
        log.error("slack.message_invalid", key=key, problems=found[:5])
        return Message(shown.text)
    return shown


def _tried(call: Callable[[], T]) -> T:
    try:
        return call()
    except TROUBLE as error:
        raise translated(error) from error


def _ts(answer: SlackResponse) -> str:
    ts = answer.get("ts")
    return ts if isinstance(ts, str) else ""


def _key_of(found: dict[str, Any]) -> str:
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return ""
    payload = metadata.get("event_payload")
    key = payload.get("publication") if isinstance(payload, dict) else ""
    return key if isinstance(key, str) else ""
