"""Name every failure by what the world has answered to it: the classes of docs/detection.md."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from core.belief import NEGLIGIBLE
from core.detection_state import ProjectState, Reading
from core.evidence import Bucket, Evidence, EvidenceClass, QTable
from core.isolation import ECHOES_WITHIN, HOUR, bucket_of, episode_of, fresh_in_report, reading, recurrent
from core.ledger import DAY, INCIDENT, Failure, Ledger
from core.thresholds import Thresholds

ONE_CAUSE = 4 * HOUR
LOOSELY_ONE_CAUSE = 36 * HOUR
"""Changes whose base is unknown may have inherited the same breakage so long, a night and a morning included."""
BREAK_COMMITS = 3
SHORT_COMMITS = 2
BREAK_REACHES_BACK = 2 * DAY
BREAK_REACHES_ON = 7 * DAY
"""Changes that started from a broken commit keep failing for some days after the repair."""

C = EvidenceClass


@dataclass(frozen=True, slots=True)
class Places:
    """Failures with one fingerprint that no change explains, and in how many unrelated places they happened."""

    keys: frozenset[int]
    count: int
    support: float
    """How much more often a flaky test fails in these places and ways than a test that honest changes break."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """One test's facts and what was worked out from them."""

    state: ProjectState
    test_id: int
    ledger: Ledger
    buckets: Sequence[Bucket]
    base_red: Sequence[bool]
    proofs: frozenset[int]
    places: Mapping[int, Places]
    recurrent: frozenset[int]
    q_table: QTable


def evidence_of(state: ProjectState, test_id: int, t: Thresholds, q_table: QTable) -> list[Evidence]:
    """All failures still remembered, classified, oldest first."""
    ledger = state.suspects[test_id].live
    isolation = [bucket_of(state, test_id, i, t) for i in range(len(ledger.failures))]
    buckets = [bucket for bucket, _ in isolation]
    read = reading(state, test_id)
    recurring = recurrent(ledger)
    desk = _Desk(
        state,
        test_id,
        ledger,
        buckets,
        read.base_red,
        _proven(ledger, buckets, read.base_red),
        _places(state, ledger, read, recurring),
        recurring,
        q_table,
    )
    return [_piece(desk, index, fellows) for index, (_, fellows) in enumerate(isolation)]


def _piece(desk: _Desk, index: int, fellows: int) -> Evidence:
    failure, bucket, kind = desk.ledger.failures[index], desk.buckets[index], _class_of(desk, index)
    e = failure.execution
    return Evidence(
        at=e.at,
        kind=kind,
        bucket=bucket,
        q=_chance(desk, failure, kind, bucket),
        run=e.run,
        answer_run=_answer_run(failure, kind),
        commit=failure.facts.commit_name,
        branch=e.branch,
        fellows=fellows,
        fingerprint=failure.facts.fingerprint,
        peers=fresh_in_report(desk.state, failure) - {desk.test_id},
        passed_after=failure.pass_after_at,
        echoed=_echoed(desk.state, failure),
        loose=not (e.trunk or failure.retried or desk.state.surroundings.place(e.base)),
    )


def _echoed(state: ProjectState, failure: Failure) -> bool:
    signature, at = failure.facts.fingerprint, failure.at
    return bool(signature) and len(state.alike(signature, at - ECHOES_WITHIN, at + ECHOES_WITHIN, most=1)) > 1


def _chance(desk: _Desk, failure: Failure, kind: EvidenceClass, bucket: Bucket) -> float:
    """What the table says; for one message in several places, what the places and ways add to it."""
    q = desk.q_table[kind][bucket]
    if kind is not C.CROSS_BRANCH or not 0 < q < 1:
        return q
    odds = q / (1 - q) * desk.places[failure.facts.fingerprint].support
    q = odds / (1 + odds)
    return q if q >= SURE else q * SHARED_DOUBT


def _answer_run(failure: Failure, kind: EvidenceClass) -> int:
    match kind:
        case C.RETRY_PASS:
            return failure.execution.run
        case C.RERUN_PASS:
            return failure.same_pass_run
        case C.PASS_THEN_FAIL:
            return failure.prior_pass_run
        case C.NEXT_PUSH_PASS:
            return failure.next_push_run
        case _:
            return failure.trunk_pass_run


