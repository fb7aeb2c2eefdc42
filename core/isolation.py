"""How alone a failure was: one test failing by itself is chance or its own fault, twenty at once are not."""

from collections.abc import Sequence

from core.detection_state import ProjectState
from core.evidence import Bucket
from core.ledger import DAY, Episode, Execution, Failure, Ledger
from core.surroundings import Outage
from core.thresholds import Thresholds

HOUR = 3_600
INCIDENT = 12 * HOUR
SIGNATURE_LASTS = 48 * HOUR
ALIKE_WITHIN = 2 * HOUR
ALIKE_TESTS = 3
FEW = 3
"""A proof counts as this test's own when so few failed with it."""
SOME = 12


def bucket_of(state: ProjectState, test_id: int, failure: Failure, t: Thresholds) -> tuple[Bucket, int]:
    """The isolation of a failure, and how many tests freshly failed with it (itself included)."""
    first = origin(state.suspects[test_id].live, failure)
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
    if weight > 0.8:
        return Bucket.ALONE
    return Bucket.SMALL if weight > 0.3 else Bucket.GROUP


def company(state: ProjectState, test_id: int, failure: Failure, t: Thresholds) -> tuple[int, bool]:
    """Tests that freshly failed in the same workflow run, and whether that makes a mass failure."""
    facts = failure.facts
    fresh_peers = sum(is_fresh(state, peer, facts.group) for peer in facts.peers)
    if fresh_peers and facts.failing - 1 > len(facts.peers):
        fresh_peers = round(fresh_peers * (facts.failing - 1) / len(facts.peers))
    mass = is_mass(1 + fresh_peers, facts.tests, t)
    others = state.by_group.get(facts.group, set()) - {test_id, *facts.peers}
    fresh_others = sum(is_fresh(state, other, facts.group) for other in others)
    return 1 + fresh_peers + fresh_others, mass


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
    suspect = state.suspects.get(test_id)
    if suspect is None:
        return True
    version, known = state.fresh.get(test_id, (-1, {}))
    if version != suspect.facts_version:
        known = _freshness(state, suspect.live)
        state.fresh[test_id] = (suspect.facts_version, known)
    return known.get(group, True)


def _freshness(state: ProjectState, ledger: Ledger) -> dict[int, bool]:
    fresh: dict[int, bool] = {}
    for failure in ledger.failures:
        mine = not (_already_red(state, ledger, failure) or _known_flaky_before(ledger, failure))
        fresh[failure.facts.group] = fresh.get(failure.facts.group, False) or mine
    return fresh


def _already_red(state: ProjectState, ledger: Ledger, failure: Failure) -> bool:
    if origin(ledger, failure) is not failure:
        return True
    return not failure.execution.trunk and red_at_base(state, ledger, failure)


def origin(ledger: Ledger, failure: Failure) -> Failure:
    """The failure that began this red stretch of the branch: later ones are as alone as it was."""
    first = failure
    for earlier in reversed(ledger.failures):
        if earlier.execution.order >= first.execution.order or not _red_until(ledger, earlier, first):
            continue
        first = earlier
    return first


def _red_until(ledger: Ledger, earlier: Failure, later: Failure) -> bool:
    a, b = earlier.execution, later.execution
    if a.branch != b.branch or a.passed:
        return False
    if a.trunk:
        episode = episode_of(ledger, earlier)
        return episode is not None and episode is episode_of(ledger, later)
    return not (0 < earlier.same_pass_at <= later.at) and not (0 < earlier.next_push_at <= later.at)


def _known_flaky_before(ledger: Ledger, failure: Failure) -> bool:
    """By facts alone (not by verdicts), so that isolation never depends on itself."""
    proofs = [
        f
        for f in ledger.failures
        if f.proven_at
        and f.proven_at <= failure.at
        and f.at < failure.at - INCIDENT
        and f.facts.failing <= SOME
    ]
    return any(f.facts.failing <= FEW for f in proofs) or len({f.at // DAY for f in proofs}) > 1


def episode_of(ledger: Ledger, failure: Failure) -> Episode | None:
    """The default-branch breakage a failure belongs to."""
    e = failure.execution
    if not e.trunk or e.passed:
        return None
    for episode in reversed(ledger.episodes):
        if episode.lane == e.lane and episode.first_at <= e.at <= episode.last_at:
            return episode
    return None


def red_at_base(state: ProjectState, ledger: Ledger, failure: Failure) -> bool:
    """The default branch already failed this test where the change started from (or may have)."""
    base = failure.execution.base
    place = state.surroundings.place(base) if base else None
    if place is None:
        return any(_may_be_red(episode, failure.at) for episode in ledger.episodes)
    return any(_red_at(state, episode, base, place) for episode in ledger.episodes)


LINGERS = 24 * HOUR
"""A change without a known base may still carry a breakage repaired on the default branch this long ago."""


def _may_be_red(episode: Episode, at: int) -> bool:
    if episode.disproven:
        return False
    lingers = LINGERS if episode.commits > 1 else 0
    return episode.first_at <= at and (episode.open or at < episode.end_at + lingers)


def _red_at(state: ProjectState, episode: Episode, base: int, place: int) -> bool:
    """Commits between the last good one and the first bad one that did not run this test count as bad."""
    if episode.disproven or base == episode.good_commit or base == episode.end_commit:
        return False
    if base in {episode.first_commit, episode.last_commit}:
        return True
    commits = state.surroundings.commits
    good = commits.get(episode.good_commit, episode.good_at) if episode.good_commit else episode.first_at - 1
    end = commits.get(episode.end_commit, episode.end_at)
    return good < place and (episode.open or place < end)


def _takes_down_many(state: ProjectState, failure: Failure) -> bool:
    """One message for several tests at once is one cause outside of them."""
    if failure.facts.alike >= ALIKE_TESTS:
        return True
    signature = failure.facts.fingerprint
    if not signature or len(state.by_signature.get(signature, ())) < ALIKE_TESTS:
        return False
    near = state.alike_since(signature, failure.at - ALIKE_WITHIN, failure.at + ALIKE_WITHIN)
    return sum(1 for _ in near) >= ALIKE_TESTS


def _infra_signature(state: ProjectState, failure: Failure, t: Thresholds) -> bool:
    """The fingerprint was part of a mass failure not long ago."""
    return any(
        abs(outage.at - failure.at) <= SIGNATURE_LASTS
        and failure.facts.fingerprint in outage.signatures
        and outage_is_mass(state, outage, t)
        for outage in state.surroundings.outages.values()
    )


def outage_is_mass(state: ProjectState, outage: Outage, t: Thresholds) -> bool:
    fresh = sum(is_fresh(state, test_id, outage.group) for test_id in outage.sample)
    if len(outage.sample) < outage.failing:
        fresh = round(fresh * outage.failing / len(outage.sample))
    return is_mass(fresh, outage.tests, t)
