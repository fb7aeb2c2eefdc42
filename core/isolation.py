"""How alone a failure was: one test failing by itself is chance or its own fault, twenty at once are not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.detection_state import ProjectState
from core.evidence import Bucket
from core.known import Reading, gone_from
from core.ledger import DAY, EPISODES_KEPT, FEW, INCIDENT, Episode, Execution, Failure, FailureFacts, Ledger
from core.surroundings import Outage
from core.thresholds import Thresholds

HOUR = 3_600
SIGNATURE_LASTS = 48 * HOUR
ALIKE_WITHIN = 2 * HOUR
ALIKE_TESTS = 3
FAR = 1 << 60
NEARLY_ALONE, HARDLY_ALONE = 0.8, 0.3
SOME = 12
_USUAL = Thresholds()
"""Facts about facts do not depend on a project's policy, so that they can be kept."""


def isolation(
    state: ProjectState, test_id: int, failure: Failure, first: Failure, t: Thresholds
) -> tuple[Bucket, int]:
    """How alone a failure was, and how many tests freshly failed with it (itself included)."""
    fellows, mass = company(state, test_id, failure, t)
    if first is not failure:
        earlier, was_mass = company(state, test_id, first, t)
        fellows, mass = max(fellows, earlier), mass or was_mass
    if mass or (failure.facts.fingerprint and _infra_signature(state, failure, t)):
        return Bucket.MASS, fellows
    bucket = _bucket(fellows)
    if bucket in {Bucket.ALONE, Bucket.SMALL} and _takes_down_many(state, failure):
        return Bucket.GROUP, fellows
    return bucket, fellows


def _bucket(fellows: int) -> Bucket:
    weight = min(1.0, (2 / fellows) ** 1.5)
    if weight > NEARLY_ALONE:
        return Bucket.ALONE
    return Bucket.SMALL if weight > HARDLY_ALONE else Bucket.GROUP


def company(state: ProjectState, test_id: int, failure: Failure, t: Thresholds) -> tuple[int, bool]:
    """Tests that freshly failed in the same workflow run, and whether that makes a mass failure."""
    facts = failure.facts
    report, group = fresh_in_report(state, failure), _fresh_in_group(state, facts.group)
    in_report = 1 + len(report - {test_id})
    if 0 < len(facts.peers) < facts.failing:
        in_report = max(in_report, round(len(report) * facts.failing / len(facts.peers)))
    elsewhere = len(group - report - {test_id} - set(facts.peers))
    return in_report + elsewhere, is_mass(in_report, facts.tests, t)


def fresh_in_report(state: ProjectState, failure: Failure) -> frozenset[int]:
    key, group = failure.execution.key, failure.facts.group
    known = state.fresh_in_reports.setdefault(group, {}).get(key)
    if known is None:
        known = frozenset(peer for peer in failure.facts.peers if is_fresh(state, peer, group))
        state.fresh_in_reports[group][key] = known
    return known


def _fresh_in_group(state: ProjectState, group: int) -> frozenset[int]:
    known = state.fresh_in_group.get(group)
    if known is None:
        members = state.by_group.get(group, ())
        known = state.fresh_in_group[group] = frozenset(m for m in members if is_fresh(state, m, group))
    return known


def fresh_failures(
    state: ProjectState, place: Execution, failing: Sequence[int], t: Thresholds
) -> tuple[int, bool]:
    """Fresh failures of one report, and whether they make a mass failure."""
    facts = next((f.facts for test in failing if (f := state.suspects[test].failure_at(place))), None)
    if facts is None:
        return 0, False
    fresh = sum(is_fresh(state, test, facts.group) for test in failing)
    return fresh, is_mass(fresh, facts.tests, t)


def is_mass(fresh: int, tests: int, t: Thresholds) -> bool:
    return fresh >= t.mass_failures and fresh >= t.mass_share * tests


def is_fresh(state: ProjectState, test_id: int, group: int) -> bool:
    """The test was neither red already nor known to be flaky when this workflow run made it fail."""
    return test_id not in state.suspects or reading(state, test_id).fresh.get(group, True)


def reading(state: ProjectState, test_id: int) -> Reading:
    """What a test's own facts say of its failures; kept until `reread`."""
    known = state.readings.get(test_id)
    return known if known is not None else _read_anew(state, test_id)


def _read_anew(state: ProjectState, test_id: int) -> Reading:
    known = _read(state, state.suspects[test_id].live, state.readings.get(test_id))
    state.readings[test_id] = known
    return known


