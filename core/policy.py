"""The approval policy of a project as versioned data: who decides, for how long, how many."""

from dataclasses import asdict, dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from core.errors import ValidationError
from core.evidence import QTable
from core.hours import QuietHours, clock_time, zone_of
from core.q_table import from_plain
from core.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Policy:
    """How a project wants quarantine decided. All periods are in days unless the name says otherwise."""

    version: int = 1
    approvals_required: int = 1
    allow_self_approval: bool = False
    """A one-person team may switch this on: who proposes may then also approve."""
    approver_group: str = ""
    """Slack user group id whose members may decide, beside the listed approvers."""
    protected_paths: tuple[str, ...] = ()
    """Glob patterns of test files or test ids that need `protected_approvals`."""
    protected_approvals: int = 2
    """Approvals a protected test needs; 0 means such a test is never quarantined."""
    ttl_days: int = 14
    max_renewals: int = 3
    lapse_days: int = 7
    """A proposal nobody decides lapses after this."""
    deny_cooldown_days: int = 14
    max_quarantined: int = 200
    """Most tests in quarantine at once."""
    max_share: float = 0.2
    """Largest share of the known tests that may be in quarantine at once (at least 5 tests always may)."""
    auto_approve_score: float = 0.0
    """Proposals at or above this score are approved by policy unless protected; 0 switches it off."""
    storm_proposals: int = 5
    """More proposals than this within an hour become one storm message."""
    digest_time: str = "09:00"
    timezone: str = "UTC"
    digest_days: int = 14
    quiet_hours: str = ""
    """HH:MM-HH:MM in the project's time zone; no message but a decision's result is posted in it."""
    gate_mode: bool = False
    """The check run may fail (and block) when a failure is not quarantined."""
    pull_comments: bool = True
    """Say in one comment of a pull request which of its failures are its own."""
    detection: dict[str, Any] = field(default_factory=dict)
    """Settings of core.thresholds.Thresholds that differ from the shipped ones."""
    learnt: dict[str, Any] = field(default_factory=dict)
    """Chances of evidence re-estimated from this project's decisions (core.learn); empty: the shipped ones."""

    def quiet(self) -> QuietHours:
        """The quiet hours as a value; only when some are set."""
        return QuietHours.parse(self.quiet_hours, self.timezone)

    def thresholds(self, default_branch: str) -> Thresholds:
        """What the engine works with; versioned together with the rest of the policy."""
        return Thresholds.from_dict(
            {**self.detection, "default_branch": default_branch, "version": self.version}
        )

    def q_table(self) -> QTable:
        """The chances the engine works with."""
        return from_plain(self.learnt)

    def protects(self, *names: str) -> bool:
        """True when one of the names (file, test id) matches a protected path."""
        return any(fnmatchcase(name, pattern) for name in names if name for pattern in self.protected_paths)

    def approvals_for(self, *names: str) -> int:
        """Approvals needed for a test known by these names; 0 means never."""
        return self.protected_approvals if self.protects(*names) else self.approvals_required

    def cap(self, tests: int) -> int:
        """Most tests that may be in quarantine in a project of so many tests."""
        return min(self.max_quarantined, max(5, int(tests * self.max_share)))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for storage and the API."""
        return {**asdict(self), "protected_paths": list(self.protected_paths)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Policy":
        """Read stored or sent data; unknown and impossible values are named."""
        shipped = cls()
        known = {item.name: getattr(shipped, item.name) for item in fields(cls)}
        if unknown := sorted(set(data) - set(known)):
            raise ValidationError(
                f"The policy has no setting called {', '.join(unknown)}; there are {', '.join(sorted(known))}.",
                fields=unknown,
            )
        policy = cls(**{name: _fitting(name, value, known[name]) for name, value in data.items()})
        policy.check()
        return policy

    def check(self) -> None:
        """Raise ValidationError naming the first value out of its range."""
        self.thresholds("main")
        self.q_table()
        zone_of(self.timezone)
        clock_time(self.digest_time)
        if self.quiet_hours:
            self.quiet()
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValidationError(f"{name} must be between {low} and {high}.", field=name)

    def next(self, **changes: Any) -> "Policy":
        """The next version with these changes, checked."""
        policy = replace(self, **{**changes, "version": self.version + 1})
        policy.check()
        return policy


def _fitting(name: str, value: object, default: object) -> Any:
    """The value as the setting's own type; a wrong type is named, because it would act in surprising ways."""
    match default:
        case tuple() if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(item.strip() for item in value if item.strip())
        case float() if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        case _ if type(value) is type(default):
            return value
    raise ValidationError(f"{name} must be {_KINDS[type(default)]}.", field=name)


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list of texts",
    dict: "a table",
}

RANGES: dict[str, tuple[float, float]] = {
    "approvals_required": (1, 10),
    "protected_approvals": (0, 10),
    "ttl_days": (1, 60),
    "max_renewals": (0, 50),
    "lapse_days": (1, 60),
    "deny_cooldown_days": (0, 365),
    "max_quarantined": (0, 100_000),
    "max_share": (0, 1),
    "auto_approve_score": (0, 1),
    "storm_proposals": (1, 1000),
    "digest_days": (1, 90),
}
