"""Name every failure by what the world has answered to it: the classes of docs/detection.md."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from math import prod

from core.company import companies_of
from core.detection_state import ProjectState
from core.evidence import Bucket, Evidence, EvidenceClass, QTable
from core.independence import ONE_CAUSE
from core.isolation import FAR, episode_of, reading, recurrent
from core.known import Company, Reading, Weighed, gone_from
from core.ledger import DAY, INCIDENT, Failure, Ledger
from core.thresholds import Thresholds

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
    ledger: Ledger
    companies: Sequence[Company]
    base_red: Sequence[bool]
    proofs: frozenset[int]
    places: Mapping[int, Places]
    recurrent: frozenset[int]
    q_table: QTable


def evidence_of(state: ProjectState, test_id: int, t: Thresholds, q_table: QTable) -> Sequence[Evidence]:
    """All failures still remembered, classified, oldest first."""
    return weighed(state, test_id, t, q_table).pieces


def weighed(state: ProjectState, test_id: int, t: Thresholds, q_table: QTable) -> Weighed:
    """The evidence with what it was made from: kept until any of that is different."""
    suspect, known = state.suspects[test_id], state.weighed.get(test_id)
    read, companies = reading(state, test_id), companies_of(state, test_id, t)
    merges = (0, 0) if read.trunk_only else _merges(state, suspect.live)
    if (
        known is None
        or known.facts_version != suspect.facts_version
        or known.companies != companies
        or known.merges != merges
        or known.reading != read
        or known.q_table != q_table
    ):
        desk = _desk(state, suspect.live, read, companies, q_table)
        settled = _settled(known, desk, read)
        pieces = [one or _piece(desk, place) for place, one in enumerate(settled)]
        settled = [one or _if_settled(pieces[place]) for place, one in enumerate(settled)]
        known = Weighed(suspect.facts_version, read, companies, settled, merges, q_table, pieces)
        state.weighed[test_id] = known
    return known


def _settled(known: Weighed | None, desk: _Desk, read: Reading) -> list[Evidence | None]:
    """Pieces as they were: proof stays proof, as long as its company and its base are the same."""
    settled: list[Evidence | None] = []
    if known is not None and known.q_table == desk.q_table:
        gone = gone_from(known.reading.failures, read.failures)
        settled = [*known.settled[gone:]]
        for place, company in enumerate(known.companies[gone:]):
            if (
                company is not desk.companies[place]
                or desk.base_red[place] != known.reading.base_red[gone + place]
            ):
                settled[place] = None
    return settled + [None] * (len(read.failures) - len(settled))


def _if_settled(piece: Evidence) -> Evidence | None:
    return piece if piece.kind is C.RETRY_PASS or piece.kind is C.RERUN_PASS else None


def _merges(state: ProjectState, ledger: Ledger) -> tuple[int, int]:
    """What has been merged, and since when the default branch is green, for whom it matters."""
    if not state.told_merged(ledger.failures):
        return (0, 0)
    return (state.merges_changed, ledger.last_trunk_pass_at)


def _desk(
    state: ProjectState, ledger: Ledger, read: Reading, companies: Sequence[Company], q_table: QTable
) -> _Desk:
    recurring = recurrent(ledger)
    return _Desk(
        state,
        ledger,
        companies,
        read.base_red,
        _proven(ledger, companies, read.base_red),
        _places(state, ledger, read, recurring),
        recurring,
        q_table,
    )


def _piece(desk: _Desk, index: int) -> Evidence:
    failure, company, kind = desk.ledger.failures[index], desk.companies[index], _class_of(desk, index)
    e, facts = failure.execution, failure.facts
    return Evidence(
        at=e.at,
        kind=kind,
        bucket=company.bucket,
        q=_chance(desk, failure, kind, company.bucket),
        run=e.run,
        answer_run=_answer_run(failure, kind),
        commit=facts.commit_name,
        branch=e.branch,
        fellows=company.fellows,
        fingerprint=facts.fingerprint,
        peers=company.peers,
        passed_after=failure.pass_after_at,
        echoed=company.echoed,
        loose=company.loose,
    )


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
    failure, bucket = desk.ledger.failures[index], desk.companies[index].bucket
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


def _proven(ledger: Ledger, companies: Sequence[Company], base_red: Sequence[bool]) -> frozenset[int]:
    """Fingerprints with which this test failed and passed on the same commit, by itself."""
    proven: set[int] = set()
    for failure, company, red in zip(ledger.failures, companies, base_red, strict=True):
        signature = failure.facts.fingerprint
        if (
            signature
            and signature not in proven
            and company.bucket in _BY_ITSELF
            and (failure.retried or (failure.same_pass_at and not red))
        ):
            proven.add(signature)
    return frozenset(proven)


_BY_ITSELF = frozenset({Bucket.ALONE, Bucket.SMALL})


def _places(
    state: ProjectState, ledger: Ledger, read: Reading, recurring: frozenset[int]
) -> dict[int, Places]:
    """Failures by fingerprint that their own change does not explain: green base, seen green since."""
    lengths = Counter(read.origins)
    found: dict[int, list[Failure]] = {}
    for failure, origin, red in zip(ledger.failures, read.origins, read.base_red, strict=True):
        signature = failure.facts.fingerprint
        if not signature or not failure.trunk_pass_at or red:
            continue
        alone = lengths[origin] == 1
        if signature in recurring or _unexplained(ledger, failure, alone=alone):
            found.setdefault(signature, []).append(failure)
    stretches = _stretches(ledger, read, found.keys() - recurring)
    return {
        signature: _counted(
            ledger,
            failures,
            RECURS_BY_CHANCE if signature in recurring else _support(state, ledger, stretches[signature]),
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


def _stretches(ledger: Ledger, read: Reading, signatures: AbstractSet[int]) -> dict[int, list[list[Failure]]]:
    """The red stretches that show each of these messages."""
    stretches: dict[int, list[Failure]] = {}
    for failure, origin, red in zip(ledger.failures, read.origins, read.base_red, strict=True):
        if not red:
            stretches.setdefault(origin, []).append(failure)
    said: dict[int, list[list[Failure]]] = {signature: [] for signature in signatures}
    for stretch in stretches.values():
        for signature in {f.facts.fingerprint for f in stretch}:
            if signature in said:
                said[signature].append(stretch)
    return said


def _support(state: ProjectState, ledger: Ledger, stretches: Sequence[Sequence[Failure]]) -> float:
    """Likelihood ratio of chance to honest breakage over the red stretches that show one message."""
    return prod(_support_of(state, ledger, stretch) for stretch in _once_on_trunk(stretches))


def _once_on_trunk(stretches: Sequence[Sequence[Failure]]) -> Iterator[Sequence[Failure]]:
    """What several jobs of the default branch say at the same time is one thing."""
    heard = -INCIDENT
    for stretch in sorted(stretches, key=lambda s: s[0].at):
        first = stretch[0]
        if first.execution.branch:
            yield stretch
        elif first.at - heard > ONE_CAUSE:
            heard = first.at
            yield stretch


def _support_of(state: ProjectState, ledger: Ledger, stretch: Sequence[Failure]) -> float:
    first = stretch[0]
    if first.execution.branch == 0:
        episode = None if first.execution.passed else episode_of(ledger, first)
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
    if failure.execution.branch:
        return alone
    episode = None if failure.execution.passed else episode_of(ledger, failure)
    return episode is None or (not episode.open and episode.commits <= SHORT_COMMITS)


def _counted(ledger: Ledger, failures: Sequence[Failure], support: float) -> Places:
    """Other branches, or the default branch at other times, each with a pass since the one before."""
    counted = _Apart(ledger)
    for failure in failures:
        counted.take(failure)
    return Places(
        frozenset(f.execution.key for f in failures),
        counted.count,
        support * MORE_PLACES ** max(0, counted.count - 2),
    )


@dataclass(slots=True)
class _Apart:
    """Failures in time order, each in a place unrelated to those of all before, with a pass since each of them."""

    ledger: Ledger
    count: int = 0
    green_at: int = 0
    """All of them had passed again by then."""
    commits: set[int] = field(default_factory=set)
    branches: set[int] = field(default_factory=set)
    breakages: set[int] = field(default_factory=set)
    """Of the default branch, by identity."""

    def take(self, failure: Failure) -> None:
        e = failure.execution
        if self.green_at >= e.at or e.commit in self.commits:
            return
        place, places = self._place(failure)
        if place in places:
            return
        self.count += 1
        self.green_at = max(self.green_at, failure.pass_after_at or FAR)
        self.commits.add(e.commit)
        if place:
            places.add(place)

    def _place(self, failure: Failure) -> tuple[int, set[int]]:
        """The default branch is another place once it was green; passes elsewhere do not count."""
        e = failure.execution
        if e.branch:
            return e.branch, self.branches
        return 0 if e.passed else id(episode_of(self.ledger, failure)), self.breakages


def _merged_green(state: ProjectState, ledger: Ledger, failure: Failure) -> bool:
    e = failure.execution
    merge = state.surroundings.merges.get((e.branch, e.commit))
    if merge is None or merge.at < e.at or ledger.last_trunk_pass_at < merge.at:
        return False
    return not any(ep.open or ep.first_commit == merge.into for ep in ledger.episodes)
