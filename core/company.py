"""What other tests and the project have to do with each failure of a test, worked out again only where it changed."""

from core.detection_state import ProjectState
from core.evidence import Bucket
from core.isolation import fresh_in_report, isolation, reading
from core.known import ECHOES_WITHIN, Companies, Company, Doubt, Reading, gone_from
from core.thresholds import Thresholds


def companies_of(state: ProjectState, test_id: int, t: Thresholds) -> list[Company]:
    """Of all failures still remembered, oldest first; a list that is never changed."""
    read, known, mass = reading(state, test_id), state.companies.get(test_id), (t.mass_failures, t.mass_share)
    doubt = state.doubts.pop(test_id, None)
    if known is not None and known.mass == mass:
        if known.reading is read and doubt is None and known.outages == state.outages_changed:
            return known.found
        kept = _kept(state, known, read, doubt)
    else:
        kept = []
    kept += [None] * (len(read.failures) - len(kept))
    found = [
        _worked_out(state, test_id, place, read, t) if company is None else company
        for place, company in enumerate(kept)
    ]
    state.companies[test_id] = Companies(mass, state.outages_changed, read, found)
    return found


def _kept(state: ProjectState, known: Companies, read: Reading, doubt: Doubt | None) -> list[Company | None]:
    """What still holds; None where it may not."""
    gone = gone_from(known.reading.failures, read.failures)
    kept: list[Company | None] = [*known.found[gone:]]
    for place, (origin, before) in enumerate(zip(read.origins, known.reading.origins[gone:], strict=False)):
        if origin != before - gone:
            kept[place] = None
    if doubt is not None and (doubt.times or not read.fresh.keys().isdisjoint(doubt.groups)):
        _doubt(kept, read, doubt)
    if known.outages != state.outages_changed:
        _doubt_outages(state, kept, read)
    return kept


def _doubt(kept: list[Company | None], read: Reading, doubt: Doubt) -> None:
    for place in range(len(kept)):
        failure, first = read.failures[place], read.failures[read.origins[place]]
        if (
            failure.facts.group in doubt.groups
            or first.facts.group in doubt.groups
            or any(abs(failure.at - at) <= ECHOES_WITHIN for at in doubt.times)
        ):
            kept[place] = None


def _doubt_outages(state: ProjectState, kept: list[Company | None], read: Reading) -> None:
    """Where outages mattered before, or one says the same."""
    for place, company in enumerate(kept):
        said = read.failures[place].facts.fingerprint
        if company and (company.bucket is Bucket.MASS or state.surroundings.outages_saying(said)):
            kept[place] = None


def _worked_out(state: ProjectState, test_id: int, place: int, read: Reading, t: Thresholds) -> Company:
    failure = read.failures[place]
    bucket, fellows = isolation(state, test_id, failure, read.failures[read.origins[place]], t)
    e = failure.execution
    return Company(
        bucket=bucket,
        fellows=fellows,
        peers=fresh_in_report(state, failure) - {test_id},
        echoed=_echoed(state, failure.facts.fingerprint, e.at),
        loose=not (e.trunk or failure.retried or state.surroundings.place(e.base)),
    )


def _echoed(state: ProjectState, signature: int, at: int) -> bool:
    return bool(signature) and len(state.alike(signature, at - ECHOES_WITHIN, at + ECHOES_WITHIN, most=1)) > 1
