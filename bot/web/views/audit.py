"""The audit log of a repository, and whether its chain is whole."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.web import addresses
from bot.web.views.paging import Pager
from core.audit import verify
from core.tenancy import Project
from storage.audit import chain, events, head
from storage.database import Tx

SIZE: Final = 50
GOOD_FOR: Final = timedelta(minutes=5)
"""How long an answer about an unchanged chain stands."""
MOST: Final = 200_000
"""Events of a chain that is walked for a page; a longer one is for `flakeguard audit verify`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The chain of one organization, walked from its beginning."""

    at: datetime
    events: int
    head: str
    fault: str | None
    """The first break in words; None when every event is as it was written."""


class Verifier:
    """Walks chains, and remembers the answer for a few minutes."""

    def __init__(self) -> None:
        """Nothing is checked yet."""
        self._known: dict[int, Checked] = {}
        self._lock = threading.Lock()

    def check(self, tx: Tx, organization_id: int, now: datetime) -> Checked | None:
        """As of now, or of a few minutes ago if nothing was added since; None while somebody else walks it."""
        count, newest = head(tx, organization_id)
        known = self._known.get(organization_id)
        if count > MOST or (known and known.head == newest and now - known.at < GOOD_FOR):
            return known
        # One walk at a time, and nobody waits for it: readers must not use up the threads that CI needs.
        if not self._lock.acquire(blocking=False):
            return known
        try:
            known = Checked(now, count, newest, verify(chain(tx, organization_id)))
            self._known[organization_id] = known
        finally:
            self._lock.release()
        return known


def audit(tx: Tx, project: Project, verifier: Verifier, now: datetime, page: int) -> dict[str, Any]:
    """A page of the project's events, newest first."""
    found, total = events(
        tx, project.organization_id, project_id=project.id, limit=SIZE, offset=(page - 1) * SIZE
    )
    return {
        "project": project,
        "events": [{"event": one, "details": _details(one.details or {})} for one in found],
        "checked": verifier.check(tx, project.organization_id, now),
        "pager": Pager(page, SIZE, total, len(found), f"{addresses.audit(project.repo)}?"),
    }


def _details(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), _value(value)) for name, value in details.items() if value not in ("", None)
    ]


def _value(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case list() | tuple():
            return ", ".join(map(_value, value))
        case dict():
            return ", ".join(f"{name}: {_value(inner)}" for name, inner in value.items())
        case _:
            return str(value)
