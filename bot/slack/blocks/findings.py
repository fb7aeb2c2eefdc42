"""What is known about a test, read from core.explain's plain data into a noun the renderers can trust."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """All failures of one class: how many and what each proves."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Proof:
    """One run of a commit that had both results."""

    passed: bool
    run_id: str
    url: str
    commit: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Findings:
    """The explanation of one verdict; everything has a value, `0` and `""` mean not known."""

    state: str = "insufficient_data"
    score: float = 0.0
    confirmed: bool = False
    rate_low: float = 0.0
    rate_high: float = 1.0
    failed: int = 0
    runs: int = 0
    window_days: int = 28
    since_commit: str = ""
    strongest: str = ""
    evidence: tuple[EvidenceLine, ...] = ()
    proofs: tuple[Proof, ...] = ()
    unchanged: bool = False
    """True only when it was checked that neither the test nor its file was changed."""
    branches: int = 0
    pull_requests: int = 0
    ci_seconds: float = 0.0
    infra: int = 0
    strip: tuple[bool, ...] = ()
    clean_runs: int = 0
    first_failure: datetime | None = None
    last_failure: datetime | None = None
    message: str = ""
    """The most common failure's text."""
    message_count: int = 0
    failures: int = 0
    last_failed_url: str = ""
    changes: tuple[str, ...] = ()
    """What would change the verdict, in our own words."""
    policy_version: int = 1
    flip_commits: int = 0
    """Commits that had both results; known only while every such piece is listed."""

    @property
    def same_commit(self) -> int:
        """Pieces in which one commit both failed and passed."""
        return self.count_of("retry_pass", "rerun_pass")

    def count_of(self, *kinds: str) -> int:
        """Pieces of these classes."""
        return sum(item.count for item in self.evidence if item.kind in kinds)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Findings":
        """Take what is there and has the right type: explanations frozen by older releases stay readable."""
        data = flat(data)
        low, high = _pair(data.get("rate_interval"))
        return cls(
            state=_text(data, "state") or "insufficient_data",
            score=_float(data, "score"),
            confirmed=bool(data.get("confirmed")),
            rate_low=low,
            rate_high=high,
            failed=_int(data, "trunk_failures"),
            runs=_int(data, "trunk_runs"),
            window_days=_int(data, "window_days") or 28,
            since_commit=_text(data, "since_commit"),
            strongest=_text(data, "strongest"),
            evidence=_evidence(data.get("evidence")),
            proofs=tuple(_proof(item) for item in _records(data.get("proofs")) if "passed" in item)[:10],
            unchanged=bool(data.get("unchanged")),
            branches=_int(data, "branches"),
            pull_requests=_int(data, "pull_requests") or _int(data, "branches"),
            ci_seconds=_float(data, "ci_seconds"),
            infra=_int(data, "infra_failures"),
            strip=tuple(mark == "." for mark in _text(data, "strip")[-20:]),
            clean_runs=_int(data, "clean_runs"),
            first_failure=moment_of(data.get("first_failure")),
            last_failure=moment_of(data.get("last_failure")),
            message=_text(data, "message"),
            message_count=_int(data, "message_count"),
            failures=_int(data, "failures"),
            last_failed_url=_text(data, "last_failed_url"),
            changes=tuple(item for item in _list(data.get("changes")) if isinstance(item, str)),
            policy_version=_int(data, "policy_version") or 1,
            flip_commits=_flip_commits(data),
        )


def flat(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """An explanation whose verdict and evidence lines lie inside it, with both brought to the top."""
    verdict = data.get("verdict")
    if not isinstance(verdict, Mapping):
        return data
    begin, end = moment_of(data.get("window_from")), moment_of(data.get("window_to"))
    lines = _records(data.get("lines"))
    found: dict[str, Any] = {
        **verdict,
        "evidence": {_text(line, "kind"): _int(line, "count") for line in lines},
        "changes": data.get("what_would_change"),
        "policy_version": data.get("version"),
        "window_days": (end - begin).days if begin and end else 0,
    }
    return {**found, **{name: value for name, value in data.items() if name != "verdict"}}


def moment_of(value: object) -> datetime | None:
    """A time from its ISO text; None when it is none."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def _flip_commits(data: Mapping[str, Any]) -> int:
    """Distinct commits of the pieces that passed when run again; 0 when not all of those are listed."""
    pieces = [one for one in _records(data.get("pieces")) if one.get("class") == "rerun_pass"]
    told = sum(one.count for one in _evidence(data.get("evidence")) if one.kind == "rerun_pass")
    return len({_text(one, "commit") for one in pieces} - {""}) if len(pieces) == told else 0


def _evidence(value: object) -> tuple[EvidenceLine, ...]:
    if not isinstance(value, Mapping):
        return ()
    return tuple(
        EvidenceLine(kind, count) for kind, count in value.items() if isinstance(count, int) and count > 0
    )


def _proof(data: Mapping[str, Any]) -> Proof:
    return Proof(
        passed=bool(data.get("passed")),
        run_id=_text(data, "run_id"),
        url=_text(data, "url"),
        commit=_text(data, "commit"),
        at=moment_of(data.get("at")),
    )


def _records(value: object) -> Sequence[Mapping[str, Any]]:
    return [item for item in _list(value) if isinstance(item, Mapping)]


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _int(data: Mapping[str, Any], key: str) -> int:
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _float(data: Mapping[str, Any], key: str) -> float:
    value = data.get(key)
    return _finite(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _finite(value: float) -> float:
    """NaN, infinity and what is too large for a float are not known."""
    try:
        return float(value) if math.isfinite(value) else 0.0
    except OverflowError:
        return 0.0


def _pair(value: object) -> tuple[float, float]:
    match value:
        case [int() | float() as low, int() | float() as high]:
            return _finite(low), _finite(high)
        case _:
            return 0.0, 1.0
