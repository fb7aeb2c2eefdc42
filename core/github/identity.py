"""What the identity token of a workflow run says about it; ids decide, names and `sub` never do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.errors import AuthenticationError, ForbiddenError
from core.github import fields
from core.tenancy import Scope

_TRUNK_EVENTS = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch"})
_REFUSED_EVENTS = frozenset({"pull_request_target"})
"""Runs with the base's rights on somebody else's code."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified workflow run."""

    jti: str
    repository_id: int
    owner_id: int
    repository: str
    ref: str
    head_ref: str
    """The pull request's branch; empty outside pull requests."""
    event: str
    run_id: str
    attempt: int
    sha: str
    expires_at: datetime


def read_identity(claims: Mapping[str, Any]) -> Identity:
    """The claims we use, of a token whose signature has been verified."""
    data = dict(claims)
    identity = Identity(
        jti=fields.text(data, "jti"),
        repository_id=_id(data, "repository_id"),
        owner_id=_id(data, "repository_owner_id"),
        repository=fields.text(data, "repository"),
        ref=fields.text(data, "ref"),
        head_ref=fields.text(data, "head_ref"),
        event=fields.text(data, "event_name", limit=40),
        run_id=str(_id(data, "run_id")),
        attempt=_id(data, "run_attempt"),
        sha=fields.text(data, "sha", limit=64),
        expires_at=fields.moment(data, "exp") or datetime.fromtimestamp(0, UTC),
    )
    if not identity.jti:
        raise AuthenticationError("The identity token has no jti.")
    if identity.event in _REFUSED_EVENTS:
        raise ForbiddenError(f"Runs of {identity.event} may not upload: they mix rights and foreign code.")
    return identity


def fields_of(identity: Identity) -> dict[str, str]:
    """The fields of an upload that are not the uploader's to choose."""
    kind, _, name = identity.ref.removeprefix("refs/").partition("/")
    fixed = {
        "run_id": identity.run_id,
        "attempt": str(identity.attempt),
        "commit": identity.sha,
        "event": identity.event,
    }
    if kind == "pull":
        return {**fixed, "pr": name.partition("/")[0], **_if_any("branch", identity.head_ref)}
    return {**fixed, "pr": "", **_if_any("branch", name)}


def _if_any(name: str, value: str) -> dict[str, str]:
    return {name: value} if value else {}


def _id(data: Mapping[str, Any], key: str) -> int:
    """GitHub writes its ids as text here."""
    value = data.get(key)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:  # noqa: PLR2004 - 64 bits
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise AuthenticationError(f"The identity token has no {key}.")


def scope_of(identity: Identity, default_branch: str) -> Scope:
    """Only the default branch itself, and its merge queue, may speak for it."""
    on_default = identity.ref == f"refs/heads/{default_branch}" and identity.event in _TRUNK_EVENTS
    queued = identity.event == "merge_group" and identity.ref.startswith(
        f"refs/heads/gh-readonly-queue/{default_branch}/"
    )
    return Scope.INGEST_TRUNK if on_default or queued else Scope.INGEST_PR
