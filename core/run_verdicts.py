"""What the failures of one run are: new, known flaky, broken, or the machine room."""

from collections.abc import Sequence

from core.classify import evidence_of, in_known_break
from core.company import companies_of
from core.evidence import Bucket, EvidenceClass
from core.execution import RunResults
from core.isolation import reading, recurrent
from core.ledger import Execution
from core.step import Step
from core.verdict import FailureVerdict, TestState


def run_verdicts(
    step: Step, place: Execution, results: RunResults, followed: Sequence[int]
) -> dict[int, FailureVerdict]:
    """What each failure of a run is, as far as can be told at once."""
    outage = not followed and place.key in step.state.surroundings.outages
    if outage:
        return {f.test_id: FailureVerdict.INFRA for f in results.failures}
    return {f.test_id: _class_in_run(step, f.test_id, place) for f in results.failures}


def _class_in_run(step: Step, test_id: int, place: Execution) -> FailureVerdict:
    state, suspect = step.state, step.state.suspects.get(test_id)
    index = suspect.index_of(place) if suspect else None
    if suspect is None or index is None:
        return _known(step, test_id)
    if companies_of(state, test_id, step.thresholds)[index].bucket is Bucket.MASS:
        return FailureVerdict.INFRA
    failure = suspect.live.failures[index]
    red = reading(state, test_id).base_red[index] or in_known_break(
        suspect.live, failure, recurrent(suspect.live)
    )
    if suspect.told is TestState.BROKEN or (red and not failure.retried):
        return FailureVerdict.BROKEN
    if suspect.told is TestState.FLAKY or _known_signature(step, test_id, index):
        return FailureVerdict.KNOWN_FLAKY
    return FailureVerdict.NEW


def _known_signature(step: Step, test_id: int, index: int) -> bool:
    pieces = evidence_of(step.state, test_id, step.thresholds, step.q_table)
    return pieces[index].kind is EvidenceClass.KNOWN_SIGNATURE


def foreign_verdicts(step: Step, results: RunResults) -> dict[int, FailureVerdict]:
    """A fork's failures are compared with what is known, and teach nothing."""
    return {f.test_id: _known(step, f.test_id) for f in results.failures}


def _known(step: Step, test_id: int) -> FailureVerdict:
    if test_id not in step.state.suspects:
        return FailureVerdict.NEW
    name = step.state.suspects[test_id].told
    if name is TestState.BROKEN:
        return FailureVerdict.BROKEN
    return FailureVerdict.KNOWN_FLAKY if name is TestState.FLAKY else FailureVerdict.NEW
