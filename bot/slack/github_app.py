"""Where people install the GitHub App: asked of GitHub once, only when somebody's Home wants to show it."""

from collections.abc import Callable
from typing import Any, Protocol

import structlog
from anyio import to_thread

from bot.github.forge import GitHubForge
from core.errors import ForgeError
from core.github import fields
from jobs.forge import Forge

log = structlog.get_logger(__name__)


class _Reply(Protocol):
    def data(self) -> Any: ...


class GitHubApp:
    """Remembers the address; empty without an App, and while GitHub does not answer."""

    def __init__(self, asks: Callable[[], _Reply] | None) -> None:
        """`asks` fetches what GitHub says about the App."""
        self._asks, self._url = asks, ""

    @classmethod
    def of(cls, forge: Forge | None) -> "GitHubApp":
        """The App that this server is."""
        return cls((lambda: forge.client.as_app("GET", "/app")) if isinstance(forge, GitHubForge) else None)

    async def install_url(self) -> str:
        """The page on which repositories are chosen."""
        if self._asks is not None and not self._url:
            self._url = await to_thread.run_sync(self._ask)
        return self._url

    def _ask(self) -> str:
        assert self._asks is not None, "asked only where there is an App"
        try:
            page = fields.text(self._asks().data(), "html_url")
        except ForgeError as error:
            log.info("slack.github_app_unknown", error=error.message)
            return ""
        return f"{page}/installations/new" if page else ""
