"""Every repository somebody may see, one line of health each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.slack.pages import RepoHealth
from bot.slack.reads import health
from bot.web import addresses
from bot.web.viewer import Viewer
from bot.web.views.paging import Pager
from storage.database import Tx

SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One repository at a glance."""

    health: RepoHealth
    word: str
    tone: str


def repositories(tx: Tx, viewer: Viewer, now: datetime, page: int) -> dict[str, Any]:
    """A page of repositories."""
    begin = (page - 1) * SIZE
    some = viewer.projects[begin : begin + SIZE]
    lines = [line_of(health(tx, project, now)) for project in some]
    path = f"{addresses.HOME}?"
    return {"lines": lines, "pager": Pager(page, SIZE, len(viewer.projects), len(some), path)}


def line_of(found: RepoHealth) -> Line:
    """The first thing somebody should know: blind, silent or well."""
    if found.ill:
        return Line(found, found.ill, "bad")
    if found.last_result is None:
        return Line(found, "waits for its first result", "calm")
    return Line(found, "is watched", "good")
