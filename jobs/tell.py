"""Tell: write webhooks into the outbox, in the very transaction of the change they tell of."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from core.quarantine import Quarantine
from core.tenancy import Person, Project
from core.verdict import Transition
from core.webhook import EventType, event_of_step, event_of_verdict, hears
from storage.database import Tx
from storage.endpoint import Endpoint, hearing
from storage.test_case import TestCase, get_tests
from storage.webhook import Draft, write_messages

Data = dict[str, Any]
LONGEST = 1000
"""Characters of one foreign text: a message is a hint, not a report."""


def tell_verdicts(tx: Tx, project: Project, transitions: Iterable[Transition], *, now: datetime) -> None:
    """Tests were found flaky or broken, or are well again."""
    told = [(one, event) for one in transitions if (event := event_of_verdict(one.before, one.after))]
    endpoints = hearing(tx, project.organization_id, project.id) if told else []
    if not endpoints:
        return
    tests = get_tests(tx, project.id, (one.test_id for one, _ in told))
    for one, event in told:
        data = {
            "project": _project(project),
            "test": _test(one.test_id, tests.get(one.test_id)),
            "verdict": _verdict(one),
        }
        _write(tx, project, endpoints, event, data, now=now)


def tell_step(tx: Tx, project: Project, after: Quarantine, *, by: Person, verb: str, now: datetime) -> None:
    """A quarantine took a step; `verb` is the audit log's word for it."""
    event = event_of_step(verb, after.state)
    endpoints = hearing(tx, project.organization_id, project.id) if event else []
    if event is None or not endpoints:
        return
    tests = get_tests(tx, project.id, [after.test_id])
    data = {
        "project": _project(project),
        "test": _test(after.test_id, tests.get(after.test_id)),
        "quarantine": _quarantine(after),
        "by": {"user": by.user, "via": by.via.value},
    }
    _write(tx, project, endpoints, event, data, now=now)


def tell_one(tx: Tx, endpoint: Endpoint, event: EventType, data: Data, *, now: datetime) -> str:
    """One message to one endpoint, whatever it chose to hear; answers its id."""
    draft = _draft(endpoint, event, data, project_id=endpoint.project_id)
    write_messages(tx, [draft], now)
    return draft.key


def _write(
    tx: Tx, project: Project, endpoints: Iterable[Endpoint], event: EventType, data: Data, *, now: datetime
) -> None:
    heard = [one for one in endpoints if hears(one.events, event)]
    write_messages(tx, [_draft(one, event, data, project_id=project.id) for one in heard], now)


def _draft(endpoint: Endpoint, event: EventType, data: Data, *, project_id: int | None) -> Draft:
    # Random, because receivers remember ids: a second server, or a restored database, must not repeat them.
    return Draft(f"msg_{uuid4().hex}", endpoint.id, project_id, event.value, data)


def _project(project: Project) -> Data:
    return {"project_id": project.id, "repo": project.repo}


def _test(test_id: int, test: TestCase | None) -> Data:
    """The same fields as in the REST API; one erased meanwhile keeps its number."""
    if test is None:
        return {"test_id": test_id}
    key = test.key
    names = {
        "suite": key.suite,
        "class": key.class_name,
        "name": key.name,
        "file": key.file,
        "variant": key.variant,
        "owner": test.owner,
    }
    return {"test_id": test.id, **_short(names)}


def _verdict(one: Transition) -> Data:
    return {
        "state": one.after.value,
        "before": one.before.value,
        "score": round(one.score, 4),
        "confirmed": one.confirmed,
        "at": one.at.isoformat(),
    }


def _quarantine(after: Quarantine) -> Data:
    texts = {"reason": after.reason, "decision_reason": after.decision_reason}
    return {
        "proposal_id": after.name,
        "state": after.state.value,
        "proposed_by": after.proposed_by,
        "until": after.until.isoformat() if after.until else None,
        "renewals": after.renewals,
        **_short(texts),
    }


def _short(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for name, text in texts.items()}
