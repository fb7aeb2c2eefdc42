"""What a document literally says, before any dialect interprets it."""

from collections.abc import Iterator  # noqa: TC003 - a NamedTuple is read at run time
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True, eq=False)
class Suite:
    """One `<testsuite>` with the names of its ancestors; compared by identity, many cases share it."""

    path: tuple[str, ...] = ()
    name: str = ""
    file: str = ""
    hostname: str = ""
    package: str = ""
    id: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    counted_bad: int = 0
    """Failures and errors that its counts claim, less those of silent suites inside."""
    bad: int = 0
    """Cases inside that went wrong; while the suite is open, those that did so before it."""


class Mark(NamedTuple):
    """One `<failure>`, `<error>`, `<skipped>`, `<flakyFailure>` ... of a case."""

    tag: str
    message: str = ""
    type: str = ""
    text: str = ""
    time: str = ""


_WEIGHS_AS_A_CASE = 400
"""Characters."""


def weight(mark: Mark, output: str) -> int:
    """How many silent cases fit into the memory that this takes."""
    return (len(mark.message) + len(mark.text) + len(output)) // _WEIGHS_AS_A_CASE


class RawCase(NamedTuple):
    """One `<testcase>` as written."""

    suite: Suite
    name: str
    class_name: str
    file: str = ""
    time: str = ""
    status: str = ""
    marks: tuple[Mark, ...] = ()
    output: str = ""

    @property
    def size(self) -> int:
        """What it weighs in memory, counted in silent cases."""
        return 1 + sum(weight(mark, self.output) for mark in self.marks)

    def raw_cases(self) -> "Iterator[RawCase]":
        """Itself: rows hold many."""
        yield self


@dataclass(slots=True)
class Evidence:
    """What was seen on the way through a document; dialects recognise themselves by it."""

    preamble: str = ""
    """The comments before the root element."""
    root: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    suite_attributes: dict[str, str] = field(default_factory=dict)
    case_attributes: frozenset[str] = frozenset()
    first_case: RawCase | None = None
    properties: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    counted_bad: int = 0
    """Failures and errors that the outermost counts claim."""
    counted_errors: int = 0
    silent: list[Suite] = field(default_factory=list)
    """Suites that count failures or errors of which no case inside says anything."""
    suite_paths: set[int] = field(default_factory=set)
    """Hashes of the first paths of suites."""
    merged: bool = False
    """A suite occurs twice: somebody put the reports of several runs into one."""
    odd_statuses: bool = False
    """Some status attribute says something else than passed."""
    cases: int = 0
    bad_cases: int = 0
    error_cases: int = 0
