"""Columns of named cases: cheap to compare and count, made into results at the end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat

from core.report import Attempt, CaseResult, TestKey

Key = tuple[str, str, str, str, str]
"""Suite, class, name, file, variant: a `TestKey` before it is worth an object."""
Entry = tuple[Attempt, ...]

# `TestKey(...)` costs three times as much as making it out of the tuple that `zip` has made already.
_made = tuple.__new__


@dataclass(slots=True)
class Batch:
    """Equally long columns; `written` holds the names before normalising where they differ."""

    suites: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    written: dict[int, Key] = field(default_factory=dict)
    outputs: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def keys(self) -> Iterator[Key]:
        """The normalised identity of each case."""
        return zip(self.suites, self.classes, self.names, self.files, self.variants, strict=True)

    def add(self, key: Key, entry: Entry, *, written: Key, output: str) -> None:
        """One more case."""
        at = len(self.names)
        for column, part in zip(self.columns(), key, strict=True):
            column.append(part)
        self.entries.append(entry)
        if written != key:
            self.written[at] = written
        if output:
            self.outputs[at] = output

    def vary(self, variant: str) -> None:
        """Put the job's variant in front of each case's own."""
        self.variants = [f"{variant} / {own}" if own else variant for own in self.variants]
        self.written = {
            at: (suite, class_name, name, file, f"{variant} / {own}" if own else variant)
            for at, (suite, class_name, name, file, own) in self.written.items()
        }

    def results(self) -> Iterator[CaseResult]:
        """A result for each case, none of which is repeated."""
        keys: Iterator[TestKey] = map(_made, repeat(TestKey), self.keys())
        no = repeat(False)
        drafts = zip(keys, self.entries, no, no, self._outputs(), strict=False)
        return map(_made, repeat(CaseResult), drafts)

    def singles(self) -> Iterator[tuple[Key, Key, Entry, str]]:
        """Identity, identity as written, attempts and output of each case."""
        for at, (key, entry) in enumerate(zip(self.keys(), self.entries, strict=True)):
            yield key, self.written.get(at, key), entry, self.outputs.get(at, "")

    def columns(self) -> tuple[list[str], list[str], list[str], list[str], list[str]]:
        """Suites, classes, names, files, variants."""
        return self.suites, self.classes, self.names, self.files, self.variants

    def _outputs(self) -> Iterable[str]:
        if not self.outputs:
            return repeat("")
        column = [""] * len(self)
        for at, output in self.outputs.items():
            column[at] = output
        return column
