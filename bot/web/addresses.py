"""Where a page is, as paths; what may follow a sign-in is a path of ours and nothing else."""

import re
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

HOME: Final = "/web/"
_LOCAL: Final = re.compile(r"/web/[!-\[\]-~]{0,1000}")
"""Printable ASCII without a backslash, which browsers take for a slash."""


def local(path: str) -> str:
    """The path when it is one of our pages, else the first page."""
    return path if _LOCAL.fullmatch(path) else HOME


def prefix_of(base_url: str) -> str:
    """What a proxy puts before our paths: `https://ci.example/flakeguard` -> `/flakeguard`."""
    return urlsplit(base_url).path.rstrip("/")


def repository(repo: str) -> str:
    """A repository's health."""
    return f"{HOME}{quote(repo)}"


def tests(repo: str, **query: str) -> str:
    """A repository's tests, filtered."""
    return f"{repository(repo)}/tests{_query(query)}"


def test(repo: str, test_id: int) -> str:
    """One test."""
    return f"{repository(repo)}/tests/{test_id}"


def quarantine(repo: str) -> str:
    """Proposals and quarantines."""
    return f"{repository(repo)}/quarantine"


def audit(repo: str) -> str:
    """The audit log."""
    return f"{repository(repo)}/audit"


def signin(after: str = HOME) -> str:
    """How to get in; `after` is where people wanted to go."""
    return f"{HOME}signin{_query({'next': after} if after != HOME else {})}"


def absolute(base_url: str, path: str) -> str:
    """The address to give away."""
    return f"{base_url.rstrip('/')}{path}"


def _query(query: dict[str, str]) -> str:
    wanted = {name: value for name, value in query.items() if value}
    return f"?{urlencode(wanted)}" if wanted else ""
