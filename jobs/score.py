"""Score: keep each project's engine state in memory between runs, and store what every run changed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.engine import ProjectState, RunOutcome, apply_merge, rejudge, sweep, verdict_of
from core.evidence import QTable
from core.execution import Merge
from core.policy import Policy
from core.tenancy import Project
from core.thresholds import Thresholds
from core.verdict import Transition, Verdict
from jobs.memory import ScoreMemory
from storage.database import Tx, after_commit
from storage.detection import Detection, StoredTransition, add_transition, put_detection
from storage.project import get_policy
from storage.scoring import load_scoring, save_scoring, scoring_version


@dataclass(slots=True)
class Scoring:
    """A project's engine state inside one write transaction."""

    project: Project
    policy: Policy
    version: int
    state: ProjectState
    q_table: QTable
    changed: set[int] = field(default_factory=set)
    """Tests whose stored verdict has to be written anew."""
    transitions: list[Transition] = field(default_factory=list)

    @property
    def thresholds(self) -> Thresholds:
        return self.policy.thresholds(self.project.default_branch)

    def clock(self, at: datetime) -> datetime:
        """The moment by which verdicts are told: a late run does not turn the project's time back."""
        return max(at, datetime.fromtimestamp(self.state.surroundings.latest, UTC))

    def refresh(self) -> None:
        """Tell every unsettled verdict anew: silence has changed its score, though not its state."""
        suspects = self.state.suspects
        self.changed.update(test_id for test_id, one in suspects.items() if not one.settled)

    def merge(self, merge: Merge) -> None:
        """A pull request was merged."""
        self.learnt(apply_merge(self.state, merge, thresholds=self.thresholds, q_table=self.q_table))

    def pass_time(self, at: datetime) -> RunOutcome:
        """Let time pass for every verdict."""
        outcome = sweep(self.state, at, thresholds=self.thresholds, q_table=self.q_table)
        self.learnt(outcome)
        self.refresh()
        return outcome

    def judge_anew(self) -> RunOutcome:
        """Another policy is in force: whatever was told may be told otherwise."""
        now = self.clock(datetime.fromtimestamp(0, UTC))
        outcome = rejudge(self.state, now, thresholds=self.thresholds, q_table=self.q_table)
        self.learnt(outcome)
        self.changed.update(self.state.suspects)
        return outcome

    def learnt(self, outcome: RunOutcome) -> None:
        """Remember what a step of the engine changed."""
        self.transitions.extend(outcome.transitions)
        self.changed.update(one.test_id for one in outcome.transitions)
        self.changed.update(outcome.failures)


def open_scoring(tx: Tx, memory: ScoreMemory, project: Project) -> Scoring:
    """The project's state, locked for this transaction."""
    version = scoring_version(tx, project.id, lock=True)
    state = memory.take(project.id, version) or load_state(tx, project.id)
    policy = get_policy(tx, project.id)
    return Scoring(project, policy, version, state, policy.q_table())


def load_state(tx: Tx, project_id: int) -> ProjectState:
    """The stored state."""
    stored = load_scoring(tx, project_id, lock=False)
    return ProjectState.load(stored.context or b"", stored.suspects)


def close_scoring(tx: Tx, memory: ScoreMemory, scoring: Scoring, *, now: datetime) -> None:
    """Store what changed: state, verdicts, transitions."""
    now = scoring.clock(now)
    for test_id in sorted(scoring.changed):
        found = verdict_of(scoring.state, test_id, now, scoring.thresholds, scoring.q_table)
        put_detection(tx, scoring.project.id, _row(test_id, found, now))
    for transition in scoring.transitions:
        add_transition(tx, scoring.project.id, _transition(transition))
    dump = scoring.state.dirty()
    version = scoring.version
    if dump.context is not None or dump.suspects:
        version += 1
        save_scoring(tx, scoring.project.id, version, dump.context, dump.suspects)
    after_commit(tx, lambda: memory.keep(scoring.project.id, version, scoring.state))


def _row(test_id: int, found: Verdict, now: datetime) -> Detection:
    low, high = found.rate_interval
    return Detection(
        test_id=test_id,
        state=found.state.value,
        score=found.score,
        rate=found.rate,
        rate_low=low,
        rate_high=high,
        confirmed=found.confirmed,
        updated_at=now,
        last_failure=found.last_failure,
    )


def _transition(one: Transition) -> StoredTransition:
    return StoredTransition(
        test_id=one.test_id,
        at=one.at,
        before=one.before.value,
        after=one.after.value,
        score=one.score,
        confirmed=one.confirmed,
        policy_version=one.version,
    )
