"""The kinds of team the benchmark simulates."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Profile:
    """One way of working; rates are per working day unless said."""

    name: str
    days: int = 56
    tests: int = 600
    flaky_share: float = 0.04
    pull_requests: float = 8.0
    """Opened per working day."""
    jobs: int = 2
    variants: tuple[str, ...] = ("",)
    shards: int = 1
    retries: int = 0
    """Further attempts of a failing test within a run."""
    rerun: float = 0.5
    """Chance that somebody re-runs a red pull request before changing it."""
    rerun_main: float = 0.3
    rerun_as_new_run: bool = False
    """A re-run is another run of the same commit, not another attempt of the same run."""
    base_known: float = 1.0
    breaks: float = 0.25
    """Chance that a push of a pull request breaks tests."""
    regressions: float = 0.03
    """Chance that a merge breaks the default branch although its own runs were green."""
    repair_hours: float = 10.0
    force: float = 0.15
    """Chance that a red pull request is merged anyway when its author believes in chance."""
    main_every: int = 1
    """The default branch is tested on every n-th merge."""
    outages: float = 0.05
    """Per day; half of them partial."""
    nightly_share: float = 0.0
    """Tests that run only at night, on the default branch."""
    nightly: bool = False
    """The whole suite runs each night on the default branch."""
    generic_messages: float = 0.25
    """Share of failures whose message many tests have in common."""
    silent: float = 0.02
    """Share of failures without a message."""
    renames: float = 0.0
    """Share of tests renamed half-way: their history begins anew."""
    forks: float = 0.0
    """Share of pull requests that come from forks."""
    lanes: tuple[str, ...] = ("",)
    """A matrix told by job names only: the same test runs in each of them."""
    one_lane: float = 0.0
    """Share of faults that show in one of these jobs only."""
    partial: float = 0.0
    """Share of broken pull requests that fail now and then instead of always."""
    fragile: int = 0
    """Healthy tests that honest changes break often, always with the same words: snapshots, schemas, licences."""
    fragile_share: float = 0.5
    """Share of broken changes that break one of them."""
    stacked: float = 0.0
    """Share of branches that begin on another open branch, faults included."""
    queue: bool = False
    """A merge queue tests every merge together with those before it."""
    reverted: float = 0.0
    """Share of regressions taken back within an hour, every second of them tried again days later."""
    rerun_on_new_base: float = 0.0
    """Chance that a re-run of the same commit starts from the default branch as it is by then."""
    neighbours: float = 0.0
    """Small services that fail for hours, per day: two or three tests feel each, later others."""
    releases: float = 0.0
    """Outside releases that break a test everywhere until they are taken back, per day; no commit is at fault."""
    calendar: int = 0
    """Healthy tests that cannot stand certain days, as the last of a month."""
    bumps: float = 0.0
    """Robots that try a broken dependency on several branches one after the other, per day."""


_BASE = Profile("base")

PROFILES = (
    replace(_BASE, name="retries", retries=2, rerun=0.25, pull_requests=8),
    replace(_BASE, name="reruns", rerun=0.7, rerun_main=0.5),
    replace(_BASE, name="plain", rerun=0.0, rerun_main=0.0, pull_requests=10, force=0.4, tests=500),
    replace(_BASE, name="matrix", variants=("linux", "macos", "windows"), jobs=1, tests=250, rerun=0.5, pull_requests=6),
    replace(_BASE, name="shards", shards=6, jobs=1, retries=1, tests=900, rerun_as_new_run=True, forks=0.1),
    replace(_BASE, name="small-slow", tests=160, pull_requests=1.3, jobs=1, rerun=0.6, repair_hours=30, flaky_share=0.08, days=84, nightly=True),
    replace(_BASE, name="outages", outages=0.5, rerun=0.6, retries=1, generic_messages=0.4),
    replace(_BASE, name="nightly", nightly=True, nightly_share=0.25, rerun=0.35, pull_requests=5, base_known=0.5, renames=0.03),
    replace(_BASE, name="breaking", tests=400, pull_requests=6, breaks=0.5, regressions=0.12, rerun=0.5, repair_hours=16, base_known=0.8, force=0.3),
    replace(_BASE, name="monorepo", tests=2000, pull_requests=16, jobs=3, retries=1, main_every=3, flaky_share=0.025, days=28, rerun=0.35),
    replace(_BASE, name="fragile", fragile=4, breaks=0.35, rerun=0.4, regressions=0.05, reverted=0.3),
    replace(_BASE, name="fragile-plain", fragile=4, breaks=0.35, rerun=0.0, rerun_main=0.0, force=0.3, pull_requests=10, tests=500),
    replace(_BASE, name="old-bases", base_known=0.0, main_every=3, rerun=0.6, rerun_on_new_base=0.8, regressions=0.1, reverted=0.4, repair_hours=6),
    replace(_BASE, name="outside", neighbours=0.35, releases=0.08, calendar=3, rerun=0.6, retries=1, outages=0.15),
    replace(_BASE, name="queue", queue=True, stacked=0.25, bumps=0.1, regressions=0.1, rerun=0.4, base_known=0.8, pull_requests=5),
    replace(_BASE, name="lanes", lanes=("linux", "windows", "arm"), one_lane=0.5, jobs=1, tests=300, partial=0.4, regressions=0.06, rerun=0.5, pull_requests=6),
)  # fmt: skip

BY_NAME = {profile.name: profile for profile in PROFILES}