def _class_of(desk: _Desk, index: int) -> EvidenceClass:
    """Same-commit proof outranks everything, a red base everything but proof; else the best that applies."""
    failure, bucket = desk.ledger.failures[index], desk.buckets[index]
    if failure.retried:
        return C.RETRY_PASS
    if desk.base_red[index]:
        return C.BASE_RED
    if failure.same_pass_at:
        return C.RERUN_PASS
    if in_known_break(desk.ledger, failure, desk.recurrent):
        return C.KNOWN_BREAK
    candidates = [_own_class(desk.ledger, failure), *_answers(desk, failure)]
    return max(candidates, key=lambda kind: _chance(desk, failure, kind, bucket))


def _answers(desk: _Desk, failure: Failure) -> Iterator[EvidenceClass]:
    if failure.facts.fingerprint in desk.proofs:
        yield C.KNOWN_SIGNATURE
    places = desk.places.get(failure.facts.fingerprint)
    if places and places.count > 1 and failure.execution.key in places.keys:
        yield C.CROSS_BRANCH
    if not failure.execution.trunk and _merged_green(desk.state, desk.ledger, failure):
        yield C.MERGED_GREEN
    if failure.prior_pass_run >= 0:
        yield C.PASS_THEN_FAIL


def _own_class(ledger: Ledger, failure: Failure) -> EvidenceClass:
    if not failure.execution.trunk:
        return C.NEXT_PUSH_PASS if failure.next_push_at else C.PR_OPEN
    episode = episode_of(ledger, failure)
    if episode is None or episode.open:
        return C.MAIN_OPEN
    return C.MAIN_BLIP if episode.commits == 1 else C.MAIN_SHORT


def in_known_break(ledger: Ledger, failure: Failure, recurring: frozenset[int]) -> bool:
    """It belongs to a breakage of the default branch, or says what such a breakage said at the time."""
    signature = failure.facts.fingerprint
    if signature in recurring:
        return False
    mine = episode_of(ledger, failure)
    if mine is not None and mine.commits >= BREAK_COMMITS:
        return True
    return bool(signature) and any(
        episode.commits >= BREAK_COMMITS
        and episode.fingerprint == signature
        and episode.first_at - BREAK_REACHES_BACK <= failure.at
        and (episode.open or failure.at <= episode.end_at + BREAK_REACHES_ON)
        for episode in ledger.episodes
    )


def _proven(ledger: Ledger, buckets: Sequence[Bucket], base_red: Sequence[bool]) -> frozenset[int]:
    """Fingerprints with which this test failed and passed on the same commit, by itself."""
    return frozenset(
        failure.facts.fingerprint
        for failure, bucket, red in zip(ledger.failures, buckets, base_red, strict=True)
        if failure.facts.fingerprint
        and bucket in {Bucket.ALONE, Bucket.SMALL}
        and (failure.retried or (failure.same_pass_at and not red))
    )


def _places(
    state: ProjectState, ledger: Ledger, read: Reading, recurring: frozenset[int]
) -> dict[int, Places]:
    """Failures by fingerprint that their own change does not explain: green base, seen green since."""
    stretches = Counter(read.origins)
    found: dict[int, list[Failure]] = {}
    for index, failure in enumerate(ledger.failures):
        signature = failure.facts.fingerprint
        if not signature or not failure.trunk_pass_at or read.base_red[index]:
            continue
        alone = stretches[read.origins[index]] == 1
        if signature in recurring or _unexplained(ledger, failure, alone=alone):
            found.setdefault(signature, []).append(failure)
    return {
        signature: _counted(
            ledger,
            failures,
            RECURS_BY_CHANCE if signature in recurring else _support(state, ledger, read, signature),
        )
        for signature, failures in found.items()
    }


SURE, SHARED_DOUBT = 0.85, 0.2
"""All places of one message share one doubt, so their number must not talk it away."""
MORE_PLACES = 1.5
ON_TRUNK, SHORT_ON_TRUNK, OFF_TRUNK, MERGED = 6.0, 0.7, 0.75, 4.0
FAILED_AGAIN, PUSH_AFTER_PUSH, GREEN_NEXT = 0.25, 0.3, 1.3
"""Chance does not care for branches and seldom strikes twice in a row; a fault stays on its branch until repaired."""


RECURS_BY_CHANCE = 50.0
"""Nobody breaks and repairs the same thing on the default branch again and again."""


def _support(state: ProjectState, ledger: Ledger, read: Reading, signature: int) -> float:
    """Likelihood ratio of chance to honest breakage over the red stretches that show this message."""
    stretches: dict[int, list[Failure]] = {}
    for index, failure in enumerate(ledger.failures):
        if not read.base_red[index]:
            stretches.setdefault(read.origins[index], []).append(failure)
    said = [s for s in stretches.values() if any(f.facts.fingerprint == signature for f in s)]
    return prod(_support_of(state, ledger, stretch) for stretch in _once_on_trunk(said))


