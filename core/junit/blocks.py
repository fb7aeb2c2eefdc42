"""Hooks that fail under the name of their block: Vitest lists such a `describe` behind all tests of its file."""

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby, takewhile

from core.junit.batch import Batch
from core.junit.dialects import SEPARATOR, Dialect
from core.junit.naming import Naming
from core.junit.walker import Item
from core.limits import Limits
from core.report import SuiteError

_REMEMBERED = 10_000


class BlockNaming(Naming):
    """As `Naming`, but blocks that failed become `errors`; they are the last of a suite."""

    _suite = ""
    _before: tuple[str, ...] = ()
    """The names that the last suite had in earlier batches, as many as are remembered."""

    def batches(self, items: Iterable[Item]) -> Iterator[Batch]:
        """The cases in order, many at a time."""
        return map(self._without_blocks, super().batches(items))

    def _without_blocks(self, batch: Batch) -> Batch:
        gone: set[int] = set()
        for suite, places in groupby(range(len(batch)), batch.suites.__getitem__):
            gone.update(self._blocks(batch, suite, list(places)))
        self.errors.extend(_error(batch, at) for at in sorted(gone))
        return _less(batch, gone) if gone else batch

    def _blocks(self, batch: Batch, suite: str, places: list[int]) -> Iterator[int]:
        names = (*(self._before if suite == self._suite else ()), *(batch.names[at] for at in places))
        self._suite, self._before = suite, names[-_REMEMBERED:]
        if not batch.entries[places[-1]][-1].outcome.bad:
            return iter(())
        blocks = {block for name in names for block in name.split(SEPARATOR)[:-1]}
        return takewhile(
            lambda at: batch.entries[at][-1].outcome.bad and batch.names[at] in blocks, reversed(places)
        )


def _error(batch: Batch, at: int) -> SuiteError:
    message = batch.entries[at][-1].message
    return SuiteError(SEPARATOR.join((batch.suites[at], batch.names[at])), message or "the block failed")


def _less(batch: Batch, gone: Collection[int]) -> Batch:
    left = Batch()
    for at, (key, written, entry, output) in enumerate(batch.singles()):
        if at not in gone:
            left.add(key, entry, written=written, output=output)
    return left


def naming_of(dialect: Dialect, *, variant: str, limits: Limits) -> Naming:
    """How the tests of this dialect are named."""
    kind = BlockNaming if dialect.blocks_fail else Naming
    return kind(dialect, variant=variant, limits=limits)
