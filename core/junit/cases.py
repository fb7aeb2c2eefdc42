"""The cases of a whole report, kept as columns and made into results when somebody asks."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import eq
from typing import overload

from core.junit.batch import Batch
from core.report import CaseResult


class Cases(Sequence[CaseResult]):
    """Ten thousand results that all stay cost as much in garbage collection as reading them did."""

    __slots__ = ("_batches", "_count")

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = batches
        self._count = sum(map(len, batches))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[CaseResult]:
        return chain.from_iterable(batch.results() for batch in self._batches)

    @overload
    def __getitem__(self, at: int) -> CaseResult: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[CaseResult]: ...

    def __getitem__(self, at: int | slice) -> CaseResult | Sequence[CaseResult]:
        if isinstance(at, slice):
            return tuple(self)[at]
        place = range(self._count)[at]
        return next(islice(self, place, None))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment] # as for a list
