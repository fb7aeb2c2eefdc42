"""Several workspaces: each installs the app itself; its token is sealed before it is stored."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import structlog
from aiohttp import ClientError
from anyio import to_thread
from slack_sdk.errors import SlackClientError

from bot.settings import Settings
from bot.slack.web import async_client
from bot.slack.workspaces import Workspaces
from jobs.desk import Desk
from jobs.subscribe import install_workspace
from storage.slack import SlackInstallation

log = structlog.get_logger(__name__)

SCOPES = ("commands", "chat:write")
OPTIONAL = ("usergroups:read", "users:read", "channels:history", "groups:history")
STATE_SECONDS = 600
COOKIE = "flakeguard_install"
Answer = tuple[int, Mapping[str, str], bytes]


class Installer:
    """The two steps of Slack's OAuth: send people there, and take them back."""

    def __init__(self, desk: Desk, settings: Settings, workspaces: Workspaces) -> None:
        self._desk, self._settings, self._workspaces = desk, settings, workspaces
        secret = settings.slack_client_secret
        self._secret = secret.get_secret_value() if secret else ""

    @property
    def ready(self) -> bool:
        """True when OAuth is configured and tokens can be sealed."""
        return bool(self._settings.slack_client_id and self._secret and self._workspaces.encrypts)

    async def begin(self, _scope: Mapping[str, Any]) -> Answer:
        """Redirect to Slack with a state that only this browser can bring back."""
        if not self.ready:
            return _page(404, "Installing is switched off: set SLACK_CLIENT_ID, SLACK_CLIENT_SECRET and "
                              "FLAKEGUARD_SECRET_KEY.")  # fmt: skip
        nonce = secrets.token_urlsafe(24)
        query = urlencode(
            {
                "client_id": self._settings.slack_client_id,
                "scope": ",".join((*SCOPES, *OPTIONAL)),
                "state": self._state(nonce, int(self._desk.now().timestamp())),
                "redirect_uri": self._redirect_uri(),
            }
        )
        cookie = f"{COOKIE}={nonce}; Path=/slack; Max-Age={STATE_SECONDS}; HttpOnly; SameSite=Lax"
        if self._settings.base_url.startswith("https://"):
            cookie += "; Secure"
        return 302, {"location": f"{self._authorize_url()}?{query}", "set-cookie": cookie}, b""

    async def finish(self, scope: Mapping[str, Any]) -> Answer:
        """Exchange the code for a token; a state that is not ours or is old has no effect."""
        if not self.ready:
            return _page(404, "Installing is switched off.")
        query = parse_qs(bytes(scope.get("query_string", b"")).decode("latin-1"))
        if "error" in query:
            return _page(200, "Nothing was installed.")
        state, code = query.get("state", [""])[0], query.get("code", [""])[0]
        if not code or not self._good(state, _cookie(scope)):
            return _page(
                400, "This link is too old or was opened in another browser. Begin again at /slack/install."
            )
        try:
            answer = await self._exchange(code)
        except (SlackClientError, ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("slack.install_failed", error=type(error).__name__)
            return _page(502, "Slack did not accept this. Begin again at /slack/install.")
        installation = self._installation(answer)
        if installation is None:
            return _page(502, "Slack's answer names no workspace.")
        kept = await to_thread.run_sync(install_workspace, self._desk, installation)
        self._workspaces.forget(kept.team)
        log.info("slack.installed", team=kept.team, organization=kept.organization_id)
        return _page(200, f"FlakeGuard is installed in {kept.name}. Open its Home tab in Slack to go on.")

    async def _exchange(self, code: str) -> Mapping[str, Any]:
        client = async_client(self._settings)
        answer = await asyncio.wait_for(
            client.oauth_v2_access(
                client_id=self._settings.slack_client_id,
                client_secret=self._secret,
                code=code,
                redirect_uri=self._redirect_uri(),
            ),
            10,
        )
        return answer.data if isinstance(answer.data, dict) else {}

    def _installation(self, answer: Mapping[str, Any]) -> SlackInstallation | None:
        team, enterprise = answer.get("team") or {}, answer.get("enterprise") or {}
        token = answer.get("access_token")
        if not isinstance(token, str) or not isinstance(team.get("id"), str):
            return None
        return SlackInstallation(
            team=team["id"],
            enterprise=str(enterprise.get("id") or ""),
            name=str(team.get("name") or team["id"]),
            organization_id=None,
            token=self._workspaces.seal(token),
            bot_user=str(answer.get("bot_user_id") or ""),
            bot_id=str(answer.get("bot_id") or ""),
            scopes=str(answer.get("scope") or ""),
            installed_at=self._desk.now(),
        )

    def _authorize_url(self) -> str:
        parts = urlsplit(self._settings.slack_api_url)
        return f"{parts.scheme}://{parts.netloc}/oauth/v2/authorize"

    def _redirect_uri(self) -> str:
        return f"{self._settings.base_url}/slack/oauth_redirect"

    def _state(self, nonce: str, at: int) -> str:
        return f"{at}.{self._mark(nonce, at)}"

    def _mark(self, nonce: str, at: int) -> str:
        return hmac.new(self._secret.encode(), f"{at}.{nonce}".encode(), hashlib.sha256).hexdigest()

    def _good(self, state: str, nonce: str) -> bool:
        at, _, mark = state.partition(".")
        if not nonce or not at.isascii() or not at.isdecimal() or len(at) > 11:  # noqa: PLR2004 - a timestamp
            return False
        fresh = 0 <= self._desk.now().timestamp() - int(at) <= STATE_SECONDS
        return fresh and hmac.compare_digest(mark.encode(), self._mark(nonce, int(at)).encode())


def _cookie(scope: Mapping[str, Any]) -> str:
    raw = next((value for name, value in scope["headers"] if name.lower() == b"cookie"), b"")
    try:
        cookie = SimpleCookie(bytes(raw).decode("latin-1"))
    except CookieError:
        return ""
    return cookie[COOKIE].value if COOKIE in cookie else ""


def _page(status: int, text: str) -> Answer:
    return status, {}, f"{text}\n".encode()
