"""A repository's health: the digest's figures, what needs a decision, and what changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.slack.blocks.digest import concentration, verdict
from bot.slack.reads import health
from bot.web.charts import Whisker, bars, bars_in_words, scale_for, whisker
from bot.web.views.quarantine import stories
from bot.web.views.repositories import line_of
from core.quarantine import IN_FORCE, State
from core.saying import DigestCard
from core.tenancy import Project
from core.verdict import TestState
from jobs.digest_card import compose_digest
from storage.database import Tx
from storage.detection import Detection, detections, transitions
from storage.flake import flakes
from storage.quarantine import list_quarantines
from storage.test_case import TestCase, get_tests

TOP: Final = 10
NEWS: Final = 8
READ: Final = 1000
"""Most flaky tests whose failures are compared."""
ENDING: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FlakyRow:
    """One row of the table of the worst."""

    test: TestCase
    detection: Detection
    failed: int
    whisker: Whisker
    quarantined: bool


@dataclass(frozen=True, slots=True)
class News:
    """Tests that changed in the period, newest first, and how many more there are."""

    tests: Sequence[TestCase]
    more: int


def repository(tx: Tx, project: Project, now: datetime) -> dict[str, Any]:
    """Everything the page shows."""
    card = compose_digest(tx, project, until=now)
    changed = _changed(tx, project, card.since)
    shown = bars(card.daily)
    worst, total = _worst(tx, project, card)
    return {
        "project": project,
        "card": card,
        "verdict": verdict(card) if card.last_result else "no result yet",
        "where": concentration(card.worst, card.failures),
        "line": line_of(health(tx, project, now)),
        "bars": shown,
        "bars_words": bars_in_words(shown),
        "waiting": stories(tx, project, _open(tx, project, State.PROPOSED)[:TOP]),
        "ending": stories(tx, project, _ending(tx, project, now)),
        "worst": worst,
        "flaky": total,
        "new": changed[TestState.FLAKY],
        "recovered": changed[TestState.RECOVERED],
    }


def _worst(tx: Tx, project: Project, card: DigestCard) -> tuple[list[FlakyRow], int]:
    """Those that failed most in the period, then the surest."""
    found, total = detections(tx, project.id, states=[TestState.FLAKY.value], limit=READ)
    ids = [one.test_id for one in found]
    failed = Counter(one.test_id for one in flakes(tx, project.id, ids, since=card.since, until=card.until))
    top = sorted(found, key=lambda one: (-failed[one.test_id], -one.score, one.test_id))[:TOP]
    tests = get_tests(tx, project.id, [one.test_id for one in top])
    held = {one.test_id for one in _open(tx, project, *IN_FORCE)}
    scale = scale_for(one.rate_high for one in top)
    rows = [
        FlakyRow(
            tests[one.test_id],
            one,
            failed[one.test_id],
            whisker(one.rate_low, one.rate, one.rate_high, scale),
            one.test_id in held,
        )
        for one in top
        if one.test_id in tests
    ]
    return rows, total


def _changed(tx: Tx, project: Project, since: datetime) -> Mapping[TestState, News]:
    """Tests whose newest change in the period led to a state."""
    changes, _ = transitions(tx, project.id, since=since, limit=READ)
    newest: dict[int, str] = {}
    for one in changes:
        newest.setdefault(one.test_id, one.after)
    wanted = (TestState.FLAKY, TestState.RECOVERED)
    ids = {state: [key for key, after in newest.items() if after == state.value] for state in wanted}
    tests = get_tests(tx, project.id, [one for state in wanted for one in ids[state][:NEWS]])
    return {
        state: News([tests[one] for one in ids[state][:NEWS] if one in tests], max(0, len(ids[state]) - NEWS))
        for state in wanted
    }


def _open(tx: Tx, project: Project, *states: State) -> Sequence[Any]:
    return list_quarantines(tx, project.id, states=states, limit=500)[0]


def _ending(tx: Tx, project: Project, now: datetime) -> list[Any]:
    soon = [one for one in _open(tx, project, *IN_FORCE) if one.until and one.until <= now + ENDING]
    return sorted(soon, key=lambda one: one.until)[:TOP]