def reread(state: ProjectState, test_id: int) -> set[int]:
    """Read a test's changed facts; gives the workflow runs of which others must now think differently."""
    before = state.readings.get(test_id)
    after = _read_anew(state, test_id)
    told = before.fresh if before else {}
    changed = {group for group, _ in told.items() ^ after.fresh.items()}
    for group in changed:
        state.forget_group(group)
    return changed


def _read(state: ProjectState, ledger: Ledger, before: Reading | None) -> Reading:
    """Mostly a failure has come and perhaps the oldest has gone: what was read of the others is carried over."""
    failures, known_from = tuple(ledger.failures), _known_from(ledger)
    gone = gone_from(before.failures, failures) if before else 0
    kept = len(before.failures) - gone if before else 0
    new = failures[kept:]
    trunk_only = (not (before and kept) or before.trunk_only) and not any(f.execution.branch for f in new)
    base_red = [False] * len(failures) if trunk_only else red_bases(state, ledger)
    after = Reading(failures, (), tuple(base_red), {}, known_from, trunk_only)
    if before and kept and _goes_on(before, after, gone) and len(ledger.episodes) < EPISODES_KEPT:
        fresh = dict(before.fresh)
        for failure in before.failures[:gone]:
            del fresh[failure.facts.group]
        return _read_on(ledger, after, [origin - gone for origin in before.origins[gone:]], fresh)
    return _read_on(ledger, after, [], {})


def _goes_on(before: Reading, after: Reading, gone: int) -> bool:
    """Nothing that was read of the failures that are still there can be another now."""
    kept = len(before.failures) - gone
    return (
        after.known_from == before.known_from
        and after.base_red[:kept] == before.base_red[gone:]
        and min(before.origins[gone:]) >= gone
        and (gone == 0 or len(before.fresh) == len(before.failures))
        and all(_adds_nothing(failure, after.failures[kept - 1]) for failure in after.failures[kept:])
    )


def _adds_nothing(new: Failure, last: Failure) -> bool:
    """To what came before it. A red default branch may turn out to have been red all along since an earlier failure."""
    e = new.execution
    return new.at > last.at and (e.branch != 0 or e.passed)


def _read_on(ledger: Ledger, begun: Reading, origins: list[int], fresh: dict[int, bool]) -> Reading:
    """Read the failures for which there is no origin yet."""
    failures = begun.failures
    for index in range(len(origins), len(failures)):
        failure = failures[index]
        origins.append(_origin(ledger, failures, index, origins))
        mine = origins[index] == index and not begun.base_red[index] and failure.at < begun.known_from
        fresh[failure.facts.group] = mine or fresh.get(failure.facts.group, False)
    return replace(begun, origins=tuple(origins), fresh=fresh)


def _origin(ledger: Ledger, failures: Sequence[Failure], index: int, origins: Sequence[int]) -> int:
    """The failure that began the red stretch of its branch: later ones are as alone as that one was."""
    e = failures[index].execution
    for previous in range(index - 1, -1, -1):
        other = failures[previous].execution
        if other.branch == e.branch and (e.branch or other.lane == e.lane):
            return origins[previous] if _red_until(ledger, failures[previous], failures[index]) else index
    return index


def _red_until(ledger: Ledger, earlier: Failure, later: Failure) -> bool:
    a, b = earlier.execution, later.execution
    if a.passed or a.branch != b.branch:
        return False
    if a.trunk:
        episode = episode_of(ledger, earlier)
        return episode is not None and episode is episode_of(ledger, later)
    return not (0 < earlier.same_pass_at <= later.at) and not (0 < earlier.next_push_at <= later.at)


