"""One test's facts, folded from its executions in time order into a bounded ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.packing import Packer

DAY = 86_400
INCIDENT = 12 * 3_600
FEW = 3
"""A proof counts as this test's own when so few failed with it."""
FAILURES_KEPT = 50
EPISODES_KEPT = 24
DAYS_KEPT = 92
STRIP_KEPT = 20
COMMITS_KEPT = 16
PASSES_KEPT = 16
ANSWER_WITHIN = 21 * DAY
"""After this a failure no longer waits for an answer ..."""
ANSWER_USUALLY_WITHIN = 3 * DAY
"""... and after this only if the default branch has not spoken yet."""


@dataclass(frozen=True, slots=True)
class FailureFacts:
    """What is known of a failing execution beyond where and when it ran."""

    commit_name: str
    fingerprint: int
    attempts: int
    failed_attempts: int
    ambiguous: bool
    tests: int
    """Tests in its report."""
    failing: int
    """Failing tests in its report, itself included."""
    alike: int
    """Tests of its report with the same fingerprint, itself included."""
    peers: tuple[int, ...]
    """A bounded sample of the other failing tests of its report."""
    group: int
    """Hash of (run_id, attempt, variant): shards and jobs of one workflow run share it, a matrix does not."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of one test; ids are 8-byte hashes, `run` is storage's reference, `branch` 0 is trunk."""

    at: int
    key: int
    run: int
    commit: int
    lane: int
    branch: int
    base: int
    passed: bool
    """By its final outcome."""
    failure: FailureFacts | None = None

    @property
    def trunk(self) -> bool:
        return self.branch == 0

    @property
    def order(self) -> tuple[int, int]:
        return (self.at, self.key)


@dataclass(slots=True)
class Failure:
    """A failing execution and what the world has answered to it since."""

    execution: Execution
    facts: FailureFacts
    prior_pass_run: int = -1
    """Run that had passed on the same commit and lane before."""
    same_pass_at: int = 0
    same_pass_run: int = -1
    """First later pass on the same commit, lane and base."""
    failed_again: int = 0
    """Later failures on the same commit and lane."""
    next_push_at: int = 0
    next_push_run: int = -1
    pass_after_at: int = 0
    trunk_pass_at: int = 0
    trunk_pass_run: int = -1
    clean_after: int = 0
    """Clean executions until the next failure."""
    day_runs: int = 0
    """Executions of its day up to and with it, so that the past can be judged by what was known then."""
    packed: Packer | None = field(default=None, init=False, compare=False, repr=False)
    """As packed when it last heard something."""

    @property
    def at(self) -> int:
        return self.execution.at

    @property
    def retried(self) -> bool:
        """Failed, then passed within one run, and it is clear that it was one test."""
        return self.execution.passed and not self.facts.ambiguous

    @property
    def proven_at(self) -> int:
        """When same-commit proof was there; 0 without."""
        return self.at if self.retried else self.same_pass_at

    def hear(self, later: Execution) -> bool:
        """Take the answer a later passing execution gives; False when it says nothing new."""
        mine, new = self.execution, False
        if not self.pass_after_at:
            self.pass_after_at, new = later.at, True
        if later.trunk and not self.trunk_pass_at:
            self.trunk_pass_at, self.trunk_pass_run, new = later.at, later.run, True
        if later.commit == mine.commit:
            if later.lane == mine.lane and later.base == mine.base and not self.same_pass_at:
                self.same_pass_at, self.same_pass_run, new = later.at, later.run, True
        elif self._next_push(later) and not self.next_push_at:
            self.next_push_at, self.next_push_run, new = later.at, later.run, True
        if new:
            self.packed = None
        return new

    def _next_push(self, later: Execution) -> bool:
        """In the same job: what one platform's job says does not repair another's."""
        mine = self.execution
        return not mine.trunk and later.branch == mine.branch and later.lane == mine.lane


@dataclass(slots=True)
class Episode:
    """Consecutive default-branch commits (of one lane) on which the test failed, none passing between."""

    lane: int
    first_commit: int
    first_commit_name: str
    first_at: int
    first_run: int
    good_commit: int
    """Last passing commit before; 0 when the test was never seen passing."""
    good_at: int
    fingerprint: int
    commits: int = 1
    last_commit: int = 0
    last_at: int = 0
    end_commit: int = 0
    end_at: int = 0
    packed: Packer | None = field(default=None, init=False, compare=False, repr=False)
    """As packed when it last went on."""

    @property
    def open(self) -> bool:
        return self.end_at == 0

    @property
    def disproven(self) -> bool:
        """The very commit that failed also passed: chance, not breakage."""
        return self.end_commit == self.last_commit and self.commits == 1 and not self.open


@dataclass(slots=True)
class LaneHead:
    """The newest default-branch commit of a lane that this test ran on."""

    commit: int
    at: int
    good_commit: int = 0
    good_at: int = 0
    commits: list[int] = field(default_factory=list)
    """Recent commits, oldest first, by which a re-run of an old commit is recognised."""


