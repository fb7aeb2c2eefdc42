"""Joins what belongs to one test: in one go when the cases fit in memory, in two passes when they do not."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from core.junit.batch import Batch, Entry, Key
from core.junit.cases import Cases
from core.junit.dialects import Repeats
from core.junit.errors import ReportError
from core.junit.grouping import folded, joined
from core.junit.naming import Naming
from core.junit.walker import Item
from core.report import CaseResult


class _Group:
    """The entries of one normalised identity, under each name they were written with."""

    __slots__ = ("_output", "_written")

    def __init__(self) -> None:
        self._written: dict[Key, list[Entry]] = {}
        self._output = ""

    def add(self, written: Key, entry: Entry, output: str) -> None:
        self._written.setdefault(written, []).append(entry)
        self._output = output or self._output

    def result(self, key: Key, repeats: Repeats) -> CaseResult:
        results = [joined(key, entries, repeats) for entries in self._written.values()]
        return folded(key, results, output=self._output)


Note = Callable[[CaseResult], None]
"""Told of every result that several entries were joined into."""


def whole(batches: Sequence[Batch], repeats: Repeats, note: Note) -> Iterable[CaseResult]:
    """Results of cases that are all here, in the order of first appearance."""
    if _all_different(batches):
        return Cases(batches)
    return _grouped(batches, repeats, note)


def _all_different(batches: Sequence[Batch]) -> bool:
    """Mostly the names alone are; columns that hold one value throughout need no comparing."""
    count = sum(map(len, batches))
    if len(set().union(*(batch.names for batch in batches))) == count:
        return True
    columns = list(zip(*(batch.columns() for batch in batches), strict=True))
    varying = [column for column in columns if len(set().union(*column)) > 1]
    if not varying:
        return count <= 1
    seen: set[tuple[str, ...]] = set()
    for parts in zip(*varying, strict=True):
        seen.update(zip(*parts, strict=True))
    return len(seen) == count


def _grouped(batches: Iterable[Batch], repeats: Repeats, note: Note) -> Iterator[CaseResult]:
    groups: dict[Key, _Group] = {}
    for batch in batches:
        for key, written, entry, output in batch.singles():
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group()
            group.add(written, entry, output)
    for key, group in groups.items():
        result = group.result(key, repeats)
        note(result)
        yield result


def survey(items: Iterable[Item], naming: Naming, *, limit: int, name: str) -> dict[int, int]:
    """The first of two passes: hashes of the identities that occur more than once, and how often."""
    hashes = array("q")
    for batch in naming.batches(items):
        hashes.extend(map(hash, batch.keys()))
    values = np.frombuffer(hashes, dtype=np.int64)
    values.sort()
    again = values[1:][values[1:] == values[:-1]]
    repeated, more = np.unique(again, return_counts=True)
    if len(repeated) > limit:
        raise ReportError(
            f"more than {limit:,} of its tests occur several times",
            name=name,
            remedy="Upload one report for each attempt, shard or module.",
        )
    return dict(zip(repeated.tolist(), (more + 1).tolist(), strict=True))


def second_pass(
    again: Callable[[], Iterable[Item]], naming: Naming, repeated: dict[int, int], note: Note
) -> Iterator[CaseResult]:
    """Results one by one; a repeated test leaves when its last entry has come."""
    waiting: dict[int, dict[Key, _Group]] = {}

    def results(batch: Batch) -> Iterator[CaseResult]:
        if not repeated or repeated.keys().isdisjoint(map(hash, batch.keys())):
            return batch.results()
        return _singly(batch, naming, repeated, waiting, note)

    return chain.from_iterable(map(results, naming.batches(again())))


def _singly(
    batch: Batch,
    naming: Naming,
    repeated: dict[int, int],
    waiting: dict[int, dict[Key, _Group]],
    note: Note,
) -> Iterator[CaseResult]:
    for key, written, entry, output in batch.singles():
        for result in _complete(
            key, written, entry, output, naming=naming, repeated=repeated, waiting=waiting
        ):
            note(result)
            yield result


def _complete(
    key: Key,
    written: Key,
    entry: Entry,
    output: str,
    *,
    naming: Naming,
    repeated: dict[int, int],
    waiting: dict[int, dict[Key, _Group]],
) -> Iterator[CaseResult]:
    at = hash(key)
    groups = waiting.setdefault(at, {})
    groups.setdefault(key, _Group()).add(written, entry, output)
    left = repeated.get(at, 1) - 1
    if left:
        repeated[at] = left
        return
    repeated.pop(at, None)
    for done, group in waiting.pop(at).items():
        yield group.result(done, naming.dialect.repeats)
