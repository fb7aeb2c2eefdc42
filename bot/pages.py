"""Reads, page by page: each takes a snapshot and answers with `items` and `total`, for HTTP and terminal alike."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.views import (
    View,
    audit_view,
    endpoint_view,
    entry_view,
    execution_view,
    message_view,
    project_view,
    quarantine_view,
    role_view,
    run_view,
    token_view,
    transition_view,
    view_of_test,
)
from core.errors import NotFoundError, ValidationError
from core.quarantine import State
from core.tenancy import Project
from storage.approver import list_roles
from storage.audit import events
from storage.database import Tx
from storage.detection import detections, detections_of, find_detection, transitions
from storage.endpoint import get_endpoint, list_endpoints
from storage.project import find_project, list_projects
from storage.quarantine import etag, list_quarantines, quarantines_by_id, standing
from storage.result import get_runs, history
from storage.test_case import TestCase, get_test, get_tests, list_tests, search_tests
from storage.token import list_tokens
from storage.webhook import list_messages, pending_of

FLAKY = ("flaky",)
MAX_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    limit: int = 50
    offset: int = 0


Items = dict[str, Any]


def paged(items: Iterable[View], total: int, page: Page) -> Items:
    """The shape of every list."""
    return {"items": list(items), "total": total, "limit": page.limit, "offset": page.offset}


def runs_page(tx: Tx, project: Project, page: Page, *, branch: str | None = None) -> Items:
    """Runs, newest first."""
    records, total = get_runs(tx, project.id, limit=page.limit, offset=page.offset, branch=branch)
    return paged(map(run_view, records), total, page)


def page_of_tests(tx: Tx, project: Project, page: Page, *, state: str | None = None, text: str = "") -> Items:
    """Tests by id; of one state, surest first."""
    if state and not text:
        return detected_page(tx, project, page, states=(state,))
    tests, total = list_tests(tx, project.id, limit=page.limit, offset=page.offset, state=state, text=text)
    believed = detections_of(tx, project.id, (test.id for test in tests))
    return paged((view_of_test(test, believed.get(test.id)) for test in tests), total, page)


def detected_page(tx: Tx, project: Project, page: Page, *, states: Sequence[str] = FLAKY) -> Items:
    """Tests in these states, surest first."""
    found, total = detections(tx, project.id, states=states, limit=page.limit, offset=page.offset)
    tests = get_tests(tx, project.id, (item.test_id for item in found))
    return paged(
        (view_of_test(tests[item.test_id], item) for item in found if item.test_id in tests), total, page
    )


def one_test(tx: Tx, project: Project, test_id: int) -> View:
    """A test, what is believed of it, and its quarantine."""
    test = get_test(tx, project.id, test_id)
    stories, _ = list_quarantines(tx, project.id, test_id=test.id, limit=1)
    story = quarantine_view(stories[0], test) if stories else None
    return {**view_of_test(test, find_detection(tx, project.id, test.id)), "quarantine": story}


def history_page(tx: Tx, project: Project, test_id: int, page: Page) -> Items:
    """Executions of a test, newest first; `total` counts those within the pages seen so far plus one if more."""
    test = get_test(tx, project.id, test_id)
    found = history(tx, project.id, test.id, limit=page.offset + page.limit + 1)
    return paged(map(execution_view, found[page.offset : page.offset + page.limit]), len(found), page)


def changes_page(
    tx: Tx, project: Project, page: Page, *, since: datetime | None = None, test_id: int | None = None
) -> Items:
    """Changes of verdict, newest first."""
    found, total = transitions(
        tx, project.id, since=since, test_id=test_id, limit=page.limit, offset=page.offset
    )
    tests = get_tests(tx, project.id, (item.test_id for item in found))
    return paged(
        (transition_view(tests[item.test_id], item) for item in found if item.test_id in tests), total, page
    )


def proposals_page(tx: Tx, project: Project, page: Page, *, states: Iterable[State] = ()) -> Items:
    """Proposals and what became of them, newest first."""
    found, total = list_quarantines(tx, project.id, states=states, limit=page.limit, offset=page.offset)
    tests = get_tests(tx, project.id, (item.test_id for item in found))
    return paged((quarantine_view(item, tests.get(item.test_id)) for item in found), total, page)


def quarantine_page(tx: Tx, project: Project, page: Page) -> tuple[str, Items]:
    """The list that CI obeys, oldest first, and its ETag."""
    versions = standing(tx, project.id)
    some = versions[page.offset : page.offset + page.limit]
    wanted = quarantines_by_id(tx, project.id, (number for number, _ in some))
    tests = get_tests(tx, project.id, (entry.test_id for entry in wanted))
    views = (entry_view(entry, tests[entry.test_id]) for entry in wanted if entry.test_id in tests)
    return etag(versions), paged(views, len(versions), page)


def audit_page(tx: Tx, project: Project, page: Page, *, subject: str | None = None) -> Items:
    """Audit events of a project, newest first."""
    found, total = events(
        tx,
        project.organization_id,
        project_id=project.id,
        subject=subject,
        limit=page.limit,
        offset=page.offset,
    )
    return paged(map(audit_view, found), total, page)


def tokens_page(tx: Tx, project: Project, page: Page) -> Items:
    """Tokens of a project, without their secrets."""
    tokens = list_tokens(tx, project.id)
    return paged(map(token_view, tokens[page.offset : page.offset + page.limit]), len(tokens), page)


def roles_page(tx: Tx, project: Project, page: Page) -> Items:
    """Who may decide."""
    roles = list_roles(tx, project.id)
    some = roles[page.offset : page.offset + page.limit]
    return paged((role_view(user, role) for user, role in some), len(roles), page)


def endpoints_page(tx: Tx, page: Page, *, project_id: int | None = None) -> Items:
    """Webhooks by number: a project's own, or (None) the whole server's."""
    found = list_endpoints(tx, project_id=project_id)
    return paged(map(endpoint_view, found[page.offset : page.offset + page.limit]), len(found), page)


def endpoint_page(tx: Tx, endpoint_id: int, *, project_id: int | None = None) -> View:
    """One webhook, and how many messages wait for it."""
    found = get_endpoint(tx, endpoint_id, project_id=project_id)
    return {**endpoint_view(found), "pending": pending_of(tx, found.id)}


def messages_page(
    tx: Tx, endpoint_id: int, page: Page, *, project_id: int | None = None, state: str | None = None
) -> Items:
    """What was sent to a webhook, newest first."""
    found = get_endpoint(tx, endpoint_id, project_id=project_id)
    messages, total = list_messages(tx, found.id, state=state, limit=page.limit, offset=page.offset)
    return paged(map(message_view, messages), total, page)


def projects_page(tx: Tx, page: Page, organization_id: int | None = None) -> Items:
    """Projects by name."""
    projects = list_projects(tx, organization_id)
    return paged(map(project_view, projects[page.offset : page.offset + page.limit]), len(projects), page)


def project_named(tx: Tx, repo: str) -> Project:
    """By OWNER/NAME; NotFoundError says what to do."""
    project = find_project(tx, repo)
    if project is None:
        remedy = f"create it with `flakeguard project create {repo}`" if "/" in repo else "give OWNER/NAME"
        raise NotFoundError(f"There is no project {repo}; {remedy}.")
    return project


def find_one_test(tx: Tx, project: Project, text: str) -> TestCase:
    """The one test a person means: by id, or by a name that fits exactly one."""
    if number := re.fullmatch(r"t?-?(\d{1,18})", text.strip()):
        return get_test(tx, project.id, int(number[1]))
    last = re.split(r"::| > |#", text.strip())[-1]
    near = search_tests(tx, project.id, last, limit=50) or search_tests(
        tx, project.id, last.rsplit(".", 1)[-1], limit=50
    )
    exact = [test for test in near if text.strip() in _names(test)]
    found = exact or near
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError(f"There is no test {text!r} in {project.repo}.")
    choices = "\n".join(f"  {test.id}  {_full(test)}" for test in found[:10])
    raise ValidationError(f"{text!r} fits {len(found)} tests; give the id of one:\n{choices}", field="test")


def _names(test: TestCase) -> frozenset[str]:
    key = test.key
    prefixes = (key.class_name, key.suite, key.file, f"{key.file}::{key.class_name}")
    joined = {f"{prefix}{sign}{key.name}" for prefix in prefixes for sign in ("::", ".", " > ", "#")}
    return frozenset({key.name, _full(test), *joined})


def _full(test: TestCase) -> str:
    key = test.key
    variant = f" ({key.variant})" if key.variant else ""
    return f"{key.class_name or key.suite}::{key.name}{variant}"
