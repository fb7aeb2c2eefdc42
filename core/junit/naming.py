"""From items to batches of named cases, as one dialect reads them."""

from collections.abc import Callable, Iterable, Iterator

from core.identity import are_normal, normal, stable_file
from core.junit.attempts import PASSING, attempts, marked, passed
from core.junit.batch import Batch, Entry, Key
from core.junit.dialects import SEPARATOR, Dialect, plain_key
from core.junit.raw import RawCase
from core.junit.rows import Rows
from core.junit.text import printable, told
from core.junit.walker import Item
from core.limits import Limits
from core.report import SuiteError

_BATCH = 4096
_CACHED = 50_000


class Naming:
    """Says what each entry's test is called; entries that are no tests become `errors`."""

    def __init__(self, dialect: Dialect, *, variant: str, limits: Limits) -> None:
        self.dialect = dialect
        self.errors: list[SuiteError] = []
        self._nameless = 0
        """Entries that passed and say nothing of what they are: nobody could remember them."""
        self._limits = limits
        self._variant = variant
        self._normal: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self._passed: dict[str, Entry] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was left out so far."""
        count = self._nameless
        return (f"{count} entries without a name were left out",) if count else ()

    def batches(self, items: Iterable[Item]) -> Iterator[Batch]:
        """The cases in order, many at a time."""
        waiting = Batch()
        for item in items:
            if not (isinstance(item, Rows) and self._in_bulk(item, waiting)):
                for raw in item.raw_cases():
                    self._add(raw, waiting)
            if len(waiting) >= _BATCH:
                yield _with_normal_names(waiting)
                waiting = Batch()
        if len(waiting):
            yield _with_normal_names(waiting)

    def _in_bulk(self, rows: Rows, batch: Batch) -> bool:
        """Name many at a time, if nothing about them needs a look at each."""
        titles = [SEPARATOR.join(suite.path) for suite in rows.suites]
        if not self._simple(rows, titles):
            return False
        telling = list(rows.telling())
        errors = list(map(self.dialect.suite_error, telling))
        if errors.count(None) != len(errors):
            return False
        start = len(batch)
        self._extend(batch, rows, titles)
        places = [start + at for at in rows.said]
        passes = list(map(batch.entries.__getitem__, places))
        for at, entry in zip(places, marked(telling, passes, self.dialect, self._limits), strict=True):
            batch.entries[at] = entry
        for at, raw in zip(places, telling, strict=True):
            if raw.output:
                batch.outputs[at] = printable(raw.output)
        return True

    def _simple(self, rows: Rows, titles: list[str]) -> bool:
        """Only the names of these rows need a look at each of them."""
        if self.dialect.key is not None:
            return False
        if not PASSING.issuperset(rows.silent_statuses()):
            return False
        classes = list(set(rows.classes or ("",)))
        if min(classes) <= " " and not all(map(str.strip, rows.names)):
            return False
        return self._stay(classes) and self._stay(titles)

    def _stay(self, texts: list[str]) -> bool:
        return are_normal(texts) or all(self._normalised(text) == text for text in texts)

    def _extend(self, batch: Batch, rows: Rows, titles: list[str]) -> None:
        count = rows.count
        outer = rows.of_suites([self._file(suite.file) for suite in rows.suites])
        batch.suites += rows.of_suites(titles)
        batch.classes += rows.classes or [""] * count
        batch.names += rows.names
        batch.files += (
            [self._file(file) or of_suite for file, of_suite in zip(rows.files, outer, strict=True)]
            if rows.files
            else outer
        )
        batch.variants += [self._variant] * count
        batch.entries += self._passes(rows)

    def _passes(self, rows: Rows) -> list[Entry]:
        """Passed attempts that took equally long are one shared value."""
        known = self._passed
        times = rows.times or [""] * rows.count
        try:
            return list(map(known.__getitem__, times))
        except KeyError:
            if len(known) > _CACHED:
                known.clear()
        new = tuple(set(times).difference(known))
        known.update(zip(new, passed(new), strict=True))
        return list(map(known.__getitem__, times))

    def _add(self, raw: RawCase, batch: Batch) -> None:
        if not raw.name.strip() and not raw.class_name.strip() and not raw.marks:
            self._nameless += 1
            return
        if raw.marks and (suite := self.dialect.suite_error(raw)) is not None:
            self.errors.append(SuiteError(suite, self._told(raw)))
            return
        written = self._written(raw)
        suite, class_name, name, file, variant = written
        key = (self._normalised(suite), self._normalised(class_name), name, file, variant)
        batch.add(
            key, attempts(raw, self.dialect, self._limits), written=written, output=printable(raw.output)
        )

    def _written(self, raw: RawCase) -> Key:
        if self.dialect.key is not None:
            suite, class_name, name, file, variant = self.dialect.key(raw)
        else:
            suite, class_name, name, file, variant = plain_key(raw)
        if self._variant:
            variant = f"{self._variant} / {variant}" if variant else self._variant
        return suite, class_name, name, self._file(file), variant

    def _normalised(self, text: str) -> str:
        return _remembered(self._normal, text, normal)

    def _file(self, path: str) -> str:
        return _remembered(self._files, path, stable_file) if path else ""

    def _told(self, raw: RawCase) -> str:
        limit = self._limits.text_chars
        texts = (told(mark.message, mark.type, mark.text, limit=limit) for mark in raw.marks)
        return "\n\n".join(filter(None, texts)) or f"<{raw.marks[0].tag}>"


def _with_normal_names(batch: Batch) -> Batch:
    """Names are normalised last, because one look at all of them mostly says that nothing is to be done."""
    if are_normal(batch.names):
        return batch
    for at, name in enumerate(batch.names):
        normalised = normal(name)
        if normalised != name:
            if at not in batch.written:
                batch.written[at] = (
                    batch.suites[at],
                    batch.classes[at],
                    name,
                    batch.files[at],
                    batch.variants[at],
                )
            batch.names[at] = normalised
    return batch


def _remembered(known: dict[str, str], text: str, read: Callable[[str], str]) -> str:
    """Suites, classes and files repeat; each is normalised once."""
    value = known.get(text)
    if value is None:
        if len(known) > _CACHED:
            known.clear()
        value = known[text] = read(text)
    return value
