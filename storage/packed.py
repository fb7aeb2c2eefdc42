"""The packed codes of a test over time, newest first: what every question about a test's past starts from."""

import heapq
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import col

from core.codes import ABSENT, seconds_of
from core.ids import Ids, place_of, unpack_ids
from storage.database import Query, Tx
from storage.knowledge import knowledge
from storage.run_part import RunPartRow
from storage.test_list import list_ids, read_lists

PAGE = 200
EVERYTHING = 1_000_000


@dataclass(frozen=True, slots=True)
class PackedResult:
    """One test in one run, as packed."""

    at: datetime
    run_pk: int
    part: int
    test_id: int
    """The id its name resolved to when it was stored."""
    code: int
    place: int
    outcomes: bytes

    @property
    def order(self) -> tuple[datetime, int, int]:
        return self.at, self.run_pk, self.part


def packed_results(
    tx: Tx, project_id: int, names: Sequence[int], *, since: datetime | None = None, limit: int | None = None
) -> Iterator[PackedResult]:
    """Every execution of a test under any of these ids, newest first; stop reading whenever you have enough."""
    page = EVERYTHING if limit is None else min(PAGE, limit)
    sources = [
        _on_list(tx, project_id, list_id, name, place, since=since, page=page)
        for list_id, ids in _lists(tx, project_id).items()
        for name in names
        if (place := place_of(ids, name)) >= 0
    ]
    sources += [_as_extra(tx, project_id, name, since=since, page=page) for name in names]
    return heapq.merge(*sources, key=lambda one: one.order, reverse=True)


def duration_of(tx: Tx, project_id: int, one: PackedResult) -> float | None:
    """Its duration, within 5 %."""
    query = select(col(RunPartRow.durations)).where(
        col(RunPartRow.project_id) == project_id,
        col(RunPartRow.at) == one.at,
        col(RunPartRow.run_pk) == one.run_pk,
        col(RunPartRow.part) == one.part,
    )
    durations = zlib.decompress(tx.execute(query).scalar_one())
    before = one.place - one.outcomes.count(ABSENT, 0, one.place)
    return seconds_of(durations[before])


def _lists(tx: Tx, project_id: int) -> dict[int, Ids]:
    known = knowledge(tx, project_id)
    wanted = list_ids(tx, project_id)
    missing = [list_id for list_id in wanted if known.members(list_id) is None]
    if missing:
        known.found.members |= read_lists(tx, project_id, missing)
    return {list_id: members for list_id in wanted if (members := known.members(list_id)) is not None}


def _on_list(
    tx: Tx, project_id: int, list_id: int, name: int, place: int, *, since: datetime | None, page: int
) -> Iterator[PackedResult]:
    mine = _parts(project_id, since).where(col(RunPartRow.list_id) == list_id)
    for at, run_pk, part, outcomes, _, _ in _pages(tx, mine, page):
        codes = zlib.decompress(outcomes)
        if codes[place] != ABSENT:
            yield PackedResult(at, run_pk, part, name, codes[place], place, codes)


def _as_extra(
    tx: Tx, project_id: int, name: int, *, since: datetime | None, page: int
) -> Iterator[PackedResult]:
    low, high = col(RunPartRow.extra_low), col(RunPartRow.extra_high)
    mine = _parts(project_id, since).where(high >= name, low <= name)
    for at, run_pk, part, outcomes, extra, _ in _pages(tx, mine, page):
        ids = unpack_ids(extra)
        place = place_of(ids, name)
        if place >= 0:
            codes = zlib.decompress(outcomes)
            place += len(codes) - len(ids)
            yield PackedResult(at, run_pk, part, name, codes[place], place, codes)


def _parts(project_id: int, since: datetime | None) -> Query:
    query = select(
        col(RunPartRow.at),
        col(RunPartRow.run_pk),
        col(RunPartRow.part),
        col(RunPartRow.outcomes),
        col(RunPartRow.extra_ids),
        col(RunPartRow.list_id),
    ).where(col(RunPartRow.project_id) == project_id)
    return query if since is None else query.where(col(RunPartRow.at) >= since)


def _pages(tx: Tx, query: Query, page: int) -> Iterator[tuple[datetime, int, int, bytes, bytes, int]]:
    at, run_pk = col(RunPartRow.at), col(RunPartRow.run_pk)
    newest = query.order_by(at.desc(), run_pk.desc(), col(RunPartRow.part).desc()).limit(page)
    rows = tx.execute(newest).all()
    while rows:
        yield from rows
        if len(rows) < page:
            return
        last = rows[-1]
        older = or_(at < last[0], (at == last[0]) & (run_pk < last[1]))
        rows = tx.execute(newest.where(at <= last[0], older)).all()
