"""A seeded simulator of CI histories: people push, merge, break and repair; machines fail; chance does the rest."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.detection.flakes import Flake, draw
from benchmarks.detection.profiles import Profile
from benchmarks.detection.world import Attempts, Cause, History, RunEvent, Truth
from core.execution import Merge
from core.report import TestKey
from core.run import Run, Trust

START = datetime(2026, 3, 2, tzinfo=UTC)
GENERIC = (
    "TimeoutError: waited 30.0 s for the page to settle",
    "AssertionError: False is not true",
    "ConnectionResetError: [Errno 104] Connection reset by peer",
    "NullPointerException",
)
INFRA = (
    "OSError: [Errno 28] No space left on device: '/builds/{n}/tmp'",
    "psycopg.OperationalError: connection to server at 10.0.{n}.7 port 5432 failed: Connection refused",
    "docker: Error response from daemon: toomanyrequests",
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='registry{n}.internal', port=443)",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What a fault does to one test."""

    message: str
    share: float = 1.0
    """Below 1: the change itself made the test fail now and then, until somebody repairs the change."""
    lane: str = ""
    """Only where it runs in this job; empty for all of them."""


@dataclass(slots=True)
class Breakage:
    """A fault somebody made: the tests it breaks and what they say."""

    faults: dict[int, Fault]


@dataclass(slots=True)
class Commit:
    name: str
    broken: dict[int, Fault]


@dataclass(slots=True)
class PullRequest:
    number: int
    branch: str
    fork: bool
    base: Commit
    breakages: list[Breakage] = field(default_factory=list)
    pushes: int = 0
    head: Commit | None = None
    attempts: int = 0
    run_id: str = ""
    red_jobs: tuple[str, ...] = ()
    planned: int = 1
    throwaway: bool = False
    """Nobody repairs or merges it: a robot's try, superseded by the next."""

    def carried(self) -> dict[int, Fault]:
        """Its own faults."""
        return {test: fault for breakage in self.breakages for test, fault in breakage.faults.items()}


@dataclass(slots=True)
class Outage:
    start: float
    end: float
    share: float
    """Chance that an affected test fails."""
    tests: frozenset[int] | None
    """None: all of them."""
    hit: float
    """Chance that a run meets it."""
    messages: tuple[str, ...]
    passing: float
    """Chance that a retry within the run gets through."""


@dataclass(slots=True)
class Job:
    name: str
    variant: str
    tests: np.ndarray
    shard: int = 0
    nightly: bool = False
    lane: str = ""


