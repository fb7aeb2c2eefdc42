"""An outage declared by a person: failures that say the same, around that time, are the machine room's."""

from collections.abc import Sequence

from core.detection_state import ProjectState
from core.engine import RunOutcome
from core.evidence import QTable
from core.isolation import SIGNATURE_LASTS
from core.placing import digest, seconds
from core.q_table import SHIPPED
from core.review import judge_stale
from core.step import Step
from core.storm import StormFailure
from core.surroundings import SIGNATURES_KEPT, Outage
from core.thresholds import Thresholds

SAMPLE_KEPT = 64


def declare_outage(
    state: ProjectState,
    name: str,
    failures: Sequence[StormFailure],
    *,
    thresholds: Thresholds,
    q_table: QTable = SHIPPED,
) -> RunOutcome:
    """Remember it and judge anew whoever failed of it. Failures without a message cannot be told apart from others."""
    tests = sorted({one.test_id for one in failures})
    marks = _signatures(failures)
    if not tests or not marks:
        return RunOutcome()
    first = min(failures, key=lambda one: one.run.at).run
    at = seconds(first.at)
    step = Step(state, max(at, state.surroundings.latest), thresholds, q_table)
    group = digest(f"{first.run_id}\0{first.attempt}")
    outage = Outage(digest(name), at, group, len(tests), len(tests), tuple(tests[:SAMPLE_KEPT]), marks)
    state.see_outage(outage)
    state.forget_group(group)
    for mark in marks:
        step.stale |= state.alike(mark, at - SIGNATURE_LASTS, at + SIGNATURE_LASTS)
    return RunOutcome(transitions=tuple(judge_stale(step, all_of_them=True)))


def _signatures(failures: Sequence[StormFailure]) -> tuple[int, ...]:
    """The commonest fingerprints, as the engine remembers them."""
    tests: dict[str, set[int]] = {}
    for one in failures:
        if one.fingerprint:
            tests.setdefault(one.fingerprint, set()).add(one.test_id)
    common = sorted(tests, key=lambda mark: (-len(tests[mark]), mark))[:SIGNATURES_KEPT]
    return tuple(
        int.from_bytes(bytes.fromhex(mark)[:8].ljust(8, b"\0"), "big", signed=True) for mark in common
    )
