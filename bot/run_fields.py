"""The fields that say which run a report belongs to, checked one by one; every face asks for the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.errors import ForbiddenError, ValidationError
from core.run import Run, Trust
from core.tenancy import Project, Scope

SKEW = timedelta(days=1)
"""A CI machine's clock may be this far ahead."""
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
PULL_EVENTS = frozenset({"pull_request", "pull_request_target", "merge_request", "merge_request_event"})


@dataclass(frozen=True, slots=True)
class Field:
    """One query field: its shape and how to say what is wanted."""

    name: str
    shape: re.Pattern[str]
    wanted: str
    example: str
    required: bool = False


_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]{1,200}")
FIELDS = (
    Field("run_id", _TEXT, "the CI's id of the run, up to 200 characters", "7214512345", required=True),
    Field(
        "commit", re.compile(r"[0-9A-Za-z._-]{1,64}"), "the id of the tested commit", "9fceb02", required=True
    ),
    Field(
        "branch",
        re.compile(r"[^\s\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,255}"),
        "the name of a branch",
        "main",
        required=True,
    ),
    Field("attempt", re.compile(r"[1-9][0-9]{0,8}"), "a number from 1", "1"),
    Field("job", _TEXT, "the job's name, up to 200 characters", "unit"),
    Field("variant", _TEXT, "the matrix cell, up to 200 characters", "linux, 3.12"),
    Field("event", re.compile(r"[A-Za-z0-9_.-]{1,64}"), "the CI's name of what started the run", "push"),
    Field("pr", re.compile(r"[0-9]{1,18}"), "the number of a pull request", "17"),
    Field("base", re.compile(r"[0-9A-Za-z._-]{1,64}"), "the id of a commit", "1a410ef"),
    Field(
        "url",
        re.compile(r"https?://[^\s\x00-\x1f\"<>]{1,2000}"),
        "an http(s) address",
        "https://ci.example/17",
    ),
    Field(
        "started_at",
        re.compile(r"[0-9T:.+Z \-]{10,40}"),
        "a time as ISO 8601 with its offset",
        "2026-01-31T12:00:00Z",
    ),
    Field("fork", re.compile(r"[01]|true|false"), "1 when the change comes from a fork", "0"),
)
NAMES = frozenset(field.name for field in FIELDS)


def read_run(values: Mapping[str, str], project: Project, scope: Scope, *, now: datetime) -> Run:
    """The run these fields name. ValidationError names the field; ForbiddenError when the scope forbids it."""
    found = {field.name: _checked(field, values.get(field.name, "").strip()) for field in FIELDS}
    pr, event = found["pr"], found["event"]
    trust = _trust(scope, fork=found["fork"] in {"1", "true"}, pull=bool(pr) or event in PULL_EVENTS)
    if scope is Scope.INGEST_PR and not pr and found["branch"] == project.default_branch:
        raise ForbiddenError(
            f"A token of scope {scope.value} may not report for the default branch "
            f"{project.default_branch}; that needs {Scope.INGEST_TRUNK.value}."
        )
    return Run(
        run_id=found["run_id"],
        commit=found["commit"],
        branch=found["branch"],
        at=read_time("started_at", found["started_at"], now=now) if found["started_at"] else now,
        attempt=int(found["attempt"] or 1),
        job=found["job"],
        variant=found["variant"],
        base=found["base"],
        event=event,
        pr=pr,
        trust=trust,
        url=found["url"],
    )


def _trust(scope: Scope, *, fork: bool, pull: bool) -> Trust:
    if fork:
        return Trust.FORK
    return Trust.PR if pull or scope is Scope.INGEST_PR else Trust.TRUNK


def _checked(field: Field, value: str) -> str:
    if not value:
        if field.required:
            raise ValidationError(
                f"{field.name} is missing: give {field.wanted}, in the address as {field.name}={field.example}.",
                field=field.name,
            )
        return ""
    if not field.shape.fullmatch(value):
        raise ValidationError(f"{field.name} is not valid: it must be {field.wanted}.", field=field.name)
    return value


def read_time(field: str, text: str, *, now: datetime) -> datetime:
    """An aware time in UTC, not before 2000 and not in the future; without an offset it is taken for UTC."""
    try:
        at = datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationError(f"{field} is not valid: it must be a time as ISO 8601.", field=field) from None
    if not OLDEST <= at <= now + SKEW:
        raise ValidationError(f"{field} is not valid: {text} is in the future or before 2000.", field=field)
    return at


def whole_number(field: str, text: str | None, *, default: int, low: int, high: int) -> int:
    """A number of a query or a body, inside its bounds."""
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and low <= int(text) <= high):  # noqa: PLR2004
        raise ValidationError(f"{field} must be a whole number from {low} to {high}.", field=field)
    return int(text)