class Simulator:
    """One history; everything random comes from the seed."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self.profile = profile
        self.seed = seed
        self.rng = np.random.default_rng([seed, *profile.name.encode()])
        self.hours = profile.days * 24.0
        self.queue: list[tuple[float, int, Callable[[float], None]]] = []
        self.order = itertools.count()
        self.numbers = itertools.count(1)
        self.merges = 0
        self.events: list[RunEvent | Merge] = []
        self._lay_out_tests()
        self._plan_outages()
        self.main = Commit(self.sha(), {})
        self.open: list[PullRequest] = []
        self.queued: list[tuple[float, Commit, dict[int, Fault]]] = []
        self.fragile: list[tuple[int, Fault]] = []

    # -- the suite ---------------------------------------------------------------------------------

    def _lay_out_tests(self) -> None:
        p, rng = self.profile, self.rng
        variants = p.variants
        self.base_tests = p.tests
        total = p.tests * len(variants)
        self.files = np.arange(p.tests) // int(rng.integers(8, 25))
        self.truths = {i: Truth() for i in range(total)}
        self.keys = {
            v * p.tests + i: TestKey(f"suite{self.files[i] % 7}", f"pkg.module{self.files[i]}", f"test_case_{i}", f"tests/test_{self.files[i]}.py", variant)
            for v, variant in enumerate(variants)
            for i in range(p.tests)
        }  # fmt: skip
        self.flakes: dict[int, Flake] = {}
        count = max(6, round(p.tests * p.flaky_share))
        for test in rng.choice(p.tests, count, replace=False).tolist():
            own = tuple(self._own_message(test, k) for k in range(int(rng.choice([1, 1, 1, 2]))))
            flake = draw(rng, self.hours, own)
            only = int(rng.integers(len(variants))) if flake.kind == "environment" else -1
            for v in range(len(variants)):
                if only in {-1, v}:
                    self._make_flaky(
                        v * p.tests + test,
                        Flake(
                            flake.kind, flake.rate, flake.since, flake.until, flake.sticky, own, flake.hour
                        ),
                    )
        self.renamed = set(rng.choice(p.tests, round(p.tests * p.renames), replace=False).tolist())
        self.rename_at = 0.5 * self.hours
        self.jobs = list(self._lay_out_jobs())
        self.flaky_ids = {
            id(job): np.array(sorted(set(job.tests.tolist()) & self.flakes.keys()), int) for job in self.jobs
        }

    def _make_flaky(self, test: int, flake: Flake) -> None:
        self.flakes[test] = flake
        self.truths[test] = Truth(flake.kind, flake.rate, flake.since, flake.until)

    def _own_message(self, test: int, k: int) -> str:
        if self.rng.random() < self.profile.generic_messages:
            return str(self.rng.choice(GENERIC))
        words = (
            "expected status ready",
            "element not found",
            "lists differ",
            "deadline exceeded in worker",
            "stale value",
        )
        return f"AssertionError: {words[(test + k) % len(words)]} in step_{chr(97 + test % 26)}{chr(97 + test // 26 % 26)}{chr(97 + k)}"

    def _lay_out_jobs(self):
        p = self.profile
        all_tests = np.arange(p.tests)
        night = self.rng.random(p.tests) < p.nightly_share
        for v, variant in enumerate(p.variants):
            shift = v * p.tests
            for j in range(p.jobs):
                mine = all_tests[(self.files % p.jobs == j) & ~night]
                for shard, lane in itertools.product(range(p.shards), p.lanes):
                    name = f"job{j}" if p.shards == 1 else f"job{j} ({shard + 1}/{p.shards})"
                    name = f"{name} ({lane})" if lane else name
                    yield Job(name, variant, np.sort(mine[shard :: p.shards]) + shift, shard, lane=lane)
            if p.nightly:
                yield Job("nightly", variant, all_tests + shift, nightly=True)

    # -- the machine room --------------------------------------------------------------------------

    def _plan_outages(self) -> None:
        p, rng = self.profile, self.rng
        self.outages: list[Outage] = []
        for _ in range(rng.poisson(p.outages * p.days)):
            start = float(rng.integers(p.days)) * 24 + rng.uniform(8, 19)
            messages = tuple(str(m) for m in rng.choice(INFRA, int(rng.integers(1, 3)), replace=False))
            if rng.random() < 0.5:
                outage = Outage(
                    start, start + rng.exponential(3.0), rng.uniform(0.6, 1.0), None, 0.9, messages, 0.05
                )
            else:
                size = int(rng.integers(2, 6)) if rng.random() < 0.6 else int(rng.integers(1, 3))
                files = set(rng.choice(np.unique(self.files), size).tolist())
                tests = frozenset(i for i in range(p.tests) if self.files[i] in files)
                outage = Outage(
                    start,
                    start + rng.exponential(4.0),
                    rng.uniform(0.15, 0.7),
                    tests,
                    rng.uniform(0.3, 0.9),
                    messages,
                    rng.uniform(0.05, 0.4),
                )
            self.outages.append(outage)

    # -- time --------------------------------------------------------------------------------------

    def at(self, hour: float) -> datetime:
        return START + timedelta(seconds=round(hour * 3600))

    def later(self, hour: float, do: Callable[[float], None]) -> None:
        if hour < self.hours:
            heapq.heappush(self.queue, (hour, next(self.order), do))

    def _working(self, hour: float) -> float:
        """The same moment, moved into working hours."""
        day, of_day = divmod(hour, 24)
        if day % 7 >= 5:
            day, of_day = day + 7 - day % 7, 9 + self.rng.random() * 2
        elif of_day < 8:
            of_day = 8 + self.rng.random() * 3
        elif of_day > 19 and self.rng.random() < 0.8:
            return self._working((day + 1) * 24 + 8.5 + self.rng.random())
        return day * 24 + of_day

    def _load(self, hour: float) -> float:
        return float(np.clip(1 - abs(hour % 24 - 14) / 7, 0, 1))

    # -- people ------------------------------------------------------------------------------------

    def run(self) -> History:
        p, rng = self.profile, self.rng
        for day in range(p.days):
            if day % 7 < 5:
                for _ in range(rng.poisson(p.pull_requests)):
                    self.later(day * 24 + rng.uniform(8, 18), self._open)
            if p.nightly:
                self.later(day * 24 + 2.0, self._nightly)
        while self.queue:
            hour, _, do = heapq.heappop(self.queue)
            do(hour)
        self.events.sort(key=lambda e: e.at)
        return History(p.name, self.seed, self.events, self.truths, self.keys, self.hours)

    def _open(self, hour: float) -> None:
        number = next(self.numbers)
        fork = self.rng.random() < self.profile.forks
        pr = PullRequest(
            number,
            f"feature/{number}" if not fork else "main",
            fork,
            self._start(),
            planned=int(self.rng.geometric(0.55)),
        )
        self.open = [*self.open[-7:], pr]
        self._push(pr, hour)

    def _start(self) -> Commit:
        """Where a branch begins: the default branch, or another branch that somebody still works on."""
        heads = [pr.head for pr in self.open if pr.head is not None and not pr.fork]
        if heads and self.rng.random() < self.profile.stacked:
            return heads[int(self.rng.integers(len(heads)))]
        return self.main

    def _push(self, pr: PullRequest, hour: float) -> None:
        rng, p = self.rng, self.profile
        pr.pushes += 1
        if rng.random() < (0.4 if pr.pushes > 1 else 0.0):
            pr.base = self.main
        pr.breakages = [b for b in pr.breakages if rng.random() > 0.7]
        if pr.pushes <= pr.planned and rng.random() < p.breaks:
            pr.breakages.append(self._breakage(f"change{pr.number}", own=True))
        broken = pr.base.broken | pr.carried()
        pr.head, pr.attempts, pr.run_id = Commit(self.sha(), broken), 0, f"r{next(self.order)}"
        self.check(pr, hour)

    def _breakage(self, where: str, *, own: bool = False) -> Breakage:
        """`own`: of a pull request, which may fail now and then only; on the default branch that is a flaky test."""
        rng, p = self.rng, self.profile
        if p.fragile and rng.random() < p.fragile_share:
            return Breakage(dict([self.fragile[int(rng.integers(len(self.fragile)))]]))
        messages = self._broken_messages(where)
        share = float(rng.uniform(0.3, 0.95)) if own and rng.random() < p.partial else 1.0
        lane = str(rng.choice(p.lanes)) if rng.random() < p.one_lane else ""
        return Breakage({test: Fault(message, share, lane) for test, message in messages.items()})

    def _broken_messages(self, where: str) -> dict[int, str]:
        rng = self.rng
        size = int(rng.choice([1, 1, 1, 2, 3, int(rng.integers(4, 12)), int(rng.integers(10, 60))]))
        first = int(rng.integers(self.base_tests))
        tests = [(first + k) % self.base_tests for k in range(size)]
        style = rng.random()
        if style < 0.35:
            text = f"AttributeError: 'Order' object has no attribute '{where}'"
            return dict.fromkeys(tests, text)
        if style < 0.55:
            text = str(rng.choice(GENERIC))
            return dict.fromkeys(tests, text)
        return {
            test: f"AssertionError: assert result == expected in check_{test % 97 if style < 0.8 else where}"
            for test in tests
        }

    def check(self, pr: PullRequest, hour: float) -> None:
        assert pr.head is not None
        pr.attempts += 1
        if pr.attempts > 1 and self.rng.random() < self.profile.rerun_on_new_base:
            pr.base = self.main
            pr.head = Commit(pr.head.name, pr.base.broken | pr.carried())
        jobs = [
            j for j in self.jobs if not j.nightly and (pr.attempts == 1 or j.name + j.variant in pr.red_jobs)
        ]
        run_id = (
            pr.run_id
            if pr.attempts == 1 or not self.profile.rerun_as_new_run
            else f"{pr.run_id}b{pr.attempts}"
        )
        attempt = 1 if self.profile.rerun_as_new_run else pr.attempts
        known = self.rng.random() < self.profile.base_known
        red, by_chance = [], True
        for job in jobs:
            context = Run(
                run_id=run_id, attempt=attempt, job=job.name, variant=job.variant, commit=pr.head.name, branch=pr.branch,
                base=pr.base.name if known else "", event="pull_request", pr=str(pr.number),
                at=self.at(hour + self.rng.uniform(0, 0.1)), trust=Trust.FORK if pr.fork else Trust.PR,
            )  # fmt: skip
            event = self._execute(job, context, pr.head.broken, hour)
            bad = [t for t, a in event.failures.items() if a[-1] is not None]
            if bad:
                red.append(job.name + job.variant)
                by_chance = by_chance and all(event.causes[t] is not Cause.BROKEN for t in bad)
        pr.red_jobs = tuple(red)
        self._decide(pr, hour, red=bool(red), by_chance=by_chance)

    def _decide(self, pr: PullRequest, hour: float, *, red: bool, by_chance: bool) -> None:
        rng, p = self.rng, self.profile
        if pr.throwaway:
            return
        if not red:
            if pr.pushes < pr.planned:
                self.later(self._working(hour + rng.exponential(5)), lambda h: self._push(pr, h))
            else:
                self.later(self._working(hour + 0.3 + rng.exponential(5)), lambda h: self._merge(pr, h))
        elif pr.attempts < 3 and rng.random() < p.rerun * (1.0 if pr.attempts == 1 else 0.6):
            self.later(hour + rng.uniform(0.15, 1.2), lambda h: self.check(pr, h))
        elif by_chance and rng.random() < p.force:
            self.later(self._working(hour + 0.3 + rng.exponential(4)), lambda h: self._merge(pr, h))
        elif pr.pushes < 8:
            self.later(self._working(hour + 0.3 + rng.exponential(4)), lambda h: self._push(pr, h))

    def _merge(self, pr: PullRequest, hour: float) -> None:
        rng, p = self.rng, self.profile
        assert pr.head is not None
        broken = dict(self.main.broken)
        regression = self._breakage(f"merge{pr.number}") if rng.random() < p.regressions else None
        if p.queue and not pr.fork:
            if not self._passes_queue(pr, regression, hour):
                self.later(self._working(hour + 0.5 + rng.exponential(2)), lambda h: self._merge(pr, h))
                return
            regression = None
        if regression:
            broken |= regression.faults
        self.main = Commit(self.sha(), broken)
        self.merges += 1
        if not pr.fork:
            self.events.append(Merge(pr.branch, pr.head.name, self.main.name, self.at(hour)))
        if regression:
            self._regress(regression, hour)
        if self.merges % p.main_every == 0 or regression:
            self._check_main(self.main, hour + 0.01, 1, None)

    def _regress(self, regression: Breakage, hour: float) -> None:
        """Somebody repairs it later, or takes it back at once - and may try again in some days."""
        rng, p = self.rng, self.profile
        if rng.random() >= p.reverted:
            later = self._working(hour + 0.4 + rng.exponential(p.repair_hours))
            self.later(later, lambda h: self._repair(regression, h))
            return
        self.later(hour + rng.uniform(0.1, 0.7), lambda h: self._repair(regression, h))
        if rng.random() < 0.5:
            again = self._working(hour + rng.uniform(20, 80))
            self.later(again, lambda h: self._land_again(regression, h))

    def _land_again(self, regression: Breakage, hour: float) -> None:
        self.main = Commit(self.sha(), self.main.broken | regression.faults)
        self._check_main(self.main, hour, 1, None)
        self._regress(regression, hour)

    def _passes_queue(self, pr: PullRequest, regression: Breakage | None, hour: float) -> bool:
        """A merge queue tests what the default branch would become, changes queued before included."""
        self.queued = [entry for entry in self.queued if hour - entry[0] < 1.0]
        base = self.queued[-1][1] if self.queued else self.main
        ahead = {t: f for _, _, faults in self.queued for t, f in faults.items()}
        own = regression.faults if regression else {}
        head = Commit(self.sha(), self.main.broken | ahead | pr.carried() | own)
        self.queued.append((hour, head, own | pr.carried()))
        branch = f"gh-readonly-queue/main/pr-{pr.number}-{base.name}"
        run_id, green = f"q{next(self.order)}", True
        known = self.rng.random() < self.profile.base_known
        for job in [j for j in self.jobs if not j.nightly]:
            context = Run(
                run_id=run_id, job=job.name, variant=job.variant, commit=head.name, branch=branch,
                base=base.name if known else "", event="merge_group", pr=str(pr.number),
                at=self.at(hour + self.rng.uniform(0, 0.1)), trust=Trust.PR,
            )  # fmt: skip
            event = self._execute(job, context, head.broken, hour)
            green = green and all(a[-1] is None for a in event.failures.values())
        return green

    def _repair(self, breakage: Breakage, hour: float) -> None:
        broken = {t: m for t, m in self.main.broken.items() if t not in breakage.faults}
        self.main = Commit(self.sha(), broken)
        self._check_main(self.main, hour, 1, None)

    def _check_main(
        self, commit: Commit, hour: float, attempt: int, only: tuple[str, ...] | None, run_id: str = ""
    ) -> None:
        run_id = run_id or f"m{next(self.order)}"
        red = []
        for job in self.jobs:
            if job.nightly or (only is not None and job.name + job.variant not in only):
                continue
            name = run_id if attempt == 1 or not self.profile.rerun_as_new_run else f"{run_id}b{attempt}"
            context = Run(
                run_id=name, attempt=1 if self.profile.rerun_as_new_run else attempt, job=job.name, variant=job.variant,
                commit=commit.name, branch="main", event="push", at=self.at(hour + self.rng.uniform(0, 0.1)),
            )  # fmt: skip
            event = self._execute(job, context, commit.broken, hour)
            if any(a[-1] is not None for a in event.failures.values()):
                red.append(job.name + job.variant)
        if red and attempt < 3 and self.rng.random() < self.profile.rerun_main:
            self.later(
                hour + self.rng.uniform(0.2, 2.0),
                lambda h: self._check_main(commit, h, attempt + 1, tuple(red), run_id),
            )

    def _nightly(self, hour: float) -> None:
        for job in self.jobs:
            if job.nightly:
                context = Run(
                    run_id=f"n{next(self.order)}", job=job.name, variant=job.variant, commit=self.main.name,
                    branch="main", event="schedule", at=self.at(hour),
                )  # fmt: skip
                self._execute(job, context, self.main.broken, hour)

    # -- one report --------------------------------------------------------------------------------

    def _execute(self, job: Job, context: Run, broken: dict[int, Fault], hour: float) -> RunEvent:
        rng = self.rng
        failing: dict[int, tuple[Attempts, Cause]] = {}
        members = set(job.tests.tolist()) if broken else set()
        shift = (int(job.tests[0]) // self.base_tests) * self.base_tests if len(job.tests) else 0
        met = [o for o in self.outages if o.start <= hour < o.end and rng.random() < o.hit]
        for base_id, fault in broken.items():
            if base_id + shift in members and (attempts := self._broken(fault, job)):
                failing[base_id + shift] = (attempts, Cause.BROKEN)
        for outage in met:
            self._strike(job, outage, shift, failing)
        load = self._load(hour)
        for test in self.flaky_ids[id(job)].tolist():
            if test not in failing and (attempts := self._flake(test, hour, load)):
                failing[test] = (attempts, Cause.CHANCE)
        return self._report(job, context, failing, hour)

    def _broken(self, fault: Fault, job: Job) -> Attempts | None:
        rng = self.rng
        if (fault.lane and fault.lane != job.lane) or rng.random() >= fault.share:
            return None
        attempts: list[str | None] = [fault.message]
        while len(attempts) <= self.profile.retries and attempts[-1] is not None:
            attempts.append(fault.message if rng.random() < fault.share else None)
        return tuple(attempts)

    def _strike(
        self, job: Job, outage: Outage, shift: int, failing: dict[int, tuple[Attempts, Cause]]
    ) -> None:
        rng = self.rng
        tests = (
            job.tests.tolist()
            if outage.tests is None
            else [t for t in job.tests.tolist() if t - shift in outage.tests]
        )
        for test in tests:
            if test in failing or rng.random() >= outage.share:
                continue
            text = str(rng.choice(outage.messages)).replace("{n}", str(int(rng.integers(200))))
            attempts: list[str | None] = [text]
            while len(attempts) <= self.profile.retries and attempts[-1] is not None:
                attempts.append(None if rng.random() < outage.passing else text)
            failing[test] = (tuple(attempts), Cause.OUTAGE)

    def _flake(self, test: int, hour: float, load: float) -> Attempts | None:
        rng, flake = self.rng, self.flakes[test]
        if rng.random() >= flake.chance(hour, load, rng):
            return None
        attempts: list[str | None] = [self._flake_message(flake)]
        while len(attempts) <= self.profile.retries and attempts[-1] is not None:
            attempts.append(self._flake_message(flake) if rng.random() < flake.sticky else None)
        return tuple(attempts)

    def _flake_message(self, flake: Flake) -> str:
        if self.rng.random() < self.profile.silent:
            return ""
        return str(self.rng.choice(flake.messages))

    def _report(
        self, job: Job, context: Run, failing: dict[int, tuple[Attempts, Cause]], hour: float
    ) -> RunEvent:
        ids = job.tests
        if self.renamed and hour >= self.rename_at:
            ids, failing = self._under_new_names(ids, failing)
        for test in ids.tolist():
            self.truths[test].executions += 1
        for test, (_, cause) in failing.items():
            truth = self.truths[test]
            if cause is Cause.CHANCE:
                truth.chance_failures.append(hour)
            elif cause is Cause.BROKEN:
                truth.broken_failures += 1
            else:
                truth.outage_failures += 1
        event = RunEvent(
            context, ids, {t: a for t, (a, _) in failing.items()}, {t: c for t, (_, c) in failing.items()}
        )
        self.events.append(event)
        return event

    def _under_new_names(self, ids, failing):
        offset = self.base_tests * len(self.profile.variants)
        for test in ids.tolist():
            if test % self.base_tests in self.renamed and test + offset not in self.truths:
                old = self.truths[test]
                self.truths[test + offset] = Truth(old.kind, old.rate, old.since, old.until)
                old.until = min(old.until, self.rename_at)
                key = self.keys[test]
                self.keys[test + offset] = TestKey(
                    key.suite, key.class_name, key.name + "_renamed", key.file, key.variant
                )
        name = lambda t: t + offset if t % self.base_tests in self.renamed else t  # noqa: E731
        return np.array(sorted(name(t) for t in ids.tolist())), {name(t): f for t, f in failing.items()}

    def sha(self) -> str:
        return self.rng.bytes(20).hex()
