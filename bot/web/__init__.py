"""The web pages: read-only, server-rendered, behind a sign-in through Slack or with an API token."""

from bot.web.routes import web_pages

__all__ = ["web_pages"]
