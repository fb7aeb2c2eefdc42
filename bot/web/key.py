"""The key that links and sessions are signed with: the same on every node of a server."""

import secrets

from bot.settings import Settings
from bot.web.sealed import derived
from jobs.admit import signing_secret
from jobs.desk import Desk


def web_key(settings: Settings, desk: Desk) -> bytes:
    """From FLAKEGUARD_SECRET_KEY, else from the admin token, else from a value kept in the database."""
    configured = settings.secret_key or settings.admin_token
    if configured is not None:
        return derived(configured.get_secret_value().encode(), "web pages")
    return derived(signing_secret(desk, secrets.token_bytes(32)), "web pages")
