"""Artifacts of a run: which attempt, job and matrix cell made them, by metadata, by name or by time."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.github import fields
from core.github.workflow import WorkflowRun

METADATA = "flakeguard.json"
"""Written into an artifact by our action: run_id, run_attempt, job, matrix."""
_ATTEMPT = re.compile(r"(?:^|[-_. ])attempt[-_. ]?(\d{1,3})(?=$|[-_. ])", re.IGNORECASE)
_SHARD = re.compile(
    r"(?:^|[-_. ])(?:(?:shard|split|chunk|part|group)[-_. ]?\d+(?:[-_. ]?of[-_. ]?\d+)?"
    r"|\d+[-_. ]?of[-_. ]?\d+)(?=$|[-_. ])",
    re.IGNORECASE,
)
_GENERIC = frozenset(
    {"junit", "test", "tests", "testing", "result", "results", "report", "reports", "xml", "json"}
    | {"output", "outputs", "artifact", "artifacts", "flakeguard", "log", "logs"}
)
_SUFFIX = re.compile(r"\.(?:xml|json|zip)$", re.IGNORECASE)
_MAX_METADATA = 64 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact as the API lists it; `digest` is `sha256:...` or empty on older servers."""

    id: int
    name: str
    size: int
    expired: bool
    digest: str = ""
    created_at: datetime | None = None
    head_sha: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What `flakeguard.json` claims; facts of the API win wherever both speak."""

    run_id: int | None = None
    attempt: int | None = None
    repository_id: int | None = None
    head_sha: str = ""
    job: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made an artifact; `inferred` when only its creation time told the attempt."""

    attempt: int
    job: str
    variant: str
    inferred: bool = False


def read_artifact(data: object) -> Artifact:
    """An item of GET .../artifacts."""
    return Artifact(
        id=fields.need_number(data, "id"),
        name=fields.text(data, "name"),
        size=fields.number(data, "size_in_bytes") or 0,
        expired=fields.flag(data, "expired"),
        digest=fields.text(data, "digest"),
        created_at=fields.moment(data, "created_at"),
        head_sha=fields.text(data, "workflow_run", "head_sha"),
    )


def read_metadata(content: bytes) -> Metadata | None:
    """The metadata file, or None when it is not one."""
    try:
        data = json.loads(content) if len(content) <= _MAX_METADATA else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    return Metadata(
        run_id=_id(data, "run_id"),
        attempt=_id(data, "run_attempt") or _id(data, "attempt"),
        repository_id=_id(data, "repository_id"),
        head_sha=fields.text(data, "head_sha").lower(),
        job=fields.text(data, "job"),
        variant=fields.text(data, "variant") or _cell(data.get("matrix")),
    )


def _id(data: dict[str, Any], key: str) -> int | None:
    # Actions' expressions make strings of numbers.
    value = data.get(key)
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdecimal()
        and len(value) <= len(str(fields.MAX_ID))
    ):
        return int(value) or None
    return fields.number(data, key)


def _cell(matrix: object) -> str:
    if not isinstance(matrix, dict):
        return ""
    return ", ".join(fields.clean(f"{key}={value}") for key, value in sorted(matrix.items()))[:200]


def contradiction(metadata: Metadata, run: WorkflowRun, repository_id: int, *, newest: int) -> str:
    """A sentence when the metadata speaks against the API (forged or copied); empty when it agrees."""
    if metadata.run_id not in {None, run.id}:
        return f"{METADATA} names run {metadata.run_id}, the artifact belongs to run {run.id}."
    if metadata.repository_id not in {None, repository_id}:
        return f"{METADATA} names another repository."
    if metadata.head_sha not in {"", run.head_sha}:
        return f"{METADATA} names another commit."
    if metadata.attempt is not None and metadata.attempt > newest:
        return f"{METADATA} names attempt {metadata.attempt}, the run has had {newest}."
    return ""


def origin_of(
    artifact: Artifact, metadata: Metadata | None, run: WorkflowRun, attempts: Collection[WorkflowRun]
) -> Origin:
    """Attempt, job and variant: from the metadata, else the name, else the time it was created.

    `attempts` are the attempts known of the run, `run` (the one being collected) among them.
    """
    newest = max(one.attempt for one in attempts)
    job, variant = names_of(artifact.name, run)
    told = (metadata.attempt if metadata else None) or _attempt_by_name(artifact.name, newest)
    return Origin(
        attempt=told or _attempt_by_time(artifact, run, attempts),
        job=(metadata.job if metadata else "") or job,
        variant=(metadata.variant if metadata else "") or variant,
        inferred=told is None and newest > 1,
    )


def _attempt_by_name(name: str, newest: int) -> int | None:
    found = _ATTEMPT.search(name)
    named = int(found[1]) if found else 0
    return named if 1 <= named <= newest else None


def _attempt_by_time(artifact: Artifact, run: WorkflowRun, attempts: Collection[WorkflowRun]) -> int:
    """The newest attempt that had begun when the artifact was created."""
    if artifact.created_at is None:
        return run.attempt
    begun = [
        one.attempt
        for one in attempts
        if (start := one.window[0]) is not None and start <= artifact.created_at
    ]
    return max(begun, default=min(one.attempt for one in attempts))


def other_attempts_matter(artifacts: Iterable[Artifact], run: WorkflowRun) -> bool:
    """True when some artifact may belong to an attempt before or after this one."""
    start, end = run.window
    return any(
        one.created_at is None or (start and one.created_at < start) or (end and one.created_at > end)
        for one in artifacts
    )


def names_of(name: str, run: WorkflowRun) -> tuple[str, str]:
    """(job, variant) an artifact's name tells: `junit-ubuntu-3.11-attempt-2` -> (..., `ubuntu-3.11`)."""
    plain = _ATTEMPT.sub("", _SUFFIX.sub("", name))
    for passing in (run.head_sha, run.head_sha[:7], str(run.id)):
        plain = re.sub(rf"(?:^|[-_. ]){re.escape(passing)}(?:[-_.]{run.attempt})?(?=$|[-_. ])", "", plain)
    job = plain.strip("-_. ") or "artifact"
    words = re.split(r"[-_ ()\[\],]+", _SHARD.sub("", job))
    variant = "-".join(word for word in words if word and word.lower() not in _GENERIC)
    return f"{run.name} / {job}" if run.name else job, variant


def looks_like_report(head: bytes) -> bool:
    """By content, not by name: XML or JSON at the beginning (after a byte-order mark and white space)."""
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    return start in {b"<", b"{", b"["}


def looks_like_zip(head: bytes) -> bool:
    """upload-artifact v7 may upload a single file unzipped."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