def _known_from(ledger: Ledger) -> int:
    """Since when the test was known to be flaky: half a day after one proof nearly by itself, or proofs on two days.

    By facts alone, not by verdicts, so that isolation never depends on itself.
    """
    since = ledger.known_since or FAR
    days: dict[int, int] = {}
    for failure in ledger.failures:
        at, proven = failure.execution.at, failure.proven_at
        if at + INCIDENT >= since:
            break
        if proven and _own(failure.facts):
            told = max(at + INCIDENT + 1, proven)
            days[at // DAY] = min(told, days.get(at // DAY, FAR))
            if failure.facts.failing <= FEW:
                since = min(since, told)
            elif len(days) > 1:
                since = min(since, sorted(days.values())[1])
    return since


def _own(facts: FailureFacts) -> bool:
    return facts.failing <= SOME and not is_mass(facts.failing, facts.tests, _USUAL)


def episode_of(ledger: Ledger, failure: Failure) -> Episode | None:
    """The default-branch breakage a failure belongs to."""
    e = failure.execution
    if not e.trunk or e.passed:
        return None
    for episode in reversed(ledger.episodes):
        if episode.lane == e.lane and episode.first_at <= e.at <= episode.last_at:
            return episode
    return None


LINGERS = 24 * HOUR
"""A change without a known base may still carry a breakage repaired on the default branch this long ago."""


RECURS = 3
RECURS_SILENTLY = 6
"""Without a message to go by, more is asked."""


def recurrent(ledger: Ledger) -> frozenset[int]:
    """Fingerprints of breakages that came and went so often that they are none.

    Nobody repairs the same thing again and again within weeks.
    """
    times: Counter[int] = Counter()
    until: dict[int, int] = {}
    for e in sorted((e for e in ledger.episodes if not e.open), key=lambda e: e.first_at):
        # One breakage seen in several jobs is one.
        times[e.fingerprint] += e.first_at > until.get(e.fingerprint, 0)
        until[e.fingerprint] = max(e.end_at, until.get(e.fingerprint, 0))
    return frozenset(f for f, count in times.items() if count >= (RECURS if f else RECURS_SILENTLY))


def red_bases(state: ProjectState, ledger: Ledger) -> list[bool]:
    """For each failure: had the default branch failed this test where the change started from (or may it)?"""
    if not ledger.episodes:
        return [False] * len(ledger.failures)
    chance = recurrent(ledger)
    spans = [
        _span(state, episode)
        for episode in ledger.episodes
        if not episode.disproven and episode.fingerprint not in chance
    ]
    return [
        not f.execution.trunk and _red_base(state, spans, f.execution.base, f.at) for f in ledger.failures
    ]


@dataclass(frozen=True, slots=True)
class _Span:
    """Where on the default branch a breakage lies.

    Commits between the last good one and the first bad one that did not run this test count as bad.
    """

    episode: Episode
    good_place: int
    end_place: int
    green: tuple[int, int]
    red: tuple[int, int]


def _span(state: ProjectState, e: Episode) -> _Span:
    commits = state.surroundings.commits
    return _Span(
        episode=e,
        good_place=commits.get(e.good_commit, e.good_at) if e.good_commit else e.first_at - 1,
        end_place=FAR if e.open else commits.get(e.end_commit, e.end_at),
        green=(e.good_commit, e.end_commit),
        red=(e.first_commit, e.last_commit),
    )


def _red_base(state: ProjectState, spans: Sequence[_Span], base: int, at: int) -> bool:
    place = state.surroundings.place(base) if base else None
    if place is None:
        return any(_may_be_red(span.episode, at) for span in spans)
    return any(
        base not in span.green and (base in span.red or span.good_place < place < span.end_place)
        for span in spans
    )


def _may_be_red(episode: Episode, at: int) -> bool:
    lingers = LINGERS if episode.commits > 1 else 0
    return episode.first_at <= at and (episode.open or at < episode.end_at + lingers)


def _takes_down_many(state: ProjectState, failure: Failure) -> bool:
    """One message for several tests at once is one cause outside of them."""
    if failure.facts.alike >= ALIKE_TESTS:
        return True
    signature = failure.facts.fingerprint
    if not signature:
        return False
    near = state.alike(signature, failure.at - ALIKE_WITHIN, failure.at + ALIKE_WITHIN, most=ALIKE_TESTS)
    return len(near) >= ALIKE_TESTS


def _infra_signature(state: ProjectState, failure: Failure, t: Thresholds) -> bool:
    """The fingerprint was part of a mass failure not long ago."""
    return any(
        abs(outage.at - failure.at) <= SIGNATURE_LASTS and outage_is_mass(state, outage, t)
        for outage in state.surroundings.outages_saying(failure.facts.fingerprint)
    )


def outage_is_mass(state: ProjectState, outage: Outage, t: Thresholds) -> bool:
    known = state.fresh_in_reports.setdefault(outage.group, {})
    fresh = known.get(~outage.key)  # apart from the sample its failing tests carry
    if fresh is None:
        fresh = frozenset(test for test in outage.sample if is_fresh(state, test, outage.group))
        known[~outage.key] = fresh
    count = len(fresh)
    if len(outage.sample) < outage.failing:
        count = round(count * outage.failing / len(outage.sample))
    return is_mass(count, outage.tests, t)
