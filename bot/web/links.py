"""Links for messages: to the pages themselves, and the signed one that lets a person in."""

import secrets
from datetime import timedelta
from typing import Final

from bot.settings import Settings
from bot.web import addresses
from bot.web.key import web_key
from bot.web.sealed import seal
from jobs.desk import Desk

TICKET: Final = "sign-in link"
TICKET_LIFE: Final = timedelta(minutes=10)


def signin_link(settings: Settings, desk: Desk, *, team: str, user: str, path: str = addresses.HOME) -> str:
    """Lets this person in for ten minutes, once; empty while the pages are switched off.

    Give it only to the very person whom Slack has just named, where nobody else sees it, and never to people
    of another workspace: whoever opens it sees what the workspace `team` may see.
    """
    if not settings.web:
        return ""
    facts = {"team": team, "user": user, "path": addresses.local(path), "nonce": secrets.token_urlsafe(9)}
    ticket = seal(web_key(settings, desk), TICKET, facts, until=desk.now() + TICKET_LIFE)
    return addresses.absolute(settings.base_url, f"{addresses.HOME}enter?t={ticket}")


def dashboard_page(settings: Settings) -> str:
    """Every repository; empty while the pages are switched off, like all of these."""
    return _page(settings, addresses.HOME)


def repository_page(settings: Settings, repo: str) -> str:
    """A repository's health."""
    return _page(settings, addresses.repository(repo))


def flaky_tests_page(settings: Settings, repo: str) -> str:
    """Every flaky test of a repository: what a digest calls its full report."""
    return _page(settings, addresses.tests(repo, state="flaky"))


def page_of_test(settings: Settings, repo: str, test_id: int) -> str:
    """One test with its past and the evidence."""
    return _page(settings, addresses.test(repo, test_id))


def quarantine_page(settings: Settings, repo: str) -> str:
    """What waits, what is in force, what has ended."""
    return _page(settings, addresses.quarantine(repo))


def _page(settings: Settings, path: str) -> str:
    return addresses.absolute(settings.base_url, path) if settings.web else ""
