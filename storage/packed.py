"""The packed codes of a test over time, newest first: what every question about a test's past starts from."""

import heapq
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, literal, select, tuple_
from sqlmodel import col

from core.codes import ABSENT, seconds_of
from core.ids import Ids, place_of, unpack_ids
from storage.columns import UtcTime
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
    durations: bytes
    """Packed; empty unless asked for."""

    @property
    def order(self) -> tuple[datetime, int, int]:
        return self.at, self.run_pk, self.part

    @property
    def seconds(self) -> float | None:
        """Its duration, within 5 %."""
        before = self.place - self.outcomes.count(ABSENT, 0, self.place)
        return seconds_of(zlib.decompressobj().decompress(self.durations, before + 1)[before])


@dataclass(frozen=True, slots=True)
class Window:
    """What part of the past is wanted."""

    since: datetime | None = None
    limit: int | None = None
    durations: bool = False

    @property
    def page(self) -> int:
        return EVERYTHING if self.limit is None else min(PAGE, self.limit)


def packed_results(tx: Tx, project_id: int, names: Sequence[int], window: Window) -> Iterator[PackedResult]:
    """Executions of a test under any of these ids, newest first; stop reading whenever you have enough."""
    parts = _Parts(tx, project_id, window)
    sources = [
        parts.on_list(list_id, name, place)
        for list_id, ids in _lists(tx, project_id).items()
        for name in names
        if (place := place_of(ids, name)) >= 0
    ]
    sources += [parts.as_extra(name) for name in names]
    return islice(heapq.merge(*sources, key=lambda one: one.order, reverse=True), window.limit)


def _lists(tx: Tx, project_id: int) -> dict[int, Ids]:
    known = knowledge(tx, project_id)
    wanted = list_ids(tx, project_id)
    missing = [list_id for list_id in wanted if known.members(list_id) is None]
    if missing:
        known.found.members |= read_lists(tx, project_id, missing)
    return {list_id: members for list_id in wanted if (members := known.members(list_id)) is not None}


class _Parts:
    """Reads parts of runs page by page, newest first."""

    def __init__(self, tx: Tx, project_id: int, window: Window) -> None:
        self._tx = tx
        self._durations = window.durations
        self._page = window.page
        self._bounds = {"project": project_id, "since": window.since or _FIRST, "page": window.page}

    def on_list(self, list_id: int, name: int, place: int) -> Iterator[PackedResult]:
        """From the runs whose roster holds the test."""
        query = _on_list(durations=self._durations)
        for at, run_pk, part, outcomes, _, durations in self._pages(query, {"list": list_id}):
            codes = zlib.decompress(outcomes)
            if codes[place] != ABSENT:
                yield PackedResult(at, run_pk, part, name, codes[place], place, codes, durations)

    def as_extra(self, name: int) -> Iterator[PackedResult]:
        """From the runs that name it beside their roster."""
        query = _as_extra(durations=self._durations)
        for at, run_pk, part, outcomes, extra, durations in self._pages(query, {"test": name}):
            ids = unpack_ids(extra)
            place = place_of(ids, name)
            if place >= 0:
                codes = zlib.decompress(outcomes)
                place += len(codes) - len(ids)
                yield PackedResult(at, run_pk, part, name, codes[place], place, codes, durations)

    def _pages(self, query: Query, of: Mapping[str, int]) -> Iterator[Sequence[Any]]:
        at, run_pk, part = _LAST, 0, 0
        while True:
            after = {"at": at, "run": run_pk, "part": part}
            rows = self._tx.execute(query, {**self._bounds, **of, **after}).all()
            yield from rows
            if len(rows) < self._page:
                return
            at, run_pk, part = rows[-1][:3]


_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


# Statements are built once: building one takes longer than running it.


@cache
def _on_list(*, durations: bool) -> Query:
    return _page(durations=durations).where(col(RunPartRow.list_id) == bindparam("list"))


@cache
def _as_extra(*, durations: bool) -> Query:
    low, high = col(RunPartRow.extra_low), col(RunPartRow.extra_high)
    return _page(durations=durations).where(high >= bindparam("test"), low <= bindparam("test"))


def _page(*, durations: bool) -> Query:
    at, run_pk, part = col(RunPartRow.at), col(RunPartRow.run_pk), col(RunPartRow.part)
    packed = col(RunPartRow.durations) if durations else literal(b"")
    last = tuple_(bindparam("at", type_=UtcTime), bindparam("run"), bindparam("part"))
    return (
        select(at, run_pk, part, col(RunPartRow.outcomes), col(RunPartRow.extra_ids), packed)
        .where(
            col(RunPartRow.project_id) == bindparam("project"),
            at >= bindparam("since", type_=UtcTime),
            tuple_(at, run_pk, part) < last,
        )
        .order_by(at.desc(), run_pk.desc(), part.desc())
        .limit(bindparam("page"))
    )
