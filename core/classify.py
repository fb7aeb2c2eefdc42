"""Name every failure by what the world has answered to it: the classes of docs/detection.md."""

from collections.abc import Iterator
from dataclasses import replace

from core.detection_state import ProjectState
from core.evidence import Bucket, Evidence, EvidenceClass, QTable
from core.isolation import HOUR, INCIDENT, bucket_of, episode_of, red_at_base
from core.ledger import DAY, Failure, Ledger
from core.thresholds import Thresholds

ONE_CAUSE = 4 * HOUR
BREAK_COMMITS = 3
SHORT_COMMITS = 2
BREAK_REACHES_BACK = 2 * DAY
BREAK_REACHES_ON = 7 * DAY
"""Changes that started from a broken commit keep failing for some days after the repair."""

C = EvidenceClass


def evidence_of(state: ProjectState, test_id: int, t: Thresholds, q_table: QTable) -> list[Evidence]:
    """All failures still remembered, classified, oldest first."""
    ledger = state.suspects[test_id].live
    proofs = _proven_signatures(state, test_id, ledger, t)
    places = _places(state, ledger)
    pieces = []
    for failure in ledger.failures:
        bucket, fellows = bucket_of(state, test_id, failure, t)
        kind = _class_of(state, ledger, failure, proofs, places, q_table, bucket)
        pieces.append(_piece(failure, kind, bucket, q_table[kind][bucket], fellows))
    return pieces


def _piece(failure: Failure, kind: EvidenceClass, bucket: Bucket, q: float, fellows: int) -> Evidence:
    e = failure.execution
    return Evidence(
        at=e.at,
        kind=kind,
        bucket=bucket,
        q=q,
        run=e.run,
        answer_run=_answer_run(failure, kind),
        commit=failure.facts.commit_name,
        branch=e.branch,
        fellows=fellows,
    )


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


def _class_of(
    state: ProjectState,
    ledger: Ledger,
    failure: Failure,
    proofs: frozenset[int],
    places: dict[int, list[Failure]],
    q_table: QTable,
    bucket: Bucket,
) -> EvidenceClass:
    """Same-commit proof outranks everything, a red base everything but proof; else the best that applies."""
    if failure.retried:
        return C.RETRY_PASS
    base_red = not failure.execution.trunk and red_at_base(state, ledger, failure)
    if failure.same_pass_at and not base_red:
        return C.RERUN_PASS
    if base_red:
        return C.BASE_RED
    if _in_known_break(ledger, failure):
        return C.KNOWN_BREAK
    candidates = [_own_class(ledger, failure), *_answers(state, ledger, failure, proofs, places)]
    return max(candidates, key=lambda kind: q_table[kind][bucket])


def _answers(
    state: ProjectState,
    ledger: Ledger,
    failure: Failure,
    proofs: frozenset[int],
    places: dict[int, list[Failure]],
) -> Iterator[EvidenceClass]:
    if failure.facts.fingerprint in proofs:
        yield C.KNOWN_SIGNATURE
    if _elsewhere(failure, places):
        yield C.CROSS_BRANCH
    if not failure.execution.trunk and _merged_green(state, ledger, failure):
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


def _in_known_break(ledger: Ledger, failure: Failure) -> bool:
    mine = episode_of(ledger, failure)
    if mine is not None and mine.commits >= BREAK_COMMITS:
        return True
    signature = failure.facts.fingerprint
    return bool(signature) and any(
        episode.commits >= BREAK_COMMITS
        and episode.fingerprint == signature
        and episode.first_at - BREAK_REACHES_BACK <= failure.at
        and (episode.open or failure.at <= episode.end_at + BREAK_REACHES_ON)
        for episode in ledger.episodes
    )


def _proven_signatures(state: ProjectState, test_id: int, ledger: Ledger, t: Thresholds) -> frozenset[int]:
    """Fingerprints with which this test failed and passed on the same commit, by itself."""
    proven = set()
    for failure in ledger.failures:
        if not (signature := failure.facts.fingerprint) or signature in proven:
            continue
        if failure.retried or (failure.same_pass_at and not red_at_base(state, ledger, failure)):
            bucket, _ = bucket_of(state, test_id, failure, t)
            if bucket in {Bucket.ALONE, Bucket.SMALL}:
                proven.add(signature)
    return frozenset(proven)


def _places(state: ProjectState, ledger: Ledger) -> dict[int, list[Failure]]:
    """Failures by fingerprint that their own change does not explain: green base, seen green since."""
    places: dict[int, list[Failure]] = {}
    for failure in ledger.failures:
        signature = failure.facts.fingerprint
        if signature and failure.trunk_pass_at and _unexplained(state, ledger, failure):
            places.setdefault(signature, []).append(failure)
    return places


def _unexplained(state: ProjectState, ledger: Ledger, failure: Failure) -> bool:
    if not 0 < ledger.first_trunk_pass_at < failure.at:
        return False
    if failure.execution.trunk:
        episode = episode_of(ledger, failure)
        return episode is None or (not episode.open and episode.commits <= SHORT_COMMITS)
    return not red_at_base(state, ledger, failure)


def _elsewhere(failure: Failure, places: dict[int, list[Failure]]) -> bool:
    """The same failure on another branch, or on the default branch at another time, with a pass between."""
    fellows = places.get(failure.facts.fingerprint, ())
    if failure not in fellows:
        return False
    return any(_apart(other, failure) or _apart(failure, other) for other in fellows)


def _apart(first: Failure, second: Failure) -> bool:
    a, b = first.execution, second.execution
    if a.order >= b.order or (a.branch == b.branch and not a.trunk) or a.commit == b.commit:
        return False
    return 0 < first.pass_after_at < second.at


def _merged_green(state: ProjectState, ledger: Ledger, failure: Failure) -> bool:
    e = failure.execution
    merge = state.surroundings.merges.get((e.branch, e.commit))
    if merge is None or merge.at < e.at or ledger.last_trunk_pass_at < merge.at:
        return False
    return not any(ep.open or ep.first_commit == merge.into for ep in ledger.episodes)


def independent(pieces: list[Evidence]) -> list[Evidence]:
    """Keep the best of every commit, branch and incident, and of everything within a few hours."""
    kept: list[Evidence] = []
    chosen: set[int] = set()
    for index in sorted(range(len(pieces)), key=lambda i: (-pieces[i].q, pieces[i].at, i)):
        if pieces[index].q > 0 and not any(_one(pieces[index], other) for other in kept):
            kept.append(pieces[index])
            chosen.add(index)
    return [replace(piece, independent=i in chosen) for i, piece in enumerate(pieces)]


def _one(a: Evidence, b: Evidence) -> bool:
    """Both may have one cause."""
    apart = abs(a.at - b.at)
    if a.commit == b.commit or apart <= ONE_CAUSE or (a.branch and a.branch == b.branch):
        return True
    return apart <= INCIDENT and a.bucket is not Bucket.ALONE and b.bucket is not Bucket.ALONE