def _once_on_trunk(stretches: Sequence[Sequence[Failure]]) -> Iterator[Sequence[Failure]]:
    """What several jobs of the default branch say at the same time is one thing."""
    heard = -INCIDENT
    for stretch in sorted(stretches, key=lambda s: s[0].at):
        first = stretch[0]
        if not first.execution.trunk:
            yield stretch
        elif first.at - heard > ONE_CAUSE:
            heard = first.at
            yield stretch


def _support_of(state: ProjectState, ledger: Ledger, stretch: Sequence[Failure]) -> float:
    first = stretch[0]
    if first.execution.trunk:
        episode = episode_of(ledger, first)
        return ON_TRUNK if episode is None or episode.commits == 1 else SHORT_ON_TRUNK
    if any(_merged_green(state, ledger, f) for f in stretch):
        return MERGED
    ways = OFF_TRUNK
    if any(f.failed_again and not f.same_pass_at for f in stretch):
        ways *= FAILED_AGAIN
    if len({f.execution.commit for f in stretch}) > 1:
        return ways * PUSH_AFTER_PUSH
    return ways * GREEN_NEXT if first.next_push_at else ways


def _unexplained(ledger: Ledger, failure: Failure, *, alone: bool) -> bool:
    """A change that fails a test push after push has broken it, whatever other changes did."""
    if not 0 < ledger.first_trunk_pass_at < failure.at:
        return False
    if not failure.execution.trunk:
        return alone
    episode = episode_of(ledger, failure)
    return episode is None or (not episode.open and episode.commits <= SHORT_COMMITS)


def _counted(ledger: Ledger, failures: Sequence[Failure], support: float) -> Places:
    """Other branches, or the default branch at other times, each with a pass since the one before."""
    counted: list[Failure] = []
    for failure in failures:
        if all(_apart(ledger, other, failure) for other in counted):
            counted.append(failure)
    places = len(counted)
    return Places(
        frozenset(f.execution.key for f in failures), places, support * MORE_PLACES ** max(0, places - 2)
    )


def _apart(ledger: Ledger, first: Failure, second: Failure) -> bool:
    a, b = first.execution, second.execution
    if a.order >= b.order or a.commit == b.commit:
        return False
    if a.branch == b.branch and not (a.trunk and _separate(ledger, first, second)):
        return False
    return 0 < first.pass_after_at < second.at


def _separate(ledger: Ledger, first: Failure, second: Failure) -> bool:
    """The default branch was green between them; passes elsewhere do not count."""
    if first.execution.passed or second.execution.passed:
        return True
    return episode_of(ledger, first) is not episode_of(ledger, second)


def _merged_green(state: ProjectState, ledger: Ledger, failure: Failure) -> bool:
    e = failure.execution
    merge = state.surroundings.merges.get((e.branch, e.commit))
    if merge is None or merge.at < e.at or ledger.last_trunk_pass_at < merge.at:
        return False
    return not any(ep.open or ep.first_commit == merge.into for ep in ledger.episodes)


def independent(pieces: Sequence[Evidence]) -> list[Evidence]:
    """The best of every commit, branch and incident, and of everything within a few hours; best first."""
    kept: list[Evidence] = []
    for piece in sorted(pieces, key=_best_first):
        if piece.q <= NEGLIGIBLE:
            break
        if not _one_of(piece, kept):
            kept.append(piece)
    return kept


def _best_first(piece: Evidence) -> tuple[float, int]:
    return (-piece.q, piece.at)


def _one_of(piece: Evidence, kept: Sequence[Evidence]) -> bool:
    """It may have the same cause as one that counts already."""
    return any(_same_cause(piece, other) for other in kept)


def _same_cause(a: Evidence, b: Evidence) -> bool:
    apart = abs(a.at - b.at)
    if apart <= ONE_CAUSE or a.commit == b.commit or (a.branch and a.branch == b.branch):
        return True
    if a.passed_after == b.passed_after:
        return True  # it failed wherever it ran, until something was put right
    if apart <= INCIDENT and not a.peers.isdisjoint(b.peers):
        return True  # the same tests failing together again have something in common beside chance
    if apart <= INCIDENT and a.bucket is not Bucket.ALONE and b.bucket is not Bucket.ALONE:
        return True
    if apart <= DAY and a.echoed and b.echoed and a.fingerprint == b.fingerprint:
        return True  # a service that two tests need
    return apart <= LOOSELY_ONE_CAUSE and (a.loose or b.loose) and a.fingerprint == b.fingerprint
