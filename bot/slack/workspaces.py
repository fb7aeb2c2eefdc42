"""The workspaces FlakeGuard is installed in: their tokens, and which tenant's data each may see.

One workspace: its token is in the settings and it sees every organization of this server. Several: each
installed the app itself, its token lies encrypted in the database, and it sees its own organization only.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic

import structlog
from aiohttp import ClientError
from anyio import to_thread
from slack_sdk.errors import SlackClientError

from bot.settings import Settings
from bot.slack.web import async_client
from bot.vault import Vault
from storage import slack
from storage.database import Database
from storage.slack import SlackInstallation

log = structlog.get_logger(__name__)

KEEP_SECONDS = 60.0
"""How long another node's installation or removal may go unseen here."""
WARM_SECONDS = 10.0
PATIENCE_SECONDS = 0.7
RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace as the listeners need it."""

    team: str
    token: str
    organization_id: int | None = None
    """None: every organization of this server."""
    bot_user: str = ""
    route_team: str = ""
    """How routes name it: empty when it is the only one."""


class Workspaces:
    """Looks workspaces up; tokens in clear exist only in this process's memory."""

    def __init__(self, settings: Settings, database: Database) -> None:
        """Nothing is asked yet."""
        self._settings, self._database = settings, database
        self._vault = Vault(settings)
        self._single = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
        self._home: Workspace | None = None
        self._asked = -RETRY_SECONDS
        self._asking: asyncio.Task[None] | None = None
        self._known: dict[str, tuple[float, Workspace | None]] = {}

    @property
    def single(self) -> bool:
        """True when the one workspace's token is in the settings."""
        return bool(self._single)

    @property
    def encrypts(self) -> bool:
        """True when tokens can be stored."""
        return self._vault.ready

    async def find(self, team: str) -> Workspace | None:
        """The workspace a verified payload names; None when the app is not installed there."""
        if not self.single:
            return await to_thread.run_sync(self.stored, team)
        home = await self.home()
        if home is None:
            # auth.test did not answer. Slack's signature already proves that the payload comes from the one
            # workspace this app is installed in.
            return Workspace(team, self._single)
        return home if home.team == team else None

    async def home(self) -> Workspace | None:
        """The one workspace, asked of Slack once; None while Slack does not say."""
        if self._home is None and self.single:
            if self._asking is None or (self._asking.done() and monotonic() - self._asked > RETRY_SECONDS):
                self._asking = asyncio.create_task(self._ask())
            # A dialog's trigger lives for three seconds: whoever clicks must not wait for a slow Slack here.
            await asyncio.wait({self._asking}, timeout=PATIENCE_SECONDS)
        return self._home

    async def _ask(self) -> None:
        self._asked = monotonic()
        try:
            client = async_client(self._settings, self._single)
            answer = await asyncio.wait_for(client.auth_test(), WARM_SECONDS)
            team, user = answer.get("team_id"), answer.get("user_id")
        except (SlackClientError, ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("slack.auth_test_failed", error=type(error).__name__)
            return
        if isinstance(team, str) and team:
            self._home = Workspace(team, self._single, bot_user=user if isinstance(user, str) else "")

    def stored(self, team: str) -> Workspace | None:
        """An installed workspace from the database; asked at most once a minute."""
        at, found = self._known.get(team, (-KEEP_SECONDS, None))
        if monotonic() - at < KEEP_SECONDS and found is not None:
            return found
        with self._database.read() as tx:
            row = slack.find_installation(tx, team)
        found = self._opened(row) if row and row.revoked_at is None else None
        if len(self._known) > 10_000:  # noqa: PLR2004 - foreign team ids must not fill the memory
            self._known.clear()
        self._known[team] = (monotonic(), found)
        return found

    def token(self, team: str) -> str | None:
        """The token to post with; `team` is empty for the one workspace."""
        if self.single:
            return self._single
        found = self.stored(team)
        return found.token if found else None

    def forget(self, team: str) -> None:
        """Ask anew next time."""
        self._known.pop(team, None)

    def seal(self, token: str) -> bytes:
        """A token as it is stored."""
        return self._vault.seal(token)

    def _opened(self, row: SlackInstallation) -> Workspace | None:
        token = self._vault.open(row.token)
        if token is None:
            log.warning("slack.token_unreadable", team=row.team)
            return None
        return Workspace(row.team, token, row.organization_id, row.bot_user, row.team)