@dataclass(slots=True)
class Ledger:
    """The fold: everything verdicts need, nothing that grows with history."""

    failures: list[Failure] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    heads: dict[int, LaneHead] = field(default_factory=dict)
    days: dict[int, list[int]] = field(default_factory=dict)
    """Day number -> executions, failures, default-branch executions, default-branch failures."""
    strip: str = ""
    passes: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Recent passes: commit, lane, base, run."""
    first_trunk_pass_at: int = 0
    last_trunk_pass_at: int = 0
    clean_trunk_pass: bool = False
    first_seen: int = 0
    last_seen: int = 0
    waiting: list[Failure] = field(default_factory=list)
    known_since: int = 0
    """When failures no longer remembered had made it known to be flaky; 0 if they had not."""
    turns: int = field(default=0, compare=False)
    """Counts changes of anything but mere counts of passes; not stored."""
    packed_days: tuple[int, Packer] | None = field(default=None, compare=False, repr=False)
    """All days but the last, as packed on that day."""
    packed_past: tuple[int, Packer] | None = field(default=None, compare=False, repr=False)
    """Episodes and all failures but the last, as packed at that turn."""
    breaking: dict[int, Episode] = field(default_factory=dict, compare=False, repr=False)
    """Lane -> its open episode; not stored."""

    def fold(self, executions: Iterable[Execution]) -> None:
        for execution in executions:
            self.add(execution)

    def add(self, e: Execution) -> None:
        """Learn the next execution in time order."""
        self.first_seen = self.first_seen or e.at
        self.last_seen = e.at
        self._count(e)
        if e.passed and self.waiting:
            self._answer(e)
        if e.failure is not None:
            self._fail(e, e.failure)
        elif self.failures:
            self.failures[-1].clean_after += 1
        if e.trunk:
            self._advance(e)
        if e.passed:
            self.passes.append((e.commit, e.lane, e.base, e.run))
            del self.passes[:-PASSES_KEPT]

    def _count(self, e: Execution) -> None:
        day = e.at // DAY
        counts = self.days.get(day)
        if counts is None:
            counts = self.days[day] = [0, 0, 0, 0]
            for old in [d for d in self.days if d <= day - DAYS_KEPT]:
                del self.days[old]
        failed = e.failure is not None
        counts[0] += 1
        counts[1] += failed
        if e.trunk:
            counts[2] += 1
            counts[3] += failed

    def _answer(self, e: Execution) -> None:
        for failure in self.waiting:
            self.turns += failure.hear(e)
        self.waiting = [f for f in self.waiting if _still_waits(f, e.at)]

    def _fail(self, e: Execution, facts: FailureFacts) -> None:
        self.turns += 1
        failure = Failure(e, facts, day_runs=self.days[e.at // DAY][0])
        for commit, lane, base, run in reversed(self.passes):
            if (commit, lane, base) == (e.commit, e.lane, e.base):
                failure.prior_pass_run = run
                break
        if not e.passed:
            self._fail_again(e)
        if failure.retried:
            failure.pass_after_at = e.at
        self.failures.append(failure)
        self.waiting.append(failure)
        if len(self.failures) > FAILURES_KEPT:
            gone = self.failures.pop(0)
            if not self.known_since and gone.proven_at and gone.facts.failing <= FEW:
                self.known_since = max(gone.proven_at, gone.at + INCIDENT)
            self.waiting = [f for f in self.waiting if f is not gone]

    def _fail_again(self, e: Execution) -> None:
        for earlier in self.failures:
            if earlier.execution.commit == e.commit and earlier.execution.lane == e.lane:
                earlier.failed_again += 1
                earlier.packed = None

    def _advance(self, e: Execution) -> None:
        mark = "x" if not e.passed else "~" if e.failure is not None else "."
        self.strip = (self.strip + mark)[-STRIP_KEPT:]
        if e.passed:
            self.first_trunk_pass_at = self.first_trunk_pass_at or e.at
            self.last_trunk_pass_at = e.at
            self.clean_trunk_pass = self.clean_trunk_pass or e.failure is None
        head = self.heads.get(e.lane)
        if head is None:
            head = self.heads[e.lane] = LaneHead(e.commit, e.at)
        if e.commit != head.commit:
            if e.commit in head.commits:
                return  # a re-run of an old commit says nothing about the branch today
            head.commits = [*head.commits, head.commit][-COMMITS_KEPT:]
            head.commit, head.at = e.commit, e.at
        self._turn(e, head)

    def _turn(self, e: Execution, head: LaneHead) -> None:
        episode = self.breaking.get(e.lane)
        if e.passed:
            head.good_commit, head.good_at = e.commit, e.at
            if episode is not None:
                self._end(e, episode)
        elif episode is not None:
            episode.commits += episode.last_commit != e.commit
            episode.last_commit, episode.last_at = e.commit, e.at
            episode.packed = None
        else:
            self._begin(e, head)

    def _end(self, e: Execution, episode: Episode) -> None:
        self.turns += 1
        episode.end_commit, episode.end_at = e.commit, e.at
        episode.packed = None
        del self.breaking[e.lane]

    def _begin(self, e: Execution, head: LaneHead) -> None:
        facts = e.failure
        episode = Episode(
            lane=e.lane,
            first_commit=e.commit,
            first_commit_name=facts.commit_name if facts else "",
            first_at=e.at,
            first_run=e.run,
            good_commit=head.good_commit,
            good_at=head.good_at,
            fingerprint=facts.fingerprint if facts else 0,
            last_commit=e.commit,
            last_at=e.at,
        )
        self.episodes.append(episode)
        self.breaking[e.lane] = episode
        for forgotten in self.episodes[:-EPISODES_KEPT]:
            if forgotten.open:
                del self.breaking[forgotten.lane]
        del self.episodes[:-EPISODES_KEPT]

    @property
    def clean_streak(self) -> int:
        return self.failures[-1].clean_after if self.failures else 0


def _still_waits(failure: Failure, now: int) -> bool:
    if now - failure.at > ANSWER_WITHIN:
        return False
    answered = failure.same_pass_at or failure.retried or now - failure.at > ANSWER_USUALLY_WITHIN
    return not (answered and failure.pass_after_at and failure.trunk_pass_at)
